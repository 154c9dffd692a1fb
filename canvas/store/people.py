"""What happens to a person's record in a CRM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, update

from canvas.domain.message import Message, Status
from canvas.store.messages import from_row
from canvas.store.tables import messages


def move(conn: Connection, install_id: int, old_ids: Sequence[str], new_id: str) -> int:
    """The records were merged: their messages belong to the surviving one. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & messages.c.contact_id.in_(old_ids)
    return _belong(conn, where, new_id)


def unlink(conn: Connection, install_id: int, contact_id: str) -> int:
    """The record is gone: its messages are found by their number alone. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & (messages.c.contact_id == contact_id)
    return _belong(conn, where, None)


def _belong(conn: Connection, where: ColumnElement[bool], contact_id: str | None) -> int:
    # A new version, or whoever read them before and saves them now would put the old record back.
    values = {"contact_id": contact_id, "version": messages.c.version + 1}
    return conn.execute(update(messages).where(where).values(values)).rowcount


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person's messages stand: how many failed, the last that did, and the newest of all."""

    failures: int
    last_failed: Message | None
    newest: Message | None


def standing(conn: Connection, install_id: int, contact_id: str) -> Standing:
    """The standing of one contact."""
    theirs = (messages.c.install_id == install_id) & (messages.c.contact_id == contact_id)
    failed = theirs & (messages.c.status == str(Status.FAILED))
    count = conn.execute(select(func.count()).select_from(messages).where(failed)).scalar_one()
    newest = select(messages).order_by(messages.c.id.desc()).limit(1)
    found = [conn.execute(newest.where(where)).mappings().first() for where in (failed, theirs)]
    last_failed, last = (from_row(row) if row else None for row in found)
    return Standing(count, last_failed, last)
