"""The day tallies: counted from the messages of a day, and summed for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from canvas.domain.ids import first_id
from canvas.domain.message import ARRIVED, Status
from canvas.domain.segments import segments
from canvas.store.tables import day_tallies, installs, messages

KEY = ("channel", "template_id", "reason", "fix_id", "cured")
SUMS = ("total", "failed", "first_failed", "arrived", "segments")
LEFT_OUT = [str(Status.CANCELLED)]


@dataclass(frozen=True, slots=True)
class Sum:
    """What came together under one label."""

    label: str
    total: int
    failed: int
    first_failed: int
    arrived: int
    segments: int


def count_day(
    conn: Connection, install_id: int, day: str, since: datetime, until: datetime, *, purged: bool = False
) -> None:
    """Count the messages from `since` until `until` anew, as the tallies of `day`; written only where they changed.

    Of a day that the purge may have reached (`purged`), what was counted stays when fewer are left.
    """
    rows = {tuple(row[name] for name in KEY): dict(row) for row in _counted(conn, install_id, since, until)}
    for key, parts in _sms_parts(conn, install_id, since, until):
        if key in rows:
            rows[key]["segments"] += parts
    # A day without messages keeps one empty row: it was counted.
    found = list(rows.values()) or [dict.fromkeys(KEY, "") | dict.fromkeys(SUMS, 0)]
    where = (day_tallies.c.install_id == install_id) & (day_tallies.c.day == day)
    columns = [day_tallies.c[name] for name in (*KEY, *SUMS)]
    before = set(conn.execute(select(*columns).where(where)))
    if purged and sum(row["total"] for row in found) < sum(row.total for row in before):
        return
    if before != {tuple(row[column.name] for column in columns) for row in found}:
        conn.execute(delete(day_tallies).where(where))
        conn.execute(insert(day_tallies), [{**row, "install_id": install_id, "day": day} for row in found])


def _within(m: Any, install_id: int, since: datetime, until: datetime) -> Any:
    span = (m.c.id >= first_id("msg", since)) & (m.c.id < first_id("msg", until))
    return (m.c.install_id == install_id) & span & m.c.status.not_in(LEFT_OUT)


def _keys(m: Any, parent: Any) -> list[Any]:
    empty = {
        "template_id": m.c.template_id,
        "reason": m.c.reason,
        "fix_id": m.c.fix_id,
        "cured": parent.c.reason,
    }
    return [m.c.channel, *(func.coalesce(column, "").label(name) for name, column in empty.items())]


def _counted(conn: Connection, install_id: int, since: datetime, until: datetime) -> Sequence[Any]:
    m, parent = messages, messages.alias("parent")
    failed = m.c.status == str(Status.FAILED)
    keys = _keys(m, parent)
    query = (
        select(
            *keys,
            func.count().label("total"),
            _number(failed).label("failed"),
            _number(failed & (m.c.attempt == 1)).label("first_failed"),
            _number(m.c.status.in_([str(s) for s in ARRIVED])).label("arrived"),
            func.sum(0).label("segments"),
        )
        .select_from(m.outerjoin(parent, parent.c.id == m.c.parent_id))
        .where(_within(m, install_id, since, until))
        .group_by(*keys)
    )
    return conn.execute(query).mappings().all()


def _number(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _sms_parts(
    conn: Connection, install_id: int, since: datetime, until: datetime
) -> Sequence[tuple[tuple[str, ...], int]]:
    """The parts of each SMS that a fix sent: what it cost beyond the first try."""
    m, parent = messages, messages.alias("parent")
    where = _within(m, install_id, since, until) & (m.c.channel == "sms") & m.c.fix_id.is_not(None)
    query = select(*_keys(m, parent), m.c.preview).select_from(
        m.outerjoin(parent, parent.c.id == m.c.parent_id)
    )
    return [(tuple(row[:5]), segments(row[5] or "").count) for row in conn.execute(query.where(where))]


def days_counted(conn: Connection, install_id: int, since_day: str) -> set[str]:
    where = (day_tallies.c.install_id == install_id) & (day_tallies.c.day >= since_day)
    return {day for (day,) in conn.execute(select(day_tallies.c.day).where(where).distinct())}


def forget_from(conn: Connection, install_id: int, since_day: str) -> None:
    """Have the days from this one on counted anew."""
    where = (day_tallies.c.install_id == install_id) & (day_tallies.c.day >= since_day)
    conn.execute(delete(day_tallies).where(where))


def sums(
    conn: Connection, install_id: int, by: str, since_day: str, until_day: str, *, fixes: bool | None = None
) -> list[Sum]:
    """The tallies of these days (both included) summed `by` a column; `fixes`: only, or without, what fixes sent."""
    column = day_tallies.c[by]
    where = (day_tallies.c.install_id == install_id) & day_tallies.c.day.between(since_day, until_day)
    where &= day_tallies.c.channel != ""
    if fixes is not None:
        where &= (day_tallies.c.fix_id != "") if fixes else (day_tallies.c.fix_id == "")
    totals = [func.sum(day_tallies.c[name]) for name in SUMS]
    query = select(column, *totals).where(where).group_by(column).order_by(column)
    return [Sum(str(row[0]), *(int(value) for value in row[1:])) for row in conn.execute(query)]


def fix_results(conn: Connection, install_id: int, since_day: str) -> list[tuple[str, str, int, int]]:
    """(reason, fix, sent and ended, arrived) since that day."""
    ended = func.sum(day_tallies.c.arrived + day_tallies.c.failed)
    arrived = func.sum(day_tallies.c.arrived)
    where = (day_tallies.c.install_id == install_id) & (day_tallies.c.day >= since_day)
    where &= (day_tallies.c.fix_id != "") & (day_tallies.c.cured != "")
    by = (day_tallies.c.cured, day_tallies.c.fix_id)
    query = select(*by, ended, arrived).where(where).group_by(*by).order_by(*by)
    return [(cured, fix, int(tried), int(worked)) for cured, fix, tried, worked in conn.execute(query)]


def keep_scores(conn: Connection, install_id: int, scores: dict[str, dict[str, list[int]]]) -> None:
    """What each fix achieved for each reason, kept with the install."""
    conn.execute(update(installs).where(installs.c.id == install_id).values(fix_scores=scores))


def oldest(conn: Connection, install_id: int) -> datetime | None:
    """When the oldest message that is kept was made."""
    query = select(messages.c.created_at).where(messages.c.install_id == install_id)
    at: datetime | None = conn.execute(query.order_by(messages.c.id).limit(1)).scalar()
    return at
