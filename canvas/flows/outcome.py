"""What is written down when news of a message comes: accepted, failed, unsure, or a reported status.

Every function takes the message as just locked in the caller's write transaction, and returns it as stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from canvas.clients.octopods_answers import Sent, StatusReport
from canvas.domain import phones
from canvas.domain.action_kinds import (
    LET_GO,
    POLL,
    RECONCILE,
    TEMPLATES,
    WRITE_PHONE,
    action_key,
    send_key,
)
from canvas.domain.message import ARRIVED, SETTLED, Message, Status, follows, needs_attention
from canvas.domain.pattern import LOOKED_AT, PASSING, keeps_failing
from canvas.domain.schedule import GIVE_UP_POLLING, next_poll
from canvas.flows import retry_policy, timeline
from canvas.flows.context import Flow
from canvas.flows.diagnosing import diagnose_for, remember_opt_out
from canvas.flows.incidents import look_soon
from canvas.knowledge.evidence import from_failure_reason
from canvas.knowledge.model import OPTED_OUT, Evidence
from canvas.store import actions, channels, installs, messages, opt_outs, templates
from canvas.store.database import reading

log = structlog.get_logger()
SOON = timedelta(seconds=2)
FRESH = timedelta(minutes=1)  # a copy so young is not listed anew for one more failure
RECONCILE_AFTER = timedelta(seconds=10)


def store(conn: Connection, message: Message, now: datetime) -> Message:
    """Save a changed message with its place on the card worked out; the caller holds its lock."""
    fresh = replace(message, open=needs_attention(message) and not _has_child(conn, message))
    if not messages.save(conn, fresh, now):
        raise RuntimeError(f"{message.id} changed while it was locked")
    return replace(fresh, version=fresh.version + 1, updated_at=now)


def _has_child(conn: Connection, message: Message) -> bool:
    return messages.child_of(conn, message.install_id, message.id) is not None


def accepted(conn: Connection, flow: Flow, message: Message, sent: Sent, now: datetime) -> Message:
    """Octopods took the message: its id is the receipt, and the question whether it arrives begins.

    Told twice, the second time changes nothing; and where a provider's own news was faster than this answer, what
    it told stays; only an arrival that was tied by the number alone is taken back where Octopods can now be asked.
    """
    if message.octopods_id is not None and message.octopods_id == sent.message_id:
        return message
    if sent.message_id and message.provider_id != sent.provider_id:
        message = _untied(message)
    fresh = replace(
        message,
        status=message.status if message.status in SETTLED else Status.SENT,
        octopods_id=sent.message_id,
        request_id=sent.request_id,
        provider_id=_provider_id(conn, message, sent.provider_id),
        sent_at=now,
    )
    if message.channel_id is not None:
        channels.worked(conn, message.channel_id, now)
    fresh = store(conn, fresh, now)
    begin_polling(conn, flow, fresh, now)
    if fresh.parent_id:
        timeline.news(conn, flow, fresh, now)
        save_number(conn, fresh, now)
    return fresh


def save_number(conn: Connection, message: Message, now: datetime) -> None:
    """Have the number of a fix that has gone out saved on the contact, where the agent chose so; asked for once."""
    send = actions.by_key(conn, message.install_id, send_key(message.id))
    number = send.payload.get("save") if send else None
    if send and number and message.contact_id:
        key = action_key(WRITE_PHONE, message.id)
        payload = {"contact_id": message.contact_id, "phone": number}
        by = {"message_id": message.id, "actor": send.actor}
        actions.ensure(conn, message.install_id, WRITE_PHONE, key, now, now, payload=payload, **by)


def _untied(message: Message) -> Message:
    """The message without the provider's id that its number alone gave it, and without an arrival told under that."""
    return replace(
        message, provider_id=None, status=Status.SENT if message.status in ARRIVED else message.status
    )


def _provider_id(conn: Connection, message: Message, given: str | None) -> str | None:
    """The provider's id of this message; one that another message has is not given to a second."""
    if not given or given == message.provider_id:
        return message.provider_id
    holder = messages.by_provider_id(conn, message.install_id, message.channel, given)
    if holder is None:
        return given
    log.warning("provider_id.taken", message=message.id, holder=holder.id)
    return message.provider_id


def begin_polling(
    conn: Connection, flow: Flow, message: Message, now: datetime, numbers: Sequence[str] = ()
) -> None:
    """Ask for the status until it is final, where it can be asked for; a fix is let go where it cannot.

    `numbers` are those of its person, for a message of which nobody said to which number it went.
    """
    if message.status in SETTLED:
        return
    if unreported(message):
        if message.parent_id:
            due = now + GIVE_UP_POLLING
            key = action_key(LET_GO, message.id)
            actions.ensure(conn, message.install_id, LET_GO, key, due, now, message_id=message.id)
        return
    due = now + timedelta(seconds=flow.poll_steps[0])
    key, payload = action_key(POLL, message.id), {"numbers": list(numbers)} if numbers else None
    actions.ensure(conn, message.install_id, POLL, key, due, now, message_id=message.id, payload=payload)


def unreported(message: Message) -> bool:
    """Whether nobody can be asked how it ended: Viber has no status endpoint, and without an id there is no asking."""
    return message.octopods_id is None or message.channel == "vbm"


def failed(
    conn: Connection,
    flow: Flow,
    message: Message,
    evidence: Evidence,
    raw: str,
    now: datetime,
    *,
    at: datetime | None = None,
) -> Message:
    """The message failed: keep what came back verbatim, diagnose it, and set off what follows.

    `raw` is "" where nothing came back; the evidence is then in our own words. `at` is when it failed, if not now.
    """
    # Our own words are nothing for an admin to name.
    diagnosis = diagnose_for(conn, flow, message.install_id, evidence, now, counted=bool(raw))
    reason = flow.catalogue.reasons[diagnosis.reason]
    fresh = replace(message, status=Status.FAILED, failed_at=at or now, failure=evidence, failure_raw=raw)
    fresh = replace(fresh, diagnosis=diagnosis)
    if reason.retry in PASSING:
        recent = messages.recent_outcomes(conn, message.install_id, LOOKED_AT)
        fresh = replace(fresh, keeps_failing=keeps_failing(fresh, reason, recent))
    fresh = store(conn, fresh, now)
    look_soon(conn, fresh.install_id, now)
    opt_outs.restore(conn, fresh, flow.sealer)
    if diagnosis.reason == OPTED_OUT and raw:  # our own words repeat what is remembered already
        remember_opt_out(conn, fresh)
    if diagnosis.category == "template" and fresh.channel_id is not None and _old_copy(conn, fresh, now):
        listing = refresh_templates(conn, fresh.install_id, fresh.channel_id, now)
        if listing:
            flow.wake(listing, now + SOON)  # by then this transaction has ended
    retry_policy.plan(conn, fresh, reason, now)
    timeline.news(conn, flow, fresh, now)
    return fresh


def _old_copy(conn: Connection, message: Message, now: datetime) -> bool:
    """Whether this channel's templates were not listed just now; many failures of one template are one reason to."""
    listed = templates.listed_at(conn, message.install_id, message.channel_id or 0)
    return listed is None or now - listed >= FRESH


def refresh_templates(conn: Connection, install_id: int, channel_id: int, now: datetime) -> str | None:
    """Have the worker list this channel's templates again, soon; the action's id."""
    key = action_key(TEMPLATES, channel_id)
    return actions.restart_now(conn, install_id, TEMPLATES, key, now, payload={"channel_id": channel_id})


def unsure(conn: Connection, message: Message, said: str, raw: str, now: datetime) -> Message:
    """Nobody knows whether Octopods took it. It is shown so, looked for where the API allows, never repeated.

    `said` is our sentence about it, `raw` what came back, "" where nothing did.
    A provider's own news may have been faster: then it is known, and stays.
    """
    if message.status in SETTLED:
        return message
    told = raw or said
    evidence = Evidence(text=told, channel=message.channel)
    fresh = replace(message, status=Status.UNSURE, failure=evidence, failure_raw=raw, doubt=told)
    fresh = store(conn, fresh, now)
    if fresh.channel == "whatsapp" and fresh.octopods_id is None and fresh.channel_id is not None:
        due = now + RECONCILE_AFTER
        key = action_key(RECONCILE, fresh.id)
        actions.ensure(conn, fresh.install_id, RECONCILE, key, due, now, message_id=fresh.id)
    return fresh


def cut_off(conn: Connection, message: Message) -> Message:
    """The process that sent it died before it wrote down the outcome: nobody knows."""
    said = "The connection broke after the message left, so it is not known whether Octopods took it."
    # Dated as it left, for that is the time by which Octopods' list is searched for it.
    return unsure(conn, message, said, "", message.updated_at)


def reported(
    conn: Connection,
    flow: Flow,
    message: Message,
    report: StatusReport,
    now: datetime,
    evidence: Evidence | None = None,
    at: datetime | None = None,
) -> Message:
    """A status came from outside. Late, repeated or backward news moves nothing; the provider's id is kept from any.

    `evidence` is what a provider itself told; without it, it is read out of Octopods' failure reason. A failure is
    dated by the report, else by `at`, else now.
    """
    first = _told_first(conn, message, report)
    known = _addressed(conn, flow, message, report.phone or (first.to if first else None))
    if first and first.to in phones.same_line(known.to or ""):
        one = _made_one(conn, flow, known, first, now)
        if one is None:
            return message if known == message else store(conn, known, now)  # Octopods will tell it again
        known = message = one
    status = Status(report.status)
    known = replace(known, provider_id=_provider_id(conn, known, report.provider_id))
    if not follows(message.status, status):
        return message if known == message else store(conn, known, now)
    if status is Status.FAILED:
        evidence = evidence or from_failure_reason(report.failure_reason, message.channel)
        evidence = evidence or Evidence(channel=message.channel)
        at = min(report.last_updated or at or now, now)
        return failed(conn, flow, known, evidence, _verbatim(report.failure_reason), now, at=at)
    fresh = store(conn, replace(known, status=status), now)
    sent = _sent_at(message, report)
    if status in ARRIVED and sent:
        opt_outs.remove_older(conn, fresh, sent, flow.sealer)
        if fresh.channel_id is not None:
            channels.delivered(conn, fresh.channel_id, sent)
    if status in ARRIVED:
        timeline.news(conn, flow, fresh, now)
        save_number(conn, fresh, now)  # of one that nobody was sure of until now
    return fresh


def _told_first(conn: Connection, message: Message, report: StatusReport) -> Message | None:
    """The same message, sent from elsewhere, as a provider told of its failure before anybody else told of it."""
    waits = message.status in (Status.UNKNOWN, Status.SENT)  # so that nobody was shown it as one to be fixed
    if message.source not in ("track", "list") or not waits or not report.provider_id:
        return None
    found = messages.by_provider_id(conn, message.install_id, message.channel, report.provider_id)
    return found if found and found.source == "hook" and found.octopods_id is None else None


def _made_one(
    conn: Connection, flow: Flow, message: Message, first: Message, now: datetime
) -> Message | None:
    """The failure that is known already, with all that the other knew of it; two would be sent again twice.

    None when somebody writes of it just now: who holds one message does not wait for another.
    """
    held = messages.locked_if_free(conn, first.install_id, first.id)
    if held is None or held.octopods_id is not None:
        return None
    messages.remove(conn, message)
    one = replace(
        held,
        octopods_id=message.octopods_id,
        channel_id=message.channel_id,
        contact_id=held.contact_id or message.contact_id,
        conversation_id=held.conversation_id or message.conversation_id,
    )
    if held.open:  # else no fix needs it any more
        one = replace(one, content=message.content, preview=message.preview)
    one = store(conn, one, now)
    timeline.news(conn, flow, one, now)
    return one


def _addressed(conn: Connection, flow: Flow, message: Message, phone: str | None) -> Message:
    """The message with the number it went to, where only what came in tells that; tied to nobody who has others."""
    if message.raw_to or not phone:
        return message
    install = installs.get(conn, message.install_id)
    assert install is not None  # the foreign key says so
    number = phones.normalise(phone, flow.country(install))
    if number is None:
        return message
    key = action_key(POLL, message.id)
    poll = actions.by_key(conn, message.install_id, key)
    theirs = poll.payload.get("numbers") if poll else None
    if theirs:
        actions.empty(conn, message.install_id, key)  # or they stood beside a message that may be another's
    known = replace(message, raw_to=number, to=number)
    if theirs and not set(theirs) & set(phones.same_line(number)):
        return replace(known, contact_id=None, conversation_id=None)
    return known


def _sent_at(message: Message, report: StatusReport) -> datetime | None:
    """The earliest it may have left; None for one sent elsewhere whose report does not say."""
    told = report.begun_at
    if told is None:
        return None if message.source == "track" else message.created_at
    return min(told, message.created_at)


def set_octopods_id(conn: Connection, message: Message, octopods_id: str, now: datetime) -> Message:
    """A message that came without Octopods' id turned out to have one."""
    return store(conn, replace(message, octopods_id=octopods_id), now)


def _verbatim(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""


def poll_later(
    conn: Connection, flow: Flow, action: actions.Action, message: Message, now: datetime
) -> datetime | None:
    """When to ask again; None when the outcome is final, or when waiting went on too long and it is unsure."""
    if message.status in SETTLED:
        actions.forget(conn, action)
        return None
    due = next_poll(action.tries, message.sent_at or message.created_at, now, flow.poll_steps)
    if due is None:
        give_up_waiting(conn, message, now)
        actions.forget(conn, action)
    else:
        actions.again(conn, action, due)
    return due


def give_up_waiting(conn: Connection, message: Message, now: datetime) -> None:
    """The provider never said how it ended: say that nobody knows."""
    if message.status in (Status.SENT, Status.UNKNOWN):
        store(conn, replace(message, status=Status.UNSURE), now)


def wake_poll(flow: Flow, message: Message) -> None:
    """Tell the worker when the first question about a message just accepted is due."""
    _wake(flow, message, POLL)


def wake_next(flow: Flow, message: Message) -> None:
    """Tell the worker when what follows a fix that just left is due: the question, and the saving of its number."""
    _wake(flow, message, POLL, WRITE_PHONE)


def _wake(flow: Flow, message: Message, *kinds: str) -> None:
    with reading(flow.engine) as conn:
        found = [actions.by_key(conn, message.install_id, action_key(kind, message.id)) for kind in kinds]
    for action in filter(None, found):
        flow.wake(action.id, action.due_at)
