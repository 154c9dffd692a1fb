"""The drop-in gateway: a customer's own send goes to Octopods as it came, and its failure becomes visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from canvas.clients.errors import CallFailed, RateLimited
from canvas.clients.http import Answer
from canvas.clients.octopods_answers import read_sent
from canvas.domain.message import Message
from canvas.domain.send_request import Refusal, refusal
from canvas.flows import outcome, repeats
from canvas.flows.come_in import Contact, begin, message_from_request
from canvas.flows.context import Flow
from canvas.flows.sending import evidence_of
from canvas.flows.write_retry import retry_write
from canvas.knowledge.evidence import error_number
from canvas.store import channels, idempotency, installs, messages
from canvas.store.channels import Channel
from canvas.store.database import reading, writing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Send:
    """One send request as it came in; `key` is the customer's `Idempotency-Key`."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    document: Mapping[str, Any]
    template_id: str | None
    contact: Contact
    key: str | None = None


class NotRecorded(Exception):
    """Our own database could not take the message, so nothing was sent."""


def caller(flow: Flow, api_key: str, kind: str | None = None) -> Channel | None:
    """The channel whose key this is, or None for a key not held here.

    Where the key serves several, the one of that kind. A workspace key may serve a kind that nobody
    connected: Octopods judges that, so the channel is then told as being of that kind.
    """
    with reading(flow.engine) as conn:
        found = channels.by_key(conn, flow.sealer.fingerprint(api_key))
    same = [channel for channel in found if kind is None or channel.kind == kind]
    if same or not found or kind is None:
        return same[0] if same else None
    return replace(found[0], kind=kind)


def sibling(flow: Flow, channel: Channel, kind: str) -> Channel | None:
    """The channel of that kind that has the same key, or None."""
    if channel.kind == kind:
        return channel
    with reading(flow.engine) as conn:
        found = channels.by_key(conn, channel.key_hash)
    return next((c for c in found if c.kind == kind and c.install_id == channel.install_id), None)


def platform(flow: Flow, channel: Channel) -> str:
    """Whose contacts this channel's messages are for: `intercom` or `hubspot`."""
    with reading(flow.engine) as conn:
        install = installs.get(conn, channel.install_id)
    assert install is not None  # the foreign key says so
    return install.platform


def send(flow: Flow, channel: Channel, request: Send) -> Answer:
    """Record the message, forward the request, write down the outcome, and give Octopods' answer back untouched.

    A request that Octopods would certainly refuse for its form is refused here, in its words. Raises
    NotRecorded when nothing was forwarded for want of our own record; NotReached or Unsure when there is no
    answer to give back, and the message then says which; repeats.Conflict for a repeat that is not sent.
    """
    try:
        begun = _begin(flow, channel, request)
    except SQLAlchemyError as error:
        log.exception("gateway.not_recorded")
        raise NotRecorded from error
    if isinstance(begun, Answer):
        return begun
    trouble = refusal(channel.kind, request.document)
    try:
        answer = refused(channel.kind, trouble) if trouble else _forward(flow, request)
    except CallFailed as error:
        failed = error
        _write_down(begun, lambda: _not_answered(flow, begun, request, failed))
        raise
    _write_down(begun, lambda: _settle(flow, channel, begun, request, answer))
    return answer


def refused(family: str, trouble: Refusal) -> Answer:
    """The answer Octopods itself would give."""
    body = {
        "request_id": str(uuid4()),
        "error_code": error_number(family, trouble.name),
        "error": trouble.words,
    }
    return Answer(400, {"Content-Type": "application/json"}, orjson.dumps(body))


def _begin(flow: Flow, channel: Channel, request: Send) -> Message | Answer:
    """The message, committed before it is sent; or the answer that its idempotency key already got."""
    now = flow.clock()
    try:
        with writing(flow.engine) as conn:
            return _begin_once(conn, flow, channel, request, now)
    except idempotency.Taken:
        # Another request with this key was faster by a moment: look again, and find it under way.
        with writing(flow.engine) as conn:
            return _begin_once(conn, flow, channel, request, now)


def _begin_once(
    conn: Connection, flow: Flow, channel: Channel, request: Send, now: datetime
) -> Message | Answer:
    parent: Message | None = None
    record = None
    mark = repeats.request_hash(channel, request.path, request.body)
    if request.key:
        record = idempotency.find(conn, channel.install_id, request.key, now)
    if record:
        earlier = repeats.of(conn, record, mark, now)
        if isinstance(earlier, Answer):
            return earlier
        parent = earlier
    asked = message_from_request(
        conn, flow, channel, request.document, request.template_id, request.contact, "gateway", now
    )
    try:
        message = begin(conn, asked, now, parent or repeats.refused_before(conn, asked, now))
    except messages.AlreadySent:
        raise repeats.SentFromHere from None
    channels.note_use(conn, channel.key_hash, now)
    if record:
        idempotency.reopen(conn, record, message.id)
    elif request.key:
        idempotency.open_record(conn, channel.install_id, request.key, mark, message.id, now)
    return message


def _forward(flow: Flow, request: Send) -> Answer:
    return flow.octopods.forward("POST", request.path, request.headers, request.body)


def _write_down(message: Message, note: Callable[[], None]) -> None:
    """Once Octopods has answered, the customer gets that answer, whatever becomes of our own record.

    A message whose outcome could not be written stays `sending` and is found as abandoned: unsure, never
    sent again.
    """
    try:
        retry_write(note)
    except Exception:
        log.exception("gateway.not_written", message=message.id)


def _settle(flow: Flow, channel: Channel, message: Message, request: Send, answer: Answer) -> None:
    """Write down what Octopods' answer says."""
    now = flow.clock()
    try:
        sent = read_sent(channel.kind, answer, now)
    except CallFailed as error:
        with writing(flow.engine) as conn:
            _failed(conn, flow, message, error, now)
            if isinstance(error, RateLimited):
                channels.block(conn, channel.key_hash, error.retry_at)
                _free(conn, message, request)
            elif not error.may_have_happened:
                _keep(conn, message, request, answer)
        return
    with writing(flow.engine) as conn:
        fresh = outcome.accepted(conn, flow, messages.locked(conn, message.install_id, message.id), sent, now)
        _keep(conn, message, request, answer)
    outcome.wake_poll(flow, fresh)


def _failed(conn: Connection, flow: Flow, message: Message, error: CallFailed, now: datetime) -> None:
    held = messages.locked(conn, message.install_id, message.id)
    if error.may_have_happened:
        outcome.unsure(conn, held, error.message, error.body, now)
    else:
        outcome.failed(conn, flow, held, evidence_of(error, message.channel), error.body, now)


def _not_answered(flow: Flow, message: Message, request: Send, error: CallFailed) -> None:
    now = flow.clock()
    with writing(flow.engine) as conn:
        _failed(conn, flow, message, error, now)
        if not error.may_have_happened:
            _free(conn, message, request)


def _keep(conn: Connection, message: Message, request: Send, answer: Answer) -> None:
    if request.key:
        kind = answer.headers.get("Content-Type", "application/json")[:200]
        idempotency.answer(conn, message.install_id, request.key, answer.status, kind, answer.body)


def _free(conn: Connection, message: Message, request: Send) -> None:
    if request.key:
        idempotency.free(conn, message.install_id, request.key)
