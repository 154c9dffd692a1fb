"""The audit trail: who did what to which object, kept with the deed itself and never changed afterwards.

A row is written in the transaction of the deed, so that neither is there without the other. The database
refuses to change a row, and to delete one before AUDIT_DAYS unless its whole install is erased
(migration `0003_audit`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select

from canvas.domain.masking import masked
from canvas.domain.message import Actor
from canvas.store.tables import audit

AUDIT_DAYS = 365  # how long the trail is kept; the database's trigger says the same
OPERATOR = Actor("operator", None, "command line")
WORKER = Actor("worker")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail. `before` and `after` are masked."""

    id: int
    install_id: int
    at: datetime
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    deed: str
    about: str | None
    before: Any
    after: Any
    result: str | None


def write(
    conn: Connection,
    install_id: int,
    now: datetime,
    actor: Actor | None,
    deed: str,
    about: str | None = None,
    *,
    before: Any = None,
    after: Any = None,
    result: str | None = None,
) -> None:
    """Add one line, masked. `deed` is a word such as `fix.retry_now`; `about` the id of what it was done to.

    Never a contact's id: nobody could take it out when they are erased.
    """
    who = actor or WORKER
    row = {
        "install_id": install_id,
        "at": now,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "actor_name": who.name,
        "deed": deed,
        "about": about,
        "before": masked(before),
        "after": masked(after),
        "result": None if result is None else masked(result)[:500],
    }
    conn.execute(insert(audit).values(row))


def _from_row(row: RowMapping) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__})


def newest(conn: Connection, install_id: int, limit: int = 50, before: int | None = None) -> list[Entry]:
    """The last lines of one tenant, newest first; `before` is the id of the last line already shown."""
    query = select(audit).where(audit.c.install_id == install_id)
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = conn.execute(query.order_by(audit.c.id.desc()).limit(limit)).mappings()
    return [_from_row(row) for row in rows]


def everything(conn: Connection, install_id: int) -> Iterator[Entry]:
    """Every line of one tenant, oldest first."""
    query = select(audit).where(audit.c.install_id == install_id).order_by(audit.c.id)
    for row in conn.execute(query).mappings():
        yield _from_row(row)


def forget_old(conn: Connection, now: datetime) -> int:
    """Remove what is older than AUDIT_DAYS; how many lines."""
    return conn.execute(delete(audit).where(audit.c.at < now - timedelta(days=AUDIT_DAYS))).rowcount
