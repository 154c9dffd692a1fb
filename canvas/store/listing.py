"""How far each WhatsApp channel's list was read, and the gaps that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

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
    """Remember how far a list was read. That never goes back, or what was purged since would be taken for new."""
    where = (list_marks.c.install_id == install_id) & (list_marks.c.channel_id == channel_id)
    values = {"newest_id": mark.newest_id, "newest_at": mark.newest_at}
    if mark_of(conn, install_id, channel_id) is None:
        conn.execute(insert(list_marks).values(install_id=install_id, channel_id=channel_id, **values))
    else:
        older = list_marks.c.newest_at <= mark.newest_at
        conn.execute(update(list_marks).where(where, older).values(values))


def forget_mark(conn: Connection, install_id: int, channel_id: int) -> None:
    """Another key has a list of its own, which nobody has read yet."""
    where = (list_marks.c.install_id == install_id) & (list_marks.c.channel_id == channel_id)
    conn.execute(delete(list_marks).where(where))


def add_gap(conn: Connection, install_id: int, gap: Gap) -> None:
    values = {name: getattr(gap, name) for name in Gap.__dataclass_fields__}
    conn.execute(insert(list_gaps).values(install_id=install_id, **values))


def gaps(conn: Connection, install_id: int, limit: int = 20) -> list[Gap]:
    """The newest gaps of an install."""
    query = select(list_gaps).where(list_gaps.c.install_id == install_id)
    rows = conn.execute(query.order_by(list_gaps.c.id.desc()).limit(limit)).mappings()
    return [Gap(**{name: row[name] for name in Gap.__dataclass_fields__}) for row in rows]
