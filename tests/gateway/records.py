"""What the store holds after a test's requests."""

from __future__ import annotations

from sqlalchemy import select

from canvas.domain.message import Message
from canvas.store.database import reading
from canvas.store.messages import from_row
from canvas.store.tables import messages
from tests.desk import Desk


def all_messages(desk: Desk) -> list[Message]:
    """Every message, oldest first."""
    with reading(desk.flow.engine) as conn:
        rows = (
            conn.execute(select(messages).order_by(messages.c.created_at, messages.c.attempt))
            .mappings()
            .all()
        )
    return [from_row(row) for row in rows]


def only_message(desk: Desk) -> Message:
    found = all_messages(desk)
    assert len(found) == 1
    return found[0]
