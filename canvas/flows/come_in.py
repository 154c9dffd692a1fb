"""Messages come in: once each, by Octopods' id; repeats are harmless, and a late status never moves one back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from canvas.clients.octopods import HEADER_FIELD, OPTIONS
from canvas.clients.octopods_answers import StatusReport
from canvas.domain import phones, templates
from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Content, Message, Status
from canvas.domain.preflight import SAME_WITHIN, same_content
from canvas.flows import outcome
from canvas.flows.chores import template_from
from canvas.flows.context import Flow
from canvas.knowledge.evidence import from_failure_reason
from canvas.knowledge.model import Evidence
from canvas.store import installs, messages
from canvas.store import templates as template_store
from canvas.store.channels import Channel
from canvas.store.database import reading, writing

log = structlog.get_logger()
LONGEST_NUMBER = 64
MOST_ATTEMPTS = (
    20  # in one life line; what is repeated more often begins another, so that none grows for ever
)
LEFT_ALONE = timedelta(minutes=2)  # a forwarded send without an outcome for so long was abandoned


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a message belongs to, when the sender told us; with the numbers known of them, where it may be another's."""

    id: str | None = None
    conversation_id: str | None = None
    numbers: tuple[str, ...] = ()


def message_from_request(
    conn: Connection,
    flow: Flow,
    channel: Channel,
    request: Mapping[str, Any],
    template_id: str | None,
    contact: Contact,
    source: str,
    now: datetime,
    status: Status = Status.SENDING,
) -> Message:
    """The message that the body of an Octopods send request asks for; it is not stored yet."""
    raw_to = _storable(str(request.get("destination_phone") or ""))[:LONGEST_NUMBER]
    content = content_of(channel.kind, request, template_id)
    install = installs.get(conn, channel.install_id)
    assert install is not None  # the foreign key says so
    message_id = new_id("msg", now)
    return Message(
        id=message_id,
        install_id=channel.install_id,
        channel=channel.kind,
        channel_id=channel.id,
        status=status,
        created_at=now,
        updated_at=now,
        raw_to=raw_to,
        to=phones.addressee(raw_to, flow.country(install)),
        content=content,
        preview=preview(conn, channel, content),
        contact_id=contact.id,
        conversation_id=contact.conversation_id,
        source=source,
        sender=Actor("key", channel.key_last4, channel.name),
        thread_id=message_id,
    )


def begin(conn: Connection, message: Message, now: datetime, parent: Message | None = None) -> Message:
    """Record a message before anything is said about it.

    `parent` is the failed attempt that the customer repeats. Raises AlreadySent when it was repeated before.
    """
    if parent:
        message = replace(message, parent_id=parent.id)
        if parent.attempt < MOST_ATTEMPTS:
            message = replace(message, thread_id=parent.thread_id, attempt=parent.attempt + 1)
        # Held before its child is stored, as a click does: the other way round each would wait for the other.
        messages.close(conn, parent.install_id, parent.id, now)
    messages.add(conn, message)
    return message


def _storable(text: str) -> str:
    """The text without the one character that PostgreSQL does not keep."""
    return text.replace("\x00", "")


def content_of(kind: str, request: Mapping[str, Any], template_id: str | None) -> Content:
    """What a send request says, in our words."""
    options = {name: request[name] for name in OPTIONS if request.get(name) is not None}
    if kind == "sms":
        body = request.get("body")
        return Content(text=None if body is None else str(body), options=options)
    header = request.get(HEADER_FIELD[kind])
    return Content(
        template_id=template_id,
        variables=request.get("message_variables"),
        header_url=str(header) if header else None,
        options=options,
    )


def preview(conn: Connection, channel: Channel, content: Content) -> str | None:
    """The text a person would read, when it is known."""
    if channel.kind == "sms":
        return None if content.text is None else _storable(content.text)
    known = template_store.get(conn, channel.install_id, channel.id, _storable(content.template_id or ""))
    if known is None:
        return None
    template = template_from(known[0])
    return _storable(templates.render(template, templates.as_sections(content.variables, template)))


def track(
    flow: Flow,
    channel: Channel,
    request: Mapping[str, Any],
    octopods_id: str | None,
    template_id: str | None,
    contact: Contact,
    report: StatusReport | None,
) -> Message:
    """Register a message that was sent elsewhere, once; told again, what was missing is filled in."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        told = message_from_request(
            conn, flow, channel, request, template_id, contact, "track", now, Status.UNKNOWN
        )
        # Or the same told twice at once were two.
        messages.hold_number(conn, channel.install_id, octopods_id or told.raw_to)
        told = replace(told, octopods_id=octopods_id, sent_at=now)
        if octopods_id:
            known = messages.by_octopods_id(conn, channel.install_id, channel.kind, octopods_id)
        else:
            known = _told_before(conn, told, report, now)
        if known is None:
            message = begin(conn, told, now)
        else:
            message = _filled_in(conn, messages.locked(conn, known.install_id, known.id), contact, now)
        if report is not None:
            message = outcome.reported(conn, flow, message, report, now)
        outcome.begin_polling(conn, flow, message, now, contact.numbers)
    outcome.wake_poll(flow, message)
    return message


def _told_before(
    conn: Connection, told: Message, report: StatusReport | None, now: datetime
) -> Message | None:
    """The message that the same was told of a moment ago: without an id, a repeat is known by all that it says.

    Told something else, such as that it was sent after it had failed, it may be another send: that one is kept.
    """
    past = messages.told_alike(conn, told, now - SAME_WITHIN)
    return next((one for one in past if _says_the_same(one, told, report)), None)


def _says_the_same(one: Message, told: Message, report: StatusReport | None) -> bool:
    if one.contact_id != told.contact_id or not same_content(one.content, told.content):
        return False
    if report is None:
        return one.status is Status.UNKNOWN
    if one.status is not Status(report.status) or report.provider_id not in (None, one.provider_id):
        return False
    reason = from_failure_reason(report.failure_reason, told.channel) or Evidence(channel=told.channel)
    return one.status is not Status.FAILED or one.failure == reason


def _filled_in(conn: Connection, message: Message, contact: Contact, now: datetime) -> Message:
    fresh = replace(
        message,
        contact_id=message.contact_id or contact.id,
        conversation_id=message.conversation_id or contact.conversation_id,
    )
    return message if fresh == message else outcome.store(conn, fresh, now)


def abandoned(flow: Flow) -> int:
    """Sends through the gateway whose process died before their outcome was written: nobody knows. How many."""
    now = flow.clock()
    with reading(flow.engine) as conn:
        stuck = messages.sending_since(conn, now - LEFT_ALONE)
    for install_id, message_id in stuck:
        try:
            _given_up(flow, install_id, message_id)
        except Exception:
            # One row that cannot be read must not keep the others waiting for ever.
            log.exception("abandoned.broke", message=message_id)
    return len(stuck)


def _given_up(flow: Flow, install_id: int, message_id: str) -> None:
    with writing(flow.engine) as conn:
        held = messages.locked(conn, install_id, message_id)
        if held.status is Status.SENDING and held.source != "fix":
            outcome.cut_off(conn, held)
