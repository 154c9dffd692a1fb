"""The one deed that must never happen twice: sending a queued message."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, RateLimited
from canvas.clients.octopods import Outgoing
from canvas.clients.octopods_answers import Sent
from canvas.domain import schedule, templates
from canvas.domain.message import Message, Status
from canvas.flows import outcome
from canvas.flows.breaker import broken
from canvas.flows.context import Flow
from canvas.flows.keys import Key, NoKey, hold, key_of
from canvas.flows.write_retry import retry_write
from canvas.knowledge.evidence import from_error_body
from canvas.knowledge.model import Evidence
from canvas.store import actions, audit, channels, installs, messages, opt_outs
from canvas.store.actions import Action
from canvas.store.database import writing

log = structlog.get_logger()
LEFT = "The workspace disconnected Redeliver before this was sent."


def send(flow: Flow, action: Action) -> None:
    """Send a queued message. Once `sending` is committed, nobody ever sends this message again."""
    leaving = _begin(flow, action)
    if leaving is None:
        return
    message, key = leaving
    try:
        sent = flow.octopods.send(key.secret, outgoing(message))
    except RateLimited as error:
        until = error.retry_at
        retry_write(lambda: _wait_for_key(flow, action, key, until))
    except CallFailed as error:
        failure = error
        retry_write(lambda: _failed(flow, action, failure))
    else:
        retry_write(lambda: _accepted(flow, action, sent))


def outgoing(message: Message) -> Outgoing:
    """The request that sends this message."""
    content = message.content
    return Outgoing(
        channel=message.channel,
        phone=message.raw_to,
        text=content.text or "",
        template_id=content.template_id or "",
        variables=None if content.variables is None else templates.as_sections(content.variables),
        header_url=content.header_url,
        options=content.options,
    )


def _begin(flow: Flow, action: Action) -> tuple[Message, Key] | None:
    """Commit that the message is leaving now; None when it must not leave, or not yet."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        message = messages.locked(conn, action.install_id, action.message_id or "")
        if message.status is Status.SENDING:
            # A worker died between the send and its outcome: it may have happened, so it is not done again.
            outcome.cut_off(conn, message)
            actions.finish(conn, action, actions.UNSURE, now)
            _note(conn, action, "unsure", now)
            return None
        if message.status is not Status.QUEUED:
            actions.finish(conn, action, actions.DONE, now)
            return None
        key = _allowed(conn, flow, action, message, now)
        if key is None:
            return None
        messages.move(conn, message.id, [Status.QUEUED], Status.SENDING, now)
        channels.note_use(conn, key.fingerprint, now)
        return message, key


def _allowed(conn: Connection, flow: Flow, action: Action, message: Message, now: datetime) -> Key | None:
    """The key to send with, or None after writing down why not, or when."""
    try:
        key = key_of(conn, flow.sealer, message)
    except NoKey as refusal:
        _refuse(conn, flow, action, message, str(refusal), now)
        return None
    if not installs.is_active(conn, message.install_id):
        _refuse(conn, flow, action, message, LEFT, now)
        return None
    if opt_outs.exists(conn, message.install_id, message.to, flow.sealer):
        _refuse(conn, flow, action, message, "The recipient has opted out.", now)
        return None
    blocked = key.channel.waits(now)
    if blocked:
        actions.again(conn, action, blocked, counted=False)
        flow.wake(action.id, blocked)
        return None
    return key


def _refuse(conn: Connection, flow: Flow, action: Action, message: Message, why: str, now: datetime) -> None:
    outcome.failed(conn, flow, message, Evidence(text=why, channel=message.channel), "", now)
    actions.finish(conn, action, actions.FAILED, now, {"error": why})
    _note(conn, action, f"not sent: {why}", now)


def _note(conn: Connection, action: Action, result: str, now: datetime) -> None:
    audit.write(conn, action.install_id, now, audit.WORKER, "send", action.message_id, result=result)


def _accepted(flow: Flow, action: Action, sent: Sent) -> None:
    now = flow.clock()
    with writing(flow.engine) as conn:
        message = messages.locked(conn, action.install_id, action.message_id or "")
        if (message.octopods_id, message.request_id) == (sent.message_id, sent.request_id):
            return  # written before, in a commit whose answer was lost
        fresh = outcome.accepted(conn, flow, message, sent, now)
        actions.finish(conn, action, actions.DONE, now, {"octopods_id": fresh.octopods_id})
        _note(conn, action, f"sent as {fresh.octopods_id or fresh.request_id}", now)
    outcome.wake_next(flow, fresh)


def _wait_for_key(flow: Flow, action: Action, key: Key, until: datetime) -> None:
    with writing(flow.engine) as conn:
        message = messages.locked(conn, action.install_id, action.message_id or "")
        if hold(conn, action, key.channel, until):
            _put_back(conn, message, flow.clock())
    flow.wake(action.id, until)


def _put_back(conn: Connection, message: Message, now: datetime) -> None:
    """Queue it again, if its deed was just handed back: else another worker may have begun to send it since."""
    messages.move(conn, message.id, [Status.SENDING], Status.QUEUED, now)


def _failed(flow: Flow, action: Action, error: CallFailed) -> None:
    now = flow.clock()
    log.warning("send.failed", action=action.id, error=type(error).__name__, status=error.status)
    with writing(flow.engine) as conn:
        message = messages.locked(conn, action.install_id, action.message_id or "")
        if error.may_have_happened:
            outcome.unsure(conn, message, error.message, error.body, now)
            actions.finish(conn, action, actions.UNSURE, now, {"error": error.message})
            _note(conn, action, f"unsure: {error.message}", now)
        elif error.may_retry and action.tries < schedule.SEND_TRIES and not _hopeless(conn, flow, message):
            due = error.retry_at or schedule.backoff(action.tries, now)
            if actions.again(conn, action, due):
                _put_back(conn, message, now)
            flow.wake(action.id, due)
        else:
            outcome.failed(conn, flow, message, evidence_of(error, message.channel), error.body, now)
            actions.finish(conn, action, actions.FAILED, now, {"error": error.message})
            _note(conn, action, f"failed: {error.message}", now)


def _hopeless(conn: Connection, flow: Flow, message: Message) -> bool:
    """Whether the channel itself keeps failing, so that trying again by itself is pointless."""
    channel_id = message.channel_id
    return channel_id is not None and broken(conn, flow, message.install_id, channel_id) is not None


def evidence_of(error: CallFailed, channel: str) -> Evidence:
    """What a refused or unreachable send tells about the message."""
    if error.body:
        return from_error_body(error.body, channel, error.status)
    return Evidence(text=error.message, channel=channel, http_status=error.status)
