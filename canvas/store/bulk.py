"""Bulk jobs and their items: what was to be done with each message, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from canvas.domain.ids import new_id
from canvas.domain.message import Actor
from canvas.store.tables import bulk_items, bulk_jobs, messages

DRAFT, RUNNING, STOPPED, DONE = "draft", "running", "stopped", "done"
WAITING, TRYING, SENT, SKIPPED, FAILED = "waiting", "trying", "sent", "skipped", "failed"
OPEN = (WAITING, TRYING)  # an item is `trying` from just before its click until its result is written


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `spread` holds, per channel, the time of the last send it put off, in epoch milliseconds."""

    id: str
    install_id: int
    state: str
    choice: str
    filter: dict[str, str]
    actor: Actor
    created_at: datetime
    spread: dict[str, int] = field(default_factory=dict)
    note: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a job, as it was at the dry run: the fix it gets, or why none."""

    message_id: str
    version: int
    state: str
    fix_id: str | None = None
    target: int | None = None
    why: str | None = None
    child_id: str | None = None


def _job(row: RowMapping) -> Job:
    return Job(**{**{n: row[n] for n in Job.__dataclass_fields__}, "actor": Actor(**row["actor"])})


def _item(row: RowMapping) -> Item:
    return Item(**{name: row[name] for name in Item.__dataclass_fields__})


def add(
    conn: Connection,
    install_id: int,
    choice: str,
    asked: dict[str, str],
    actor: Actor,
    items: Sequence[Item],
    now: datetime,
) -> str:
    """Store a draft; its id."""
    job = Job(new_id("job", now), install_id, DRAFT, choice, asked, actor, now)
    conn.execute(insert(bulk_jobs).values(asdict(job)))
    if items:
        rows = [{**asdict(item), "job_id": job.id, "install_id": install_id} for item in items]
        conn.execute(insert(bulk_items), rows)
    return job.id


def get(conn: Connection, install_id: int, job_id: str) -> Job | None:
    where = (bulk_jobs.c.install_id == install_id) & (bulk_jobs.c.id == job_id)
    row = conn.execute(select(bulk_jobs).where(where)).mappings().first()
    return _job(row) if row else None


def newest(conn: Connection, install_id: int, limit: int = 10) -> list[Job]:
    """The last jobs that were started."""
    where = (bulk_jobs.c.install_id == install_id) & (bulk_jobs.c.state != DRAFT)
    query = select(bulk_jobs).where(where).order_by(bulk_jobs.c.id.desc()).limit(limit)
    return [_job(row) for row in conn.execute(query).mappings()]


def change(conn: Connection, install_id: int, job_id: str, before: Sequence[str], **values: Any) -> bool:
    """Change a job that is in one of the states `before`; False when it is in none of them."""
    where = (bulk_jobs.c.install_id == install_id) & (bulk_jobs.c.id == job_id)
    where &= bulk_jobs.c.state.in_(before)
    return conn.execute(update(bulk_jobs).where(where).values(values)).rowcount == 1


def next_item(conn: Connection, job_id: str) -> Item | None:
    """The oldest message whose turn is still to come."""
    where = (bulk_items.c.job_id == job_id) & bulk_items.c.state.in_(OPEN)
    row = conn.execute(select(bulk_items).where(where).order_by(bulk_items.c.message_id).limit(1))
    found = row.mappings().first()
    return _item(found) if found else None


def settle(conn: Connection, job_id: str, message_id: str, **values: Any) -> None:
    """Write down what became of one item."""
    where = (bulk_items.c.job_id == job_id) & (bulk_items.c.message_id == message_id)
    conn.execute(update(bulk_items).where(where).values(values))


def counts(conn: Connection, job_id: str) -> list[tuple[str, str | None, str | None, int]]:
    """(state, fix, why, how many), the most first."""
    names = (bulk_items.c.state, bulk_items.c.fix_id, bulk_items.c.why)
    many = func.count().label("many")
    query = select(*names, many).where(bulk_items.c.job_id == job_id).group_by(*names)
    return [tuple(row) for row in conn.execute(query.order_by(many.desc()))]


def outcomes(conn: Connection, job_id: str) -> dict[str, int]:
    """How the messages that were sent stand now, by status."""
    joined = bulk_items.join(messages, messages.c.id == bulk_items.c.child_id)
    where = (bulk_items.c.job_id == job_id) & (messages.c.install_id == bulk_items.c.install_id)
    query = select(messages.c.status, func.count()).select_from(joined).where(where)
    return {str(row[0]): int(row[1]) for row in conn.execute(query.group_by(messages.c.status))}


def items(conn: Connection, job_id: str, after: str = "", limit: int = 100) -> list[Item]:
    """The items in the order they are done in."""
    where = (bulk_items.c.job_id == job_id) & (bulk_items.c.message_id > after)
    query = select(bulk_items).where(where).order_by(bulk_items.c.message_id).limit(limit)
    return [_item(row) for row in conn.execute(query).mappings()]


def numbers_and_reasons(
    conn: Connection, install_id: int, ids: Sequence[str]
) -> dict[str, tuple[str, str | None]]:
    """The number as it was given, and the reason, of those messages of this install."""
    query = select(messages.c.id, messages.c.to, messages.c.raw_to, messages.c.reason)
    query = query.where((messages.c.install_id == install_id) & messages.c.id.in_(ids))
    return {row.id: (row.to or row.raw_to, row.reason) for row in conn.execute(query)}
