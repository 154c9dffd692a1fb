"""Failure texts that nobody knows, counted per shape and install, and the names an admin gave them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.tables import unknown_reasons


@dataclass(frozen=True, slots=True)
class UnknownReason:
    """One shape of text: how often it came, an example, and the reason an admin says it is."""

    shape_hash: str
    shape: str
    example: str
    channel: str
    count: int
    first_at: datetime
    last_at: datetime
    reason: str | None


def count(
    conn: Connection, install_id: int, shape_hash: str, shape: str, example: str, channel: str, now: datetime
) -> None:
    """One more of this shape."""
    where = (unknown_reasons.c.install_id == install_id) & (unknown_reasons.c.shape_hash == shape_hash)
    more = update(unknown_reasons).where(where).values(count=unknown_reasons.c.count + 1, last_at=now)
    if conn.execute(more).rowcount == 1:
        return
    row = {"shape_hash": shape_hash, "shape": shape, "example": example, "channel": channel}
    times = {"count": 1, "first_at": now, "last_at": now}
    try:
        with conn.begin_nested():
            conn.execute(insert(unknown_reasons).values(install_id=install_id, **row, **times))
    except IntegrityError:
        conn.execute(more)  # another failure began it meanwhile


def named(conn: Connection, install_id: int, shape_hash: str) -> str | None:
    """The reason an admin gave to this shape."""
    where = (unknown_reasons.c.install_id == install_id) & (unknown_reasons.c.shape_hash == shape_hash)
    reason: str | None = conn.execute(select(unknown_reasons.c.reason).where(where)).scalar()
    return reason


def listed(conn: Connection, install_id: int, limit: int = 200) -> list[UnknownReason]:
    """The shapes of an install, the most frequent first."""
    query = select(unknown_reasons).where(unknown_reasons.c.install_id == install_id)
    query = query.order_by(unknown_reasons.c.count.desc(), unknown_reasons.c.shape_hash).limit(limit)
    fields = UnknownReason.__dataclass_fields__
    return [UnknownReason(**{name: row[name] for name in fields}) for row in conn.execute(query).mappings()]


def name(conn: Connection, install_id: int, shape_hash: str, reason: str | None) -> bool:
    """Say what a shape means in this install, or take it back; False when there is no such shape."""
    where = (unknown_reasons.c.install_id == install_id) & (unknown_reasons.c.shape_hash == shape_hash)
    return conn.execute(update(unknown_reasons).where(where).values(reason=reason)).rowcount == 1
