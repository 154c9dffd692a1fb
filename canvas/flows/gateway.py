"""The drop-in gateway: a customer's own send goes to Octopods as it came, and its failure becomes visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from canvas.clients.errors import CallFailed, NotReached
from canvas.clients.http import Answer
from canvas.clients.octopods_answers import read_sent
from canvas.domain.message import Message
from canvas.flows import outcome
from canvas.flows.come_in import Contact, begin
from canvas.flows.context import Flow
from canvas.flows.sending import DEFAULT_BLOCK, evidence_of
from canvas.knowledge.model import Evidence
from canvas.store import channels, messages
from canvas.store.channels import Channel
from canvas.store.database import reading, writing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Send:
    """One send request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    document: Mapping[str, Any]
    template_id: str | None
    contact: Contact


def caller(flow: Flow, api_key: str, kind: str | None = None) -> Channel | None:
    """The channel whose key this is, of that kind where the key serves several; None for a key not held here."""
    with reading(flow.engine) as conn:
        found = channels.by_key(conn, flow.sealer.fingerprint(api_key))
    same = [channel for channel in found if kind is None or channel.kind == kind]
    return same[0] if same else None


def send(flow: Flow, channel: Channel, request: Send) -> Answer:
    """Record the message, forward the request, write down the outcome, and give Octopods' answer back untouched.

    Raises NotReached or Unsure when there is no answer to give back; the message then says which.
    """
    now = flow.clock()
    with writing(flow.engine) as conn:
        message = begin(
            conn, flow, channel, request.document, request.template_id, request.contact, "gateway", now
        )
    try:
        answer = flow.octopods.forward("POST", request.path, request.headers, request.body)
    except CallFailed as error:
        _not_answered(flow, message, error)
        raise
    _settle(flow, channel, message, answer)
    return answer


def _settle(flow: Flow, channel: Channel, message: Message, answer: Answer) -> None:
    """Write down what Octopods' answer says. Whatever goes wrong here, the customer still gets that answer."""
    now = flow.clock()
    try:
        sent = read_sent(channel.kind, answer, now)
    except CallFailed as error:
        with writing(flow.engine) as conn:
            held = messages.locked(conn, message.install_id, message.id)
            if error.retry_at is not None:
                channels.block(conn, channel.key_hash, error.retry_at or now + DEFAULT_BLOCK)
            if error.may_have_happened:
                outcome.unsure(conn, flow, held, error.message, error.body, now)
            else:
                evidence = evidence_of(error, channel.kind)
                outcome.failed(conn, flow, held, evidence, error.body or error.message, now)
        return
    with writing(flow.engine) as conn:
        fresh = outcome.accepted(conn, flow, messages.locked(conn, message.install_id, message.id), sent, now)
    outcome.wake_poll(flow, fresh)


def _not_answered(flow: Flow, message: Message, error: CallFailed) -> None:
    now = flow.clock()
    with writing(flow.engine) as conn:
        held = messages.locked(conn, message.install_id, message.id)
        if isinstance(error, NotReached):
            evidence = Evidence(text=error.message, channel=message.channel)
            outcome.failed(conn, flow, held, evidence, error.message, now)
        else:
            outcome.unsure(conn, flow, held, error.message, error.body, now)
