"""The contact's timeline in HubSpot: one entry for one failure, written once and then kept true.

The entry is made by one action per message and its retries, and changed by others; HubSpot has no idempotency
key for activities, so after an unknown outcome the entry is looked for before it is written again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.clients.errors import CallFailed
from canvas.domain.action_kinds import TIMELINE, TIMELINE_UPDATE, action_key
from canvas.domain.message import Message, Status
from canvas.domain.schedule import OTHER_TRIES
from canvas.domain.story import Story
from canvas.domain.timeline import entry_html, properties_of, reference
from canvas.flows import chores, contact_properties
from canvas.flows.context import Flow
from canvas.flows.hubspot_access import calling
from canvas.flows.look import Person, detail
from canvas.flows.write_retry import retry_write
from canvas.store import actions, installs, messages
from canvas.store.actions import Action
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
INDEXED_AFTER = timedelta(seconds=90)  # HubSpot's search lags behind what was written
ENTRY_PENDING = timedelta(seconds=10)
COMMITTED_BY = timedelta(seconds=2)  # by then the caller's transaction is over; if not, the sweep finds it
OFF, ACTIVITY, APP_EVENT = "off", "activity", "app_event"
EVENT_SYMBOL, PROJECT = "message_failed", "redeliver"
SETTING = "timeline"  # in an install's settings


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be told: the failed message, its newest attempt, and on whose timeline."""

    install: Install
    contact_id: str
    root: Story
    latest: Story

    @property
    def message(self) -> Message:
        return self.root.message


def news(conn: Connection, flow: Flow, message: Message, now: datetime) -> None:
    """On a HubSpot install, have the contact say how this message stands: its properties, and once one failed, the
    timeline, by an entry or a change of it."""
    install = installs.get(conn, message.install_id)
    if install is None or install.platform != "hubspot":
        return
    contact_properties.news(conn, flow, install, message)
    if writer(install) == OFF or not _is_of_a_failure(message):
        return
    key, kind = _key(message.thread_id), TIMELINE
    first = actions.by_key(conn, install.id, key)
    if first and not (message.contact_id and _told_nobody(first)):
        key, kind = f"{key}:{message.id}:{message.version}", TIMELINE_UPDATE
    actions.restart(conn, install.id, kind, key, now, message_id=message.thread_id)
    made = actions.by_key(conn, install.id, key)
    if made:
        flow.wake(made.id, now + COMMITTED_BY)


def _is_of_a_failure(message: Message) -> bool:
    """Whether it failed, or came after one that did."""
    return message.status is Status.FAILED or message.id != message.thread_id


def writer(install: Install) -> str:
    """How this account wants its timeline: `activity`, `app_event` (approved partners only) or `off`."""
    return str(install.settings.get(SETTING) or ACTIVITY)


def _told_nobody(first: Action) -> bool:
    """Whether there was no contact yet on whose timeline it could be told."""
    return first.state == actions.DONE and not (first.result or {}).get("entry")


def _key(thread_id: str) -> str:
    return action_key(TIMELINE, thread_id)


def write(flow: Flow, action: Action) -> None:
    """Make the entry, once."""
    try:
        entry = _entry(flow, action)
        if entry is None:
            chores.finish(flow, action, actions.DONE, "No contact in HubSpot has this number.")
            return
        entry_id = _written(flow, entry, first_try=action.tries == 1)
    except (CallFailed, CannotOpen) as error:
        _failed(flow, action, error)
        return
    told = {"entry": entry_id, "contact": entry.contact_id}
    retry_write(lambda: _finished(flow, action, told))


def _finished(flow: Flow, action: Action, told: dict[str, str]) -> None:
    with writing(flow.engine) as conn:
        actions.finish(conn, action, actions.DONE, flow.clock(), told)


def rewrite(flow: Flow, action: Action) -> None:
    """Have the entry say what is true now. Repeating it is harmless."""
    with reading(flow.engine) as conn:
        made = actions.by_key(conn, action.install_id, _key(action.message_id or ""))
    if made is not None and made.state in (actions.DUE, actions.RUNNING):
        with writing(flow.engine) as conn:
            actions.again(conn, action, flow.clock() + ENTRY_PENDING, counted=False)
        return
    entry_id = (made.result or {}).get("entry") if made else None
    try:
        entry = _entry(flow, action) if entry_id else None
        if entry and writer(entry.install) == ACTIVITY:
            _rewritten(flow, entry, str(entry_id))
    except (CallFailed, CannotOpen) as error:
        _failed(flow, action, error)
        return
    chores.finish(flow, action, actions.DONE)


def _written(flow: Flow, entry: Entry, first_try: bool) -> str:
    """Write as the account wants it; gives the entry's id. Raises CallFailed and CannotOpen."""
    if writer(entry.install) == APP_EVENT:
        return _send_event(flow, entry)
    found = None if first_try else _found(flow, entry)
    if found:
        _rewritten(flow, entry, found)
        return found
    at = entry.message.failed_at or entry.message.created_at
    body = _body(flow, entry)
    return calling(
        flow,
        entry.install,
        lambda token: flow.hubspot.write_activity(token, entry.contact_id, entry.message.channel, body, at),
    )


def _found(flow: Flow, entry: Entry) -> str | None:
    word = reference(entry.message.thread_id)
    channel = entry.message.channel
    return calling(flow, entry.install, lambda token: flow.hubspot.find_activity(token, channel, word))


def _rewritten(flow: Flow, entry: Entry, entry_id: str) -> None:
    body, channel = _body(flow, entry), entry.message.channel
    calling(flow, entry.install, lambda token: flow.hubspot.rewrite_activity(token, channel, entry_id, body))


def _send_event(flow: Flow, entry: Entry) -> str:
    """A branded entry. Its id is ours, so that HubSpot itself refuses a second one."""
    event_id = f"{entry.message.id}-failed"
    at = entry.message.failed_at or entry.message.created_at

    def send(token: str) -> None:
        name = flow.hubspot.event_type(token, EVENT_SYMBOL, PROJECT)
        flow.hubspot.send_event(token, name, event_id, entry.contact_id, at, properties_of(entry.root))

    calling(flow, entry.install, send)
    return event_id


def _body(flow: Flow, entry: Entry) -> str:
    return entry_html(entry.root, entry.latest, flow.message_links.url(entry.latest.message))


def _entry(flow: Flow, action: Action) -> Entry | None:
    """What is to be told now, or None when nobody's timeline can tell it. Raises CallFailed and CannotOpen."""
    install = chores.install_of(flow, action)
    with reading(flow.engine) as conn:
        thread = messages.thread(conn, install.id, action.message_id or "")
        known = actions.by_key(conn, install.id, _key(action.message_id or ""))
        root = detail(conn, flow, install, Person(), thread[0])
        latest = detail(conn, flow, install, Person(), root.newest) if root.newest else root
    told = ((known.result or {}) if known else {}).get("contact")
    contact_id = told or thread[-1].contact_id or _searched(flow, install, thread[0])
    return Entry(install, contact_id, root, latest) if contact_id else None


def _searched(flow: Flow, install: Install, message: Message) -> str | None:
    """The one contact with this number. Several would make it a guess."""
    number = message.to
    if number is None:
        return None
    found = calling(flow, install, lambda token: flow.hubspot.search_contacts_by_phone(token, number))
    return found[0].id if len(found) == 1 else None


def _failed(flow: Flow, action: Action, error: CallFailed | CannotOpen) -> None:
    """As any chore; but an entry that may be there is looked for only when the index can have it."""
    unsure = isinstance(error, CallFailed) and error.may_have_happened
    if unsure and action.kind == TIMELINE and action.tries < OTHER_TRIES:
        log.warning("timeline.unsure", action=action.id)
        with writing(flow.engine) as conn:
            actions.again(conn, action, flow.clock() + INDEXED_AFTER)
        return
    chores.failed(flow, action, error)
