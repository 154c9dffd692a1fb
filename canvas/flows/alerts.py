"""Telling people what needs them: grouped, outside their quiet hours, never what was sent nor to whom."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from secrets import token_urlsafe
from typing import Any, Protocol

from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, Unauthorised
from canvas.clients.hubspot import NOTE
from canvas.domain.action_kinds import ALERT, action_key
from canvas.domain.message import Actor
from canvas.domain.quiet import quiet_until
from canvas.domain.schedule import LEASE, OTHER_TRIES, backoff
from canvas.flows import chores, hubspot_access, intercom_access
from canvas.flows.context import Flow
from canvas.flows.timeline import INDEXED_AFTER
from canvas.store import actions, alerts, audit, installs
from canvas.store.actions import Action
from canvas.store.alerts import TEST, Event
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

GATHER = timedelta(seconds=60)  # what happens together is told together
KINDS = {
    "incident_opened": "One problem begins to hit many people",
    "incident_solved": "Such a problem is over",
    "key_deprecated": "An API key was replaced but is still used",
    "channel_unknown": "A channel is not known to Octopods",
    "breaker_open": "A channel keeps failing, so nothing is tried again by itself",
}
LEFT_OVER = (
    2 * GATHER
)  # untold for longer, an event may stem from a note that was given up after an unclear answer
ENOUGH = LEASE / 2  # then no further one is told alone: the last call needs its time within the lease too
CLOSED = (401, 403, 404, 410)  # so a place answers that takes nothing, whatever it says
Trouble = CallFailed | CannotOpen


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an install asked to be told, where and when not. Hours are whole, in the workspace's time zone.

    Notes go into an Intercom `conversation`, or on a HubSpot `contact`: HubSpot has notes on records only.
    """

    webhook: str = ""
    secret_sealed: str = ""
    email: str = ""
    conversation: str = ""
    contact: str = ""
    admin: str = ""
    quiet_from: int | None = None
    quiet_to: int | None = None
    kinds: tuple[str, ...] = tuple(KINDS)

    @property
    def targets(self) -> tuple[str, ...]:
        given = {"webhook": self.webhook, "email": self.email, "note": self.conversation or self.contact}
        return tuple(name for name, value in given.items() if value)


def wishes(install: Install) -> Wishes:
    """What the install's settings say."""
    given: dict[str, Any] = install.settings.get("alerts") or {}
    known = {name: given[name] for name in Wishes.__dataclass_fields__ if name in given}
    return Wishes(**{**known, "kinds": tuple(known.get("kinds", KINDS))})


def secret(flow: Flow, wanted: Wishes) -> str:
    """What signs the calls to the webhook; nothing where there is none, or it cannot be opened any more."""
    try:
        return flow.sealer.open(wanted.secret_sealed) if wanted.secret_sealed else ""
    except CannotOpen:
        return ""


def save(flow: Flow, install: Install, wanted: Wishes, by: Actor) -> None:
    """Keep the wishes, with a secret for the webhook where none can be opened."""
    kept = {name: getattr(wanted, name) for name in Wishes.__dataclass_fields__}
    kept["kinds"] = list(wanted.kinds)
    if wanted.webhook and not secret(flow, wanted):
        kept["secret_sealed"] = flow.sealer.seal(token_urlsafe(32))
    now = flow.clock()
    with writing(flow.engine) as conn:
        installs.put(conn, install.platform, install.external_id, now, settings={"alerts": kept})
        told = {"targets": list(wanted.targets), "kinds": list(wanted.kinds)}
        audit.write(conn, install.id, now, by, "alerts.save", after=told)


def test(flow: Flow, install: Install, by: Actor) -> None:
    """Tell a test at every place."""
    now = flow.clock()
    key, text = f"test:{now.timestamp()}", f"{by.name} asked for this test. All is well."
    with writing(flow.engine) as conn:
        say(conn, install.id, TEST, key, "A test of the alerts", text, now)
    wake(flow, install.id)


def say(
    conn: Connection,
    install_id: int,
    kind: str,
    key: str,
    title: str,
    text: str,
    now: datetime,
) -> None:
    """Have this told, once for each `key`, wherever the install wants to hear of that kind."""
    install = installs.get(conn, install_id)
    wanted = wishes(install) if install else Wishes()
    if kind != TEST and kind not in wanted.kinds:
        return
    for target in wanted.targets:
        if alerts.add(conn, install_id, target, key, kind, title, text, now):
            due = now if kind == TEST else now + GATHER
            actions.restart(
                conn, install_id, ALERT, _key(install_id, target), due, payload={"target": target}
            )
            if kind == TEST:
                _at_once(conn, install_id, target, now)


def _at_once(conn: Connection, install_id: int, target: str, now: datetime) -> None:
    """Do not wait for more to happen, or for the quiet hours to end. After trouble the wait has its reason."""
    key = _key(install_id, target)
    waiting = actions.by_key(conn, install_id, key)
    if waiting and not waiting.tries:
        actions.hasten(conn, install_id, key, now)


def _key(install_id: int, target: str) -> str:
    return action_key(ALERT, install_id, target)


def wake(flow: Flow, install_id: int) -> None:
    """Wake the worker for whatever is to be told."""
    with reading(flow.engine) as conn:
        found = [actions.by_key(conn, install_id, _key(install_id, target)) for target in SENDERS]
    for action in found:
        if action and action.state == actions.DUE:
            flow.wake(action.id, action.due_at)


def deliver(flow: Flow, action: Action) -> None:
    """The worker's deed: tell everything not yet told at one target, in one piece. Quiet hours hold all but tests."""
    target = str(action.payload["target"])
    now = flow.clock()
    with reading(flow.engine) as conn:
        install = installs.get(conn, action.install_id)
        events = alerts.untold(conn, action.install_id, target)
    gone = install is None or install.status == installs.REMOVED
    if install is None or gone or not events or target not in wishes(install).targets:
        chores.finish(flow, action, actions.DONE)
        return
    wanted = wishes(install)
    quiet = quiet_until(now, wanted.quiet_from, wanted.quiet_to, install.tz)
    if quiet:
        events = [event for event in events if event.kind == TEST]
    if quiet and not events:
        with writing(flow.engine) as conn:
            actions.again(conn, action, quiet, counted=False)
        flow.wake(action.id, quiet)
        return

    def tell(some: Sequence[Event]) -> None:
        SENDERS[target](flow, install, wanted, some, action)
        with writing(flow.engine) as conn:
            alerts.mark_told(conn, [event.id for event in some], flow.clock())

    told, in_vain, trouble = _tell(tell, events, lambda: flow.clock() - now > ENOUGH)
    due = flow.clock() + GATHER if told else quiet
    if due:
        _have_others_told(flow, action, target, in_vain, due)
    if trouble is None:
        chores.finish(flow, action, actions.DONE)
    else:
        _failed(flow, action, trouble)


def _tell(
    tell: Callable[[Sequence[Event]], None], events: Sequence[Event], late: Callable[[], bool]
) -> tuple[Sequence[Event], Sequence[Event], Trouble | None]:
    """What could be told, what was tried in vain, and why. Where all are refused together, each is told alone.

    One that is refused for what it says would otherwise take with it whatever happens later.
    """
    trouble = _trouble(tell, events)
    if trouble is None:
        return events, (), None
    if len(events) == 1 or not _for_its_words(trouble):
        return (), events, trouble
    told: list[Event] = []
    in_vain: list[Event] = []
    for event in events:
        alone = _trouble(tell, [event])
        (in_vain if alone else told).append(event)
        trouble = alone or trouble
        if late() or (alone and not _for_its_words(alone)):
            break
    return told, in_vain, trouble if in_vain else None


def _trouble(tell: Callable[[Sequence[Event]], None], events: Sequence[Event]) -> Trouble | None:
    try:
        tell(events)
    except (CallFailed, CannotOpen) as error:
        return error
    return None


def _for_its_words(error: Trouble) -> bool:
    """Whether it may have been refused for what it says, so that another would be taken."""
    if not isinstance(error, CallFailed) or error.may_retry or error.may_have_happened:
        return False
    return not isinstance(error, Unauthorised) and error.status not in CLOSED


def _have_others_told(
    flow: Flow, action: Action, target: str, in_vain: Sequence[Event], due: datetime
) -> None:
    """Ask for the deed once more where others are untold: then it waits for `due` instead of ending with these.

    Where it is tried again for its trouble, that time counts.
    """
    besides = [event.id for event in in_vain]
    with writing(flow.engine) as conn:
        if not alerts.untold(conn, action.install_id, target, 1, besides=besides):
            return
        actions.restart(conn, action.install_id, ALERT, action.key, due, payload=action.payload)
    flow.wake(action.id, due)


def _failed(flow: Flow, action: Action, error: Trouble) -> None:
    """As any chore; but a note that may be there is looked for only when HubSpot's search can find it."""
    unsure = isinstance(error, CallFailed) and error.may_have_happened
    if not unsure or action.tries >= OTHER_TRIES:
        chores.failed(flow, action, error)
        return
    now = flow.clock()
    due = max(now + INDEXED_AFTER, backoff(action.tries, now))
    with writing(flow.engine) as conn:
        actions.again(conn, action, due)
    flow.wake(action.id, due)


def troubles(conn: Connection, install_id: int) -> list[str]:
    """Why the last alert could not be told, for each place where it could not."""
    found = (actions.by_key(conn, install_id, _key(install_id, target)) for target in SENDERS)
    troubled = [a for a in found if a and (a.result or a.state in (actions.FAILED, actions.UNSURE))]
    return [str((action.result or {}).get("error") or "It is not known why.") for action in troubled]


def _delivery(events: Sequence[Event]) -> str:
    """The same for every try to tell the same, so that a receiver can know a repeat."""
    return hashlib.sha256(" ".join(event.id for event in events).encode()).hexdigest()[:32]


def _subject(install: Install, events: Sequence[Event]) -> str:
    name = install.name or install.external_id
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    words = f"Redeliver, {name}: {events[0].title}{more}"
    return " ".join(words.split())  # one line, whatever a name or a template's id holds


def _webhook(flow: Flow, install: Install, wanted: Wishes, events: Sequence[Event], action: Action) -> None:
    lines = "\n".join(f"• {event.title}\n{event.text}" for event in events)
    attachments = [
        {
            "fallback": e.title,
            "title": e.title,
            "text": e.text,
            "footer": e.kind,
            "ts": int(e.created_at.timestamp()),
        }
        for e in events
    ]
    document = {"text": f"{_subject(install, events)}\n{lines}", "attachments": attachments}
    signed_with = flow.sealer.open(wanted.secret_sealed) if wanted.secret_sealed else ""
    flow.webhook.post(wanted.webhook, signed_with, _delivery(events), document, flow.clock())


def _email(flow: Flow, install: Install, wanted: Wishes, events: Sequence[Event], action: Action) -> None:
    text = "\n\n".join(f"{event.title}\n{event.text}" for event in events)
    flow.mail.send(wanted.email, _subject(install, events), f"{text}\n", _delivery(events))


def _note(flow: Flow, install: Install, wanted: Wishes, events: Sequence[Event], action: Action) -> None:
    """One internal note with whatever no note tells yet: a note written twice would be told twice."""
    book: Notebook = (
        HubSpotNotes(flow, install, wanted) if wanted.contact else IntercomNotes(flow, install, wanted)
    )
    now = flow.clock()

    def told(event: Event) -> bool:
        return (action.tries > 1 or now - event.created_at > LEFT_OVER) and book.has(event.id)

    rows = [_row(event) for event in events if not told(event)]
    if rows:
        book.write("".join(rows), now)


def _row(event: Event) -> str:
    words = f"<b>{escape(event.title)}</b><br>{escape(event.text)}<br>Redeliver alert {event.id}"
    return f"<p>{words}</p>"


class Notebook(Protocol):
    """Where a workspace's notes stand. Both raise CallFailed and CannotOpen."""

    def has(self, word: str) -> bool:
        """Whether a note holds this word."""

    def write(self, body: str, now: datetime) -> None:
        """One more note; `body` is escaped HTML."""


@dataclass(frozen=True, slots=True)
class IntercomNotes:
    """Internal notes in one conversation, which customers never see."""

    flow: Flow
    install: Install
    wanted: Wishes

    def has(self, word: str) -> bool:
        ask, where = self.flow.intercom.has_note, self.wanted.conversation
        return intercom_access.calling(
            self.flow, self.install, lambda token, region: ask(token, region, where, word)
        )

    def write(self, body: str, now: datetime) -> None:
        note, where, admin = self.flow.intercom.write_note, self.wanted.conversation, self.wanted.admin
        intercom_access.calling(
            self.flow, self.install, lambda token, region: note(token, region, where, admin, body)
        )


@dataclass(frozen=True, slots=True)
class HubSpotNotes:
    """Notes on the timeline of one contact record."""

    flow: Flow
    install: Install
    wanted: Wishes

    def has(self, word: str) -> bool:
        found = hubspot_access.calling(
            self.flow, self.install, lambda token: self.flow.hubspot.find_activity(token, NOTE, word)
        )
        return found is not None

    def write(self, body: str, now: datetime) -> None:
        contact = self.wanted.contact
        hubspot_access.calling(
            self.flow,
            self.install,
            lambda token: self.flow.hubspot.write_activity(token, contact, NOTE, body, now),
        )


SENDERS = {"webhook": _webhook, "email": _email, "note": _note}
