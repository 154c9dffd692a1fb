"""Incidents of an install: open ones first, each opened once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from canvas.domain.ids import new_id
from canvas.domain.incidents import Cause
from canvas.domain.message import ARRIVED, Status
from canvas.store.tables import incidents, messages

LOOKED_AT = 400  # newest settled messages that are looked through for a cause
SETTLED = [str(s) for s in (*ARRIVED, Status.FAILED)]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one message ended."""

    id: str
    status: Status
    reason: str | None
    channel: str
    channel_id: int | None
    template_id: str | None
    to: str | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause with its beginning, its spread, and its end, when it has one."""

    id: str
    install_id: int
    cause: Cause
    people: int
    messages: int
    started_at: datetime
    last_at: datetime
    solved_at: datetime | None
    first_id: str


PLAIN = ("id", "install_id", "people", "messages", "started_at", "last_at", "solved_at", "first_id")
CAUSE = ("scope", "reason", "channel", "channel_id", "template_id")


def _from_row(row: RowMapping) -> Incident:
    return Incident(cause=Cause(**{n: row[n] for n in CAUSE}), **{n: row[n] for n in PLAIN})


def recent(conn: Connection, install_id: int) -> list[Ended]:
    """How the newest settled messages ended, newest first."""
    m = messages.c
    columns = [m.id, m.status, m.reason, m.channel, m.channel_id, m.template_id, m.to]
    ended = func.coalesce(m.failed_at, m.updated_at, type_=m.failed_at.type).label("ended_at")
    query = select(*columns, ended).where(m.install_id == install_id, m.status.in_(SETTLED))
    rows = conn.execute(query.order_by(m.id.desc()).limit(LOOKED_AT)).mappings()
    return [Ended(**{**row, "status": Status(row["status"])}) for row in rows]


def open_ones(conn: Connection, install_id: int) -> list[Incident]:
    where = (incidents.c.install_id == install_id) & incidents.c.open_key.is_not(None)
    query = select(incidents).where(where).order_by(incidents.c.id.desc())
    return [_from_row(row) for row in conn.execute(query).mappings()]


def newest(conn: Connection, install_id: int, limit: int = 20) -> list[Incident]:
    """Open ones first, then the last that were solved."""
    query = select(incidents).where(incidents.c.install_id == install_id)
    query = query.order_by(incidents.c.open_key.is_(None), incidents.c.id.desc()).limit(limit)
    return [_from_row(row) for row in conn.execute(query).mappings()]


def get(conn: Connection, install_id: int, incident_id: str) -> Incident | None:
    where = (incidents.c.install_id == install_id) & (incidents.c.id == incident_id)
    row = conn.execute(select(incidents).where(where)).mappings().first()
    return _from_row(row) if row else None


def open_(conn: Connection, install_id: int, cause: Cause, first: Ended, now: datetime) -> Incident:
    """Open an incident that began with the message `first`."""
    row: dict[str, Any] = {name: getattr(cause, name) for name in CAUSE}
    row |= {"id": new_id("inc", now), "install_id": install_id, "open_key": f"{install_id}:{cause.key}"}
    row |= {"people": 0, "messages": 0, "first_id": first.id}
    row |= {"started_at": first.ended_at, "last_at": first.ended_at}
    conn.execute(insert(incidents).values(row))
    spread(conn, install_id, row["id"])
    found = get(conn, install_id, row["id"])
    assert found is not None
    return found


def spread(conn: Connection, install_id: int, incident_id: str) -> None:
    """Count again whom it has hit so far."""
    found = get(conn, install_id, incident_id)
    if found is None:
        return
    m, cause = messages.c, found.cause
    where = (m.install_id == install_id) & (m.reason == cause.reason) & (m.id >= found.first_id)
    where &= (m.channel == cause.channel) & (m.status == str(Status.FAILED))
    if cause.channel_id is not None:
        where &= m.channel_id == cause.channel_id
    if cause.template_id is not None:
        where &= m.template_id == cause.template_id
    counts = select(func.count(), func.count(m.to.distinct()), func.max(m.failed_at)).where(where)
    many, people, last = conn.execute(counts).one()
    values = {"messages": many, "people": people, "last_at": last or found.last_at}
    conn.execute(update(incidents).where(incidents.c.id == incident_id).values(values))


def solve(conn: Connection, install_id: int, incident_id: str, at: datetime) -> bool:
    """Close an incident; False when it was closed before."""
    where = (incidents.c.install_id == install_id) & (incidents.c.id == incident_id)
    where &= incidents.c.open_key.is_not(None)
    values = {"open_key": None, "solved_at": at}
    return conn.execute(update(incidents).where(where).values(values)).rowcount == 1
