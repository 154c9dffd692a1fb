"""Undo: take back a send that is still waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from canvas.domain.action_kinds import send_key
from canvas.domain.message import Actor, Message, Status
from canvas.flows import outcome, rights
from canvas.flows.context import Flow
from canvas.flows.deeds import Clicked
from canvas.flows.fix_tokens import FixToken
from canvas.store import actions, audit, messages
from canvas.store.database import writing
from canvas.store.installs import Install

UNDONE = "Undone. Nothing was sent."


def undo(flow: Flow, install: Install, token: FixToken, actor: Actor) -> Clicked:
    """Take back a send that is still waiting; the failed message is then open again, with its fixes."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        child = messages.get(conn, install.id, token.message_id)
        if child is None:
            return Clicked("unknown")
        allowed = rights.to_fix(conn, install, actor)
        if not allowed.may_fix:
            return Clicked("changed", child, note=allowed.sentence)
        # Held first, as the worker does. A send whose outcome could not be written down waits for its turn like
        # one that never left: only the status tells them apart.
        child = messages.locked(conn, install.id, child.id)
        if child.status is Status.CANCELLED:
            return Clicked("receipt", child, note="Undone before it was sent.", duplicate=True)
        waiting = child.parent_id is not None and child.status is Status.QUEUED
        if not waiting or not actions.cancel(conn, install.id, send_key(child.id), now):
            return Clicked("changed", child, note="Too late to undo: it was already being sent.")
        cancelled = outcome.store(conn, replace(child, status=Status.CANCELLED, parent_id=None), now)
        parent = _open_again(conn, child, now)
        audit.write(conn, install.id, now, actor, "fix.undo", child.id, result="cancelled")
    if parent is None:
        return Clicked("receipt", cancelled, note=UNDONE)
    return Clicked("changed", parent, note=UNDONE)


def _open_again(conn: Connection, child: Message, now: datetime) -> Message | None:
    """The failed message with its fixes again; None where it is gone, as an old one may be."""
    try:
        parent = messages.locked(conn, child.install_id, child.parent_id or "")
    except LookupError:
        return None
    return outcome.store(conn, parent, now)
