"""The first canvas with 1,000,000 stored messages against 1,000, on both databases; and the bytes one message takes.

BENCH_ROWS sets the larger number.
"""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text

from canvas.domain.ids import new_id
from canvas.flows.context import Flow, utc_now
from canvas.flows.first_screens import SHOWN
from canvas.flows.look import Person, look_at
from canvas.store import installs, messages
from canvas.store.database import reading, writing
from canvas.store.tables import messages as table
from tests import postgres
from tests.bench import scene
from tests.bench.rows import Row

SMALL = 1_000
LARGE = int(os.environ.get("BENCH_ROWS", "1000000"))
LOOKS = 400
FAILED_SHARE = 20  # one message in so many failed and is still open


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        found = _on("SQLite", *(f"sqlite:///{folder}/{name}.db" for name in ("small", "large")))
    if postgres.binaries() is None:
        return [*found, Row("growth on PostgreSQL", "PostgreSQL is not installed", "<= 1.2", None)]
    with postgres.server() as server:
        return found + _on("PostgreSQL", server.new_database("small"), server.new_database("large"))


def _on(name: str, small_url: str, large_url: str) -> list[Row]:
    small, large = scene.open_flow(small_url), scene.open_flow(large_url)
    grow(small, scene.furnish(small, 3), SMALL)
    install_id = scene.furnish(large, 3)
    before = size(large.engine)
    grow(large, install_id, LARGE)
    vacuum(large.engine)
    each = (size(large.engine) - before) / LARGE
    few, many = medians(small, large)
    for flow in (small, large):
        flow.engine.dispose()
    figure = f"{many / few:.2f} ({many:.0f} of {few:.0f} µs)"
    what = f"{name}: drawing a canvas with {LARGE:,} messages, of {SMALL:,}"
    return [
        Row(what, figure, "<= 1.2", many <= 1.2 * few),
        Row(f"{name}: a message with its indexes", f"{each:.0f} bytes", "", None),
    ]


def grow(flow: Flow, install_id: int, how_many: int) -> None:
    """Messages as a month leaves them: mostly delivered, one in twenty failed and open, each to its own person."""
    with reading(flow.engine) as conn:
        model = messages.open_for_person(conn, install_id, scene.CONTACT, (), 1)[0][0]
    failed = messages.to_row(model)
    arrived = messages.to_row(replace(model, open=False, failure=None, failure_raw=None, diagnosis=None))
    arrived["status"] = "delivered"
    begun = utc_now() - timedelta(days=30)
    for start in range(0, how_many, 20_000):
        batch = [
            _row(failed if n % FAILED_SHARE == 0 else arrived, begun + timedelta(seconds=n * 2.5), n)
            for n in range(start, min(start + 20_000, how_many))
        ]
        with writing(flow.engine) as conn:
            conn.execute(insert(table), batch)


def _row(model: dict[str, Any], at: Any, number: int) -> dict[str, Any]:
    id_ = new_id("msg", at)
    phone = f"+4670{number:08d}"
    return {
        **model, "id": id_, "thread_id": id_, "octopods_id": id_[-12:], "contact_id": f"p{number}", "to": phone,
        "raw_to": phone, "created_at": at, "updated_at": at,
    }  # fmt: skip


def medians(small: Flow, large: Flow) -> tuple[float, float]:
    """Microseconds of a drawing on each, taken in turns so that a busy moment of the machine meets both."""
    gc.collect()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(LOOKS):
        for flow, times in zip((small, large), taken, strict=True):
            times.append(look_once(flow))
    return statistics.median(taken[0]) * 1e6, statistics.median(taken[1]) * 1e6


def look_once(flow: Flow) -> float:
    """Seconds to read and draw what one person's screen shows, nothing remembered."""
    person = Person(scene.CONTACT, (scene.PHONE,), None)
    began = time.perf_counter()
    with reading(flow.engine) as conn:
        install = installs.find(conn, "intercom", scene.WORKSPACE)
        assert install
        found = messages.open_rows(conn, install.id, person.contact_id, person.numbers, SHOWN)
        look_at(conn, flow, install, person, found)
    return time.perf_counter() - began


def vacuum(engine: Engine) -> None:
    """What PostgreSQL does by itself, in time."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE messages"))


def size(engine: Engine) -> int:
    """Bytes of the messages with all their indexes."""
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            return int(conn.execute(text("SELECT pg_total_relation_size('messages')")).scalar_one())
        conn.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return Path(str(engine.url.database)).stat().st_size
