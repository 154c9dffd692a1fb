"""A month of traffic as rows, on both databases: each day's messages come, settle and are purged in turn.

Told are the room a message takes once rows come and go, which indexes take it, what the purge costs, a canvas after the
month against one after the first day, and what the worker's rounds cost with 10,000 workspaces in which nothing is due.
BENCH_DAY sets the messages of a day.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, insert, select, text, update

from canvas.domain.ids import new_id
from canvas.flows import discovery, insights
from canvas.flows.context import Flow, utc_now
from canvas.flows.retention import purge
from canvas.store.database import reading, writing
from canvas.store.messages import to_row
from canvas.store.tables import installs, messages
from tests import postgres
from tests.bench import growth, scene
from tests.bench.rows import Row
from tests.history import made

DAYS, KEPT = 30, 10
INSTALLS, IDLE = 50, 10_000
A_DAY = int(os.environ.get("BENCH_DAY", "20000"))
# What a message learns after Octopods took it; half of those that fail are handled by somebody the same day.
SETTLED = ("status", "failure", "failure_raw", "reason", "category", "diagnosis", "open", "failed_at")
LARGEST = 4
LOT = 2_000  # rows in one transaction


@dataclass(slots=True)
class Month:
    """Seconds of purging, messages purged, seconds of canvases, bytes a message at the first purge and at the end."""

    purging: float = 0.0
    purged: int = 0
    canvas: list[float] = field(default_factory=list)
    bytes_at_first: float = 0.0
    bytes_at_last: float = 0.0


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        found = _on("SQLite", scene.open_flow(f"sqlite:///{folder}/month.db"))
    if postgres.binaries() is None:
        return [*found, Row("a month on PostgreSQL", "PostgreSQL is not installed", "", None)]
    with postgres.server() as server:
        return found + _on("PostgreSQL", scene.open_flow(server.new_database("month")))


def _on(name: str, flow: Flow) -> list[Row]:
    month = play(flow)
    first, last = month.canvas
    weight = (
        f"{month.bytes_at_last:.0f} bytes, {month.bytes_at_last / month.bytes_at_first:.2f} of day {KEPT}"
    )
    canvas = f"{last / first:.2f} ({last * 1e6:.0f} of {first * 1e6:.0f} µs)"
    minute, hour = _idle_rounds(flow)
    found = [
        Row(f"{name}: a canvas after a month, of one after a day", canvas, "<= 1.2", last <= 1.2 * first),
        Row(f"{name}: a message, after a month of coming and going", weight, "", None),
        Row(f"{name}: purging", f"{month.purged / month.purging:.0f} messages/s", "", None),
        Row(f"{name}: {IDLE:,} idle workspaces, the minute's round", f"{minute:.2f} s", "", None),
        Row(f"{name}: {IDLE:,} idle workspaces, the hour's purge", f"{hour:.2f} s", "", None),
    ]
    if flow.engine.dialect.name == "postgresql":
        found.append(Row(f"{name}: largest indexes, bytes a message", _largest(flow.engine), "", None))
    flow.engine.dispose()
    return found


def play(flow: Flow) -> Month:
    """Thirty days, one after the other, ten of which are kept."""
    others = [scene.furnish(flow, 0, f"bench{n}") for n in range(2, INSTALLS + 1)]
    tenants = [scene.furnish(flow, 3), *others]
    begun = utc_now() - timedelta(days=DAYS)
    month = Month()
    for day in range(DAYS):
        ended = begun + timedelta(days=day + 1)
        _write_a_day(flow, tenants, day, ended - timedelta(days=1))
        _purge_a_day(_at(flow, ended), month)
        growth.vacuum(flow.engine)
        if day == KEPT - 1:
            month.bytes_at_first = _bytes_each(flow.engine)
        if day in {0, DAYS - 1}:
            month.canvas.append(min(growth.look_once(flow) for _ in range(growth.LOOKS)))
    month.bytes_at_last = _bytes_each(flow.engine)
    return month


def _at(flow: Flow, now: datetime) -> Flow:
    return replace(flow, clock=lambda: now, retention_days=KEPT)


def _idle_rounds(flow: Flow) -> tuple[float, float]:
    """Seconds of a worker's minute and hour with many workspaces in which nothing is due."""
    now = utc_now()
    idle = {"platform": "hubspot", "status": "active", "settings": {}, "created_at": now, "updated_at": now}
    with writing(flow.engine) as conn:
        conn.execute(insert(installs), [{**idle, "external_id": f"idle-{n}"} for n in range(IDLE)])
    insights.keep_counting(flow)
    purge(flow)
    return _seconds(flow, discovery.keep_looking, insights.keep_counting), _seconds(flow, purge)


def _seconds(flow: Flow, *deeds: Callable[[Flow], object]) -> float:
    began = time.perf_counter()
    for deed in deeds:
        deed(flow)
    return time.perf_counter() - began


def _write_a_day(flow: Flow, tenants: list[int], day: int, begun: datetime) -> None:
    """The day's messages: taken by Octopods, sent, then delivered or failed."""
    rows = _settled(flow, tenants, day, begun)
    while lot := list(islice(rows, LOT)):
        with writing(flow.engine) as conn:
            conn.execute(insert(messages), [_taken(row) for row in lot])
        with writing(flow.engine) as conn:
            _change(conn, [{"id": row["id"], "status": "sent"} for row in lot])
        with writing(flow.engine) as conn:
            _change(conn, [{"id": row["id"], **{name: row[name] for name in SETTLED}} for row in lot])
            half = [row for number, row in enumerate(lot) if row["open"] and number % 24 == 0]
            _change(conn, [{"id": row["id"], "open": False, "handled_at": row["created_at"]} for row in half])


def _settled(flow: Flow, tenants: list[int], day: int, begun: datetime) -> Iterator[dict[str, Any]]:
    """The day's rows as they are in the end, spread over the installs."""
    gap = timedelta(days=1) / A_DAY
    for number, message in enumerate(made.many(flow.catalogue, 0, begun, A_DAY)):
        at = begun + number * gap
        id_ = new_id("msg", at)
        times = {"created_at": at, "updated_at": at, "sent_at": at}
        ids = {"id": id_, "thread_id": id_, "octopods_id": f"{day}-{number}"}
        yield {**to_row(message), **ids, **times, "install_id": tenants[number % len(tenants)]}


def _taken(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it was written when Octopods took the message."""
    return {**row, **dict.fromkeys(SETTLED), "status": "sending", "open": False}


def _change(conn: Connection, changes: list[dict[str, Any]]) -> None:
    """The same columns of many rows, each with its own values."""
    if changes:
        names = [name for name in changes[0] if name != "id"]
        values = {**{name: bindparam(f"b_{name}") for name in names}, "version": messages.c.version + 1}
        statement = update(messages).where(messages.c.id == bindparam("b_id")).values(values)
        conn.execute(statement, [{f"b_{name}": value for name, value in row.items()} for row in changes])


def _purge_a_day(flow: Flow, month: Month) -> None:
    began = time.perf_counter()
    done = purge(flow)
    month.purging += time.perf_counter() - began if done.messages else 0
    month.purged += done.messages


def _bytes_each(engine: Engine) -> float:
    with reading(engine) as conn:
        kept = conn.execute(select(func.count()).select_from(messages)).scalar_one()
    return growth.size(engine) / kept


def _largest(engine: Engine) -> str:
    """The indexes that take most, by name."""
    query = text(
        "SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes WHERE relname = 'messages' "
        "ORDER BY 2 DESC LIMIT :most"
    )
    with reading(engine) as conn:
        kept = conn.execute(select(func.count()).select_from(messages)).scalar_one()
        found = conn.execute(query, {"most": LARGEST}).all()
    return ", ".join(f"{name} {size / kept:.0f}" for name, size in found)
