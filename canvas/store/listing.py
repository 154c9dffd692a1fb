"""How far each WhatsApp channel's list was read, and the gaps that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from canvas.store.tables import list_gaps, list_marks


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest message that was taken from a channel's list."""

    newest_id: str
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of one channel that left the list before anybody looked; `at_most` is None when nobody can tell."""

    channel_id: int
    from_at: datetime
    to_at: datetime
    at_most: int | None
    noticed_at: datetime


def mark_of(conn: Connection, install_id: int, channel_id: int) -> Mark | None:
    where = (list_marks.c.install_id == install_id) & (list_marks.c.channel_id == channel_id)
    row = conn.execute(select(list_marks).where(where)).mappings().first()
    return Mark(row["newest_id"], row["newest_at"]) if row else None


def put_mark(conn: Connection, install_id: int, channel_id: int, mark: Mark) -> None:
    where = (list_marks.c.install_id == install_id) & (list_marks.c.channel_id == channel_id)
    values = {"newest_id": mark.newest_id, "newest_at": mark.newest_at}
    if conn.execute(update(list_marks).where(where).values(values)).rowcount == 0:
        conn.execute(insert(list_marks).values(install_id=install_id, channel_id=channel_id, **values))


def add_gap(conn: Connection, install_id: int, gap: Gap) -> None:
    values = {name: getattr(gap, name) for name in Gap.__dataclass_fields__}
    conn.execute(insert(list_gaps).values(install_id=install_id, **values))


def gaps(conn: Connection, install_id: int, limit: int = 20) -> list[Gap]:
    """The newest gaps of an install."""
    query = select(list_gaps).where(list_gaps.c.install_id == install_id)
    rows = conn.execute(query.order_by(list_gaps.c.id.desc()).limit(limit)).mappings()
    return [Gap(**{name: row[name] for name in Gap.__dataclass_fields__}) for row in rows]
