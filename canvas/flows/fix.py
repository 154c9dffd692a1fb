"""A click: check that the fix is still offered, store the deed under its unique key, wake the worker, wait a little.

Whatever is repeated (a double click, two agents, two tabs, a surface's own repeat) meets the child that is
already there and gets the first receipt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from canvas.domain import phones, settings
from canvas.domain.action_kinds import SEND, WRITE_PHONE, action_key, send_key
from canvas.domain.fix import Fix, Situation
from canvas.domain.fixes import find
from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Message, Status
from canvas.domain.plan import SHOWN, Deed, FormAgain, Plan, Send, again, plan
from canvas.domain.preflight import Finding, blocking
from canvas.flows.checking import check_fix, check_twin
from canvas.flows.context import Flow
from canvas.flows.deeds import DEEDS, Clicked, Clicker, Stored, note_status
from canvas.flows.fix_tokens import UNDO, FixToken
from canvas.flows.look import MessageContext, Person
from canvas.flows.undo import undo
from canvas.store import actions, audit, messages
from canvas.store.database import reading, writing
from canvas.store.installs import Install

WAIT_SECONDS = 3.0  # how long a click waits for the worker before it says "Sending"
PEOPLE = frozenset({"intercom_admin", "hubspot_user", "link"})  # who may change their mind


def click(
    flow: Flow,
    install: Install,
    token: FixToken,
    values: Mapping[str, str] | None,
    actor: Actor,
    person: Person,
    *,
    patience: float = WAIT_SECONDS,
    not_before: datetime | None = None,
) -> Clicked:
    """Carry one click as far as it gets within `patience` seconds; a send leaves no sooner than `not_before`.

    `values` is None when no form was shown yet.
    """
    if token.install_id != install.id:
        return Clicked("unknown")
    if token.fix_id == UNDO:
        return undo(flow, install, token, actor)
    by = Clicker(install, actor, person)
    first = _prepare(flow, token, values, by)
    if isinstance(first, Clicked):
        return first
    message, fix, todo = first
    if isinstance(todo, Send) and (trouble := blocking(check_fix(flow, install, todo, message))):
        return _would_fail(message, fix, values or {}, trouble)
    if isinstance(todo, Send) and not_before:
        todo = replace(todo, run_at=max(todo.run_at or not_before, not_before))
    return _commit(flow, token, fix, todo, by, patience)


FIELD_OF = {"number": "phone", "text": "text", "template": "template", "header_media": "url"}


def _would_fail(message: Message, fix: Fix, values: Mapping[str, str], trouble: Finding) -> Clicked:
    """The form again, with what would certainly go wrong; a fix that asks nothing says it over the message."""
    field = FIELD_OF.get(trouble.id)
    if not any(shown.name == field for shown in fix.fields):
        return Clicked("changed", message, note=trouble.text)
    form = again(fix, values, field or "", trouble.text)
    return Clicked("form", message, fix, form.fields, form.message)


def _get(flow: Flow, install: Install, message_id: str) -> Message | None:
    with reading(flow.engine) as conn:
        return messages.get(conn, install.id, message_id)


def _prepare(
    flow: Flow, token: FixToken, values: Mapping[str, str] | None, by: Clicker
) -> Clicked | tuple[Message, Fix, Send | Deed]:
    """The message, the fix and its plan, or what to show instead."""
    with reading(flow.engine) as conn:
        message = messages.get(conn, by.install.id, token.message_id)
        if message is None:
            return Clicked("unknown")
        earlier = _earlier(conn, message, token)
        if earlier:
            return earlier
        context = MessageContext.read(conn, flow, by.install, by.person, viewer=by.actor)
        situation = context.situation(conn, message)
    fix = find(situation, token.fix_id, token.target)
    if fix is None or not fix.enabled:
        gone = situation.rights.sentence or "This fix is not possible any more."
        return Clicked("changed", message, note=fix.why if fix else gone)
    if values is not None:
        values = {**values, SHOWN: token.shown}
    return _planned(situation, message, fix, values)


def _planned(
    situation: Situation, message: Message, fix: Fix, values: Mapping[str, str] | None
) -> Clicked | tuple[Message, Fix, Send | Deed]:
    if fix.kind in ("link", "copy"):
        return Clicked(
            "changed", message, note="There is nothing to do here: this button only opens or copies."
        )
    if fix.kind == "form" and values is None:
        return Clicked("form", message, fix, fix.fields)
    todo: Plan = plan(situation, fix, values or {})
    if isinstance(todo, FormAgain):
        asking = replace(fix, submit="Send") if todo.shown else fix
        return Clicked("form", message, asking, todo.fields, todo.message, shown=todo.shown)
    return message, fix, todo


def _earlier(conn: Connection, message: Message, token: FixToken) -> Clicked | None:
    """The first receipt, when this was done before; or word that the message changed since it was drawn."""
    child = messages.child_of(conn, message.install_id, message.id)
    if child:
        return Clicked("receipt", child, duplicate=True)
    if message.handled_at and token.fix_id == "mark_handled":
        return Clicked("receipt", message, note="Marked as handled.", duplicate=True)
    if message.version != token.version:
        return Clicked("changed", message, note="This message changed since the card was drawn.")
    return None


def _commit(
    flow: Flow, token: FixToken, fix: Fix, todo: Send | Deed, by: Clicker, patience: float
) -> Clicked:
    """Store the deed in one transaction that checks again, then wait a little for its outcome."""
    now = flow.clock()
    try:
        with writing(flow.engine) as conn:
            if isinstance(todo, Send):
                messages.hold_number(conn, by.install.id, _number(flow, by.install, todo) or todo.raw_to)
            message = messages.locked(conn, by.install.id, token.message_id)
            earlier = _earlier(conn, message, token) or _twin(conn, flow, message, todo, by)
            if earlier:
                return earlier
            if isinstance(todo, Deed):
                done = DEEDS[todo.kind](conn, flow, message, by, now)
            else:
                done = _send(conn, flow, message, fix, todo, by, now)
            _note(conn, message, done.clicked, fix.id, by.actor, now)
    except messages.AlreadySent:
        return _first_receipt(flow, by.install, token.message_id)
    for action_id, due in done.wakes:
        flow.wake(action_id, due)
    if done.wakes:
        seen = _await(flow, by.install, done.clicked.message, done.wakes[0], patience)
        return replace(done.clicked, message=seen, note=done.clicked.note or note_status(flow, todo, done))
    return done.clicked


def _twin(conn: Connection, flow: Flow, message: Message, todo: Send | Deed, by: Clicker) -> Clicked | None:
    """Word that the same message went to this number for another failure of it, since this click was checked."""
    if isinstance(todo, Deed):
        return None
    found = check_twin(conn, flow, by.install, todo, message)
    return None if found.ok else Clicked("changed", message, note=found.text)


def _note(
    conn: Connection, message: Message, clicked: Clicked, fix_id: str, actor: Actor, now: datetime
) -> None:
    """The click in the audit trail, written in the transaction that stores what it did: both are kept, or neither."""
    if clicked.duplicate:
        return
    new = clicked.message if clicked.message and clicked.message.id != message.id else None
    audit.write(
        conn,
        message.install_id,
        now,
        actor,
        f"fix.{fix_id}",
        message.id,
        before={"status": str(message.status), "channel": message.channel, "to": message.raw_to},
        after={"new_message": new.id, "channel": new.channel, "to": new.raw_to} if new else None,
        result=clicked.note or "stored",
    )


def _first_receipt(flow: Flow, install: Install, message_id: str) -> Clicked:
    with reading(flow.engine) as conn:
        child = messages.child_of(conn, install.id, message_id)
    return Clicked("receipt", child, duplicate=True)


def _send(
    conn: Connection, flow: Flow, message: Message, fix: Fix, todo: Send, by: Clicker, now: datetime
) -> Stored:
    """The new message, its parent closed, and its one send action with the number to be saved, all or nothing."""
    child = _child(flow, message, fix, todo, by, now)
    messages.add(conn, child)
    messages.close(conn, child.install_id, message.id, now)
    due = max(todo.run_at or now, now + _time_to_undo(by.install, by.actor))
    key, save = send_key(child.id), {"save": todo.save} if todo.save else None
    action = actions.add(
        conn, child.install_id, SEND, key, due, now, message_id=child.id, payload=save, actor=by.actor
    )
    return Stored(Clicked("receipt", child, fix), ((action.id, due),))


def _child(flow: Flow, message: Message, fix: Fix, todo: Send, by: Clicker, now: datetime) -> Message:
    """The new message that a send of this failed one is."""
    return Message(
        id=new_id("msg", now),
        install_id=by.install.id,
        channel=todo.channel,
        channel_id=todo.channel_id,
        status=Status.QUEUED,
        created_at=now,
        updated_at=now,
        raw_to=todo.raw_to,
        to=_number(flow, by.install, todo),
        content=todo.content,
        preview=todo.preview,
        contact_id=message.contact_id or by.person.contact_id,
        conversation_id=message.conversation_id,
        source="fix",
        sender=by.actor,
        parent_id=message.id,
        thread_id=message.thread_id,
        attempt=message.attempt + 1,
        fix_id=fix.id,
        open=True,
    )


def _number(flow: Flow, install: Install, todo: Send) -> str | None:
    """The number a send goes to, in the one form by which it is known."""
    return phones.normalise(todo.raw_to, flow.country(install))


def _time_to_undo(install: Install, actor: Actor) -> timedelta:
    """How long a person's send waits, by the install's settings, so that they can take it back."""
    seconds = settings.read(install.settings).undo_seconds if actor.kind in PEOPLE else 0
    return timedelta(seconds=seconds)


def _await(
    flow: Flow, install: Install, message: Message | None, wake: tuple[str, datetime], patience: float
) -> Message | None:
    """The message as it stands when nothing of its action is under way any more, or when waiting long enough."""
    action_id, due = wake
    end = time.monotonic() + patience
    pause = 0.02
    while due <= flow.clock() and time.monotonic() < end:
        with reading(flow.engine) as conn:
            if not _under_way(conn, action_id, flow.clock()):
                break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return _get(flow, install, message.id) if message else None


def _under_way(conn: Connection, action_id: str, now: datetime) -> bool:
    """Whether the deed is being done, or the saving of the number that follows a send."""
    action = actions.get(conn, action_id)
    if action and action.state == actions.DONE and "save" in action.payload:
        key = action_key(WRITE_PHONE, action.message_id or "")
        action = actions.by_key(conn, action.install_id, key)
    return action is not None and action.under_way(now)
