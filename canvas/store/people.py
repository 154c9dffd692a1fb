"""What happens to a person's record in a CRM."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, update

from canvas.store.tables import messages


def move(conn: Connection, install_id: int, old_ids: Sequence[str], new_id: str) -> int:
    """The records were merged: their messages belong to the surviving one. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & messages.c.contact_id.in_(old_ids)
    return conn.execute(update(messages).where(where).values(contact_id=new_id)).rowcount


def unlink(conn: Connection, install_id: int, contact_id: str) -> int:
    """The record is gone: its messages are found by their number alone. Gives the number of messages."""
    where = (messages.c.install_id == install_id) & (messages.c.contact_id == contact_id)
    return conn.execute(update(messages).where(where).values(contact_id=None)).rowcount
