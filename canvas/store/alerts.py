"""What is to be told to people, once for each place it is told at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from canvas.domain.ids import new_id
from canvas.store.tables import alert_events

TEST = "test"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, to be told at `target`."""

    id: str
    target: str
    kind: str
    title: str
    text: str
    created_at: datetime


def add(
    conn: Connection, install_id: int, target: str, key: str, kind: str, title: str, text: str, now: datetime
) -> bool:
    """Keep an event unless it was kept before; says whether it is new."""
    where = (alert_events.c.install_id == install_id) & (alert_events.c.target == target)
    if conn.execute(select(alert_events.c.id).where(where, alert_events.c.key == key)).first():
        return False
    row = {"id": new_id("evt", now), "install_id": install_id, "target": target, "key": key, "kind": kind}
    conn.execute(insert(alert_events).values(**row, title=title[:200], text=text, created_at=now))
    return True


def untold(
    conn: Connection, install_id: int, target: str, limit: int = 20, besides: Sequence[str] = ()
) -> list[Event]:
    """The oldest that are not told yet; tests before all others, because somebody waits for them."""
    where = (alert_events.c.install_id == install_id) & (alert_events.c.target == target)
    where &= alert_events.c.id.not_in(besides)
    names = [alert_events.c[name] for name in Event.__dataclass_fields__]
    order = (alert_events.c.kind != TEST, alert_events.c.id)
    query = select(*names).where(where, alert_events.c.told_at.is_(None)).order_by(*order).limit(limit)
    return [Event(**row) for row in conn.execute(query).mappings()]


def mark_told(conn: Connection, ids: Sequence[str], now: datetime) -> None:
    conn.execute(update(alert_events).where(alert_events.c.id.in_(ids)).values(told_at=now))
