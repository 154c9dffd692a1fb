"""What a click may do besides sending: ask how it stands, mark as handled, ask an admin. And what a click led to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from canvas.domain.action_kinds import ASK_ADMIN, POLL, RECONCILE, action_key
from canvas.domain.fix import Field, Fix
from canvas.domain.message import Actor, Message
from canvas.domain.notes import note_html
from canvas.domain.plan import Deed, Send
from canvas.flows import outcome, timeline
from canvas.flows.context import Flow
from canvas.flows.look import MessageContext, Person
from canvas.store import actions, teammates
from canvas.store.database import reading
from canvas.store.installs import Install


@dataclass(frozen=True, slots=True)
class Clicker:
    """Who clicked, in which install, and which person the screen was about."""

    install: Install
    actor: Actor
    person: Person


Result = Literal["receipt", "form", "changed", "unknown"]


@dataclass(frozen=True, slots=True)
class Clicked:
    """What a click led to.

    `message` is what the screen should now be about: the new message for a receipt, else the old one.
    `duplicate` says that an earlier click already did it. `note` is one sentence for the agent. `shown` is
    the template whose fields the form asks for, once one was chosen.
    """

    result: Result
    message: Message | None = None
    fix: Fix | None = None
    fields: tuple[Field, ...] = ()
    note: str | None = None
    duplicate: bool = False
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was committed, and whom to wake for it."""

    clicked: Clicked
    wakes: tuple[tuple[str, datetime], ...] = ()


def _mark_handled(conn: Connection, flow: Flow, message: Message, by: Clicker, now: datetime) -> Stored:
    fresh = outcome.store(conn, replace(message, handled_at=now, handled_by=by.actor), now)
    timeline.news(conn, flow, fresh, now)
    return Stored(Clicked("receipt", fresh, note="Marked as handled."))


def _check_status(conn: Connection, flow: Flow, message: Message, by: Clicker, now: datetime) -> Stored:
    """Ask Octopods now: for a known id its status, for a lost answer its list."""
    kind = POLL if message.octopods_id else RECONCILE
    key = action_key(kind, message.id)
    action_id = actions.restart_now(conn, by.install.id, kind, key, now, message_id=message.id)
    wakes = ((action_id, now),) if action_id else ()
    return Stored(Clicked("receipt", message, note="Octopods is asked how it stands."), wakes)


ASKED, ON_ITS_WAY = (
    "An admin was asked already.",
    "A note for the admins is on its way into this conversation.",
)


def _ask_admin(conn: Connection, flow: Flow, message: Message, by: Clicker, now: datetime) -> Stored:
    """A note in the conversation, for people only."""
    key = action_key(ASK_ADMIN, message.id)
    earlier = actions.by_key(conn, by.install.id, key)
    if earlier and earlier.state not in (actions.FAILED, actions.UNSURE):
        words = ASKED if earlier.state == actions.DONE else ON_ITS_WAY
        return Stored(Clicked("receipt", message, note=words, duplicate=True))
    context = MessageContext.read(conn, flow, by.install, by.person)
    payload = {
        "conversation_id": by.person.conversation_id or message.conversation_id,
        "admin_id": by.actor.id,
        "mark": message.id,
        "body": note_html(context.story(conn, message)),
        "again": earlier is not None,
    }
    given = {"message_id": message.id, "payload": payload, "actor": by.actor}
    actions.restart(conn, by.install.id, ASK_ADMIN, key, now, **given)
    asked = actions.by_key(conn, by.install.id, key)
    assert asked is not None
    return Stored(Clicked("receipt", message), ((asked.id, now),))


def note_status(flow: Flow, todo: Send | Deed, done: Stored) -> str | None:
    """Whether the note to the admins is there, as far as it is known."""
    if isinstance(todo, Send) or todo.kind != "ask_admin":
        return None
    with reading(flow.engine) as conn:
        action = actions.get(conn, done.wakes[0][0])
    if action and action.state == actions.DONE:
        return "A note for the admins is in this conversation."
    if action and action.state == actions.FAILED:
        return f"The note could not be written. {(action.result or {}).get('error', '')}".strip()
    if action and action.state == actions.UNSURE:
        return "It is not sure that the note was written. Ask again: Redeliver looks for it first."
    return ON_ITS_WAY


def _ask_to_fix(conn: Connection, flow: Flow, message: Message, by: Clicker, now: datetime) -> Stored:
    """Put the teammate on the list of people in the settings, for an admin to decide."""
    assert by.actor.id is not None  # `offered` gives this fix to nobody else
    teammates.ask(conn, by.install.id, by.actor.id, by.actor.name or f"Teammate {by.actor.id}", now)
    return Stored(Clicked("receipt", message, note="You asked. An admin can now allow it in the settings."))


DEEDS: dict[str, Callable[[Connection, Flow, Message, Clicker, datetime], Stored]] = {
    "mark_handled": _mark_handled,
    "check_status": _check_status,
    "ask_admin": _ask_admin,
    "ask_to_fix": _ask_to_fix,
}
