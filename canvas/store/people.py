"""What happens to a person's record in a CRM, and what we know of a number."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from canvas.domain.message import Message
from canvas.store.messages import from_row
from canvas.store.tables import messages


def move(conn: Connection, install_id: int, old_ids: Sequence[str], new_id: str) -> int:
    """The records were merged: their messages belong to the surviving one. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & messages.c.contact_id.in_(old_ids)
    return conn.execute(update(messages).where(where).values(contact_id=new_id)).rowcount


def unlink(conn: Connection, install_id: int, contact_id: str) -> int:
    """The record is gone: its messages are found by their number alone. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & (messages.c.contact_id == contact_id)
    return conn.execute(update(messages).where(where).values(contact_id=None)).rowcount


def last_to(conn: Connection, install_id: int, channel: str, number: str) -> Message | None:
    """The newest message to that number on that channel."""
    where = (messages.c.install_id == install_id) & (messages.c.channel == channel)
    query = select(messages).where(where, messages.c.to == number).order_by(messages.c.id.desc()).limit(1)
    row = conn.execute(query).mappings().first()
    return from_row(row) if row else None
