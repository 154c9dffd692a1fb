"""Asking Octopods how a message stands, within the small budget of its key, until the outcome is final."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, RateLimited
from canvas.clients.octopods_answers import StatusReport
from canvas.domain.message import SETTLED, Message, Status, contradict
from canvas.domain.phones import same_line
from canvas.flows import outcome
from canvas.flows.context import Flow
from canvas.flows.keys import Key, NoKey, hold, key_of
from canvas.store import actions, channels, installs, messages
from canvas.store.actions import Action
from canvas.store.database import writing

log = structlog.get_logger()
RECONCILE_STEPS = (10, 30, 60, 300, 1800)  # seconds between looks into the list; then it stays unsure
CLOCK_SLACK = timedelta(seconds=90)  # how far our clock and Octopods' may differ
HOOK_SLACK = timedelta(minutes=30)  # a provider tells of a failure some time after the send


def poll(flow: Flow, action: Action) -> None:
    """Ask once for the status, and decide when to ask again."""
    turn = _take_turn(flow, action)
    if turn is None:
        return
    message, key = turn
    if message.status in SETTLED or message.octopods_id is None:
        with writing(flow.engine) as conn:
            actions.forget(conn, action)
        return
    try:
        report = flow.octopods.message_status(key.secret, message.channel, message.octopods_id)
    except CallFailed as error:
        _not_answered(flow, action, key, error)
        return
    now = flow.clock()
    with writing(flow.engine) as conn:
        fresh = outcome.reported(conn, flow, _locked(conn, action), report, now)
        due = outcome.poll_later(conn, flow, action, fresh, now)
    if due:
        flow.wake(action.id, due)


def let_go(flow: Flow, action: Action) -> None:
    """Take a sent fix off the card after a day, when nobody can be asked about it: there is nothing left to do."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        message = _locked(conn, action)
        if message.status is Status.SENT and outcome.unreported(message):
            messages.close(conn, message.install_id, message.id, now)
        actions.forget(conn, action)


def _locked(conn: Connection, action: Action) -> Message:
    return messages.locked(conn, action.install_id, action.message_id or "")


def _take_turn(flow: Flow, action: Action) -> tuple[Message, Key] | None:
    """The message and its key when this key may be used now; else the action waits for its turn."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        if not installs.is_active(conn, action.install_id):
            actions.forget(conn, action)
            return None
        message = _locked(conn, action)
        try:
            key = key_of(conn, flow.sealer, message)
        except NoKey:
            # The channel was disconnected: nobody can ask any more, and saying so is honest.
            outcome.give_up_waiting(conn, message, now)
            actions.forget(conn, action)
            return None
        wait = key.channel.waits(now)
        wait = wait or channels.take_poll_turn(conn, key.fingerprint, now, flow.poll_spacing)
        if wait is None:
            return message, key
        actions.again(conn, action, wait, counted=False)
    flow.wake(action.id, wait)
    return None


def _not_answered(flow: Flow, action: Action, key: Key, error: CallFailed) -> None:
    now = flow.clock()
    log.info("poll.failed", action=action.id, error=type(error).__name__, status=error.status)
    with writing(flow.engine) as conn:
        if isinstance(error, RateLimited):
            hold(conn, action, key.channel, error.retry_at)
            due: datetime | None = error.retry_at
        else:
            due = outcome.poll_later(conn, flow, action, _locked(conn, action), now)
    if due:
        flow.wake(action.id, due)


def reconcile(flow: Flow, action: Action) -> None:
    """Look for an unsure WhatsApp send in Octopods' list of what was sent with this key."""
    turn = _take_turn(flow, action)
    if turn is None:
        return
    message, key = turn
    listed: list[StatusReport] = []
    if message.status is Status.UNSURE and message.octopods_id is None:
        try:
            listed = flow.octopods.recent_whatsapp(key.secret)
        except CallFailed as error:
            if isinstance(error, RateLimited):
                _not_answered(flow, action, key, error)
                return
            log.info("reconcile.failed", action=action.id, error=type(error).__name__)
    due = _match(flow, action, listed)
    if due:
        flow.wake(action.id, due)


def _match(flow: Flow, action: Action, listed: list[StatusReport]) -> datetime | None:
    """Tie the unsure send to its entry in the list; when it is not there yet, the time of the next look."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        message = _locked(conn, action)
        if message.status is not Status.UNSURE or message.octopods_id is not None:
            actions.finish(conn, action, actions.DONE, now)
            return None
        hits = _hits(conn, message, listed)
        if len(hits) == 1:
            mark_found(conn, flow, message, hits[0], now)
            actions.finish(conn, action, actions.DONE, now, {"found": hits[0].message_id})
            return None
        if action.tries > len(RECONCILE_STEPS):
            actions.finish(conn, action, actions.UNSURE, now, {"found": None})
            return None
        due = now + timedelta(seconds=RECONCILE_STEPS[action.tries - 1])
        actions.again(conn, action, due)
        return due


def _hits(conn: Connection, message: Message, listed: list[StatusReport]) -> list[StatusReport]:
    """Entries that can only be this send: its number, its time, its words, and no other message's."""
    lost = messages.adrift(conn, message.install_id, message.to)
    taken = messages.known_octopods_ids(
        conn, message.install_id, [r.message_id for r in listed if r.message_id]
    )
    hits = []
    for report in listed:
        at = report.begun_at
        if at and report.message_id and report.message_id not in taken:
            possible = [one.id for one in lost if may_be(one, report, at)]
            hits += [report] if possible == [message.id] else []
    return hits


def may_be(message: Message, report: StatusReport, at: datetime) -> bool:
    """Whether an entry of the list, sent at that time, may be this message, of which Octopods' id is not known."""
    if contradict(message.status, Status(report.status)):
        return False
    if message.source == "hook":
        return abs(message.created_at - at) <= HOOK_SLACK
    lost = message.status in (Status.UNSURE, Status.SENDING) or message.provider_id is not None
    return lost and fits(message, report)


def fits(message: Message, report: StatusReport) -> bool:
    """Whether an entry of the list can be this send: its number, its time, and its words where it shows them."""
    at = report.begun_at
    in_time = at is not None and abs(at - left_at(message)) <= CLOCK_SLACK
    theirs = message.to is not None and report.phone in same_line(message.to)
    return theirs and in_time and _same_words(message.preview, report.text)


def left_at(message: Message) -> datetime:
    """When a message left: the gateway forwards in the moment it is made; a fix may have waited long before."""
    return message.created_at if message.source == "gateway" else message.sent_at or message.updated_at


def _same_words(ours: str | None, listed: str | None) -> bool:
    """Letters and digits alone are compared: the list takes out markup, and nobody says what becomes of spaces."""
    if not ours or not listed:
        return True
    mine, theirs = ("".join(filter(str.isalnum, text)).casefold() for text in (ours, listed))
    if not mine or not theirs:  # a text of emoji alone, which nothing would be left of
        mine, theirs = ours.strip(), listed.strip()
    return mine in theirs or theirs in mine


def mark_found(conn: Connection, flow: Flow, message: Message, report: StatusReport, now: datetime) -> None:
    """The list shows that Octopods took this unsure send after all, and how it stands."""
    fresh = replace(
        message,
        status=Status.SENT,
        octopods_id=report.message_id,
        provider_id=None,  # one tied by the number alone may be another's; the report and Octopods tell it
        sent_at=report.begun_at,
        failure=None,
        failure_raw=None,
    )
    stored = outcome.store(conn, fresh, now)
    outcome.save_number(conn, stored, now)
    stored = outcome.reported(conn, flow, stored, report, now)
    outcome.begin_polling(conn, flow, stored, now)
