"""The history's first page at 1,000 and at 1,000,000 messages, for every filter, on both databases."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text

from canvas.domain.ids import new_id
from canvas.knowledge.catalogue import load
from canvas.store import history, installs, migrate
from canvas.store.database import open_engine, reading, writing
from canvas.store.history import Filter
from canvas.store.messages import to_row
from canvas.store.tables import messages
from tests import postgres
from tests.bench.rows import Row
from tests.history import made

SMALL, LARGE = 1_000, int(os.environ.get("BENCH_MESSAGES", "1000000"))
RUNS = 40
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FILTERS: dict[str, Filter] = {
    "no filter": Filter(),
    "needs a look": Filter(state="attention"),
    "failed": Filter(state="failed"),
    "arrived": Filter(state="arrived"),
    "waiting": Filter(state="waiting"),
    "reason": Filter(reason="template_paused"),
    "category": Filter(category="recipient"),
    "channel": Filter(channel="vbm"),
    "template": Filter(template="90003"),
    "sender": Filter(sender="key:0002"),
    "contact": Filter(contact="c17"),
    "dates": Filter(until=START + timedelta(minutes=10)),
    "last digits": Filter(number="7919"),
    "an id": Filter(ident="6000500"),
    "a word that is common": Filter(words="parcel"),
    "a word that is nowhere": Filter(words="zebra"),
    "three joined": Filter(channel="whatsapp", state="failed", sender="key:0001"),
    "three joined, none fits": Filter(channel="sms", state="failed", template="90002"),
}


def _fill(engine: Engine, count: int) -> int:
    """An install with so many messages, a second apart."""
    with writing(engine) as conn:
        install_id = installs.put(conn, "intercom", "bench", START).id
    pattern = [
        to_row(m) for m in made.many(load(), install_id, START, 8400)
    ]  # every cycle of `many` ends here
    for begin in range(0, count, 20_000):
        with writing(engine) as conn:
            conn.execute(insert(messages), list(_rows(pattern, begin, min(begin + 20_000, count))))
    with engine.connect() as conn, conn.begin():
        conn.execute(text("ANALYZE messages" if engine.dialect.name == "postgresql" else "SELECT 1"))
    return install_id


def _rows(pattern: list[dict[str, Any]], begin: int, end: int) -> Iterator[dict[str, Any]]:
    for i in range(begin, end):
        at = START + timedelta(seconds=i)
        id_ = new_id("msg", at)
        times = {"created_at": at, "updated_at": at, "sent_at": at}
        yield {
            **pattern[i % len(pattern)],
            "id": id_,
            "thread_id": id_,
            "octopods_id": str(6000000 + i),
            "contact_id": f"c{i % 5000}",
            **times,
        }


def _medians(small: Callable[[], Any], large: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of each; the two take turns, so that whatever else the machine does meets both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for question, kept in zip((small, large), times, strict=True):
            began = time.perf_counter()
            question()
            kept.append(time.perf_counter() - began)
    return statistics.median(times[0][3:]), statistics.median(times[1][3:])


def _ask(engine: Engine, install_id: int, f: Filter, size: int) -> Callable[[], Any]:
    def question() -> Any:
        with reading(engine) as conn:
            return history.page(conn, install_id, f, size=size)

    return question


def _row(kind: str, what: str, sides: list[tuple[Engine, int]]) -> Row:
    f = FILTERS[what]
    with reading(sides[0][0]) as conn:
        # Both sides draw as many lines as the small one has: what is compared is the finding.
        size = max(1, len(history.page(conn, sides[0][1], f).entries))
    small, large = _medians(*(_ask(engine, install_id, f, size) for engine, install_id in sides))
    measured = f"{large / small:.2f} ({small * 1000:.2f} -> {large * 1000:.2f} ms)"
    name = f"history, {what}: {LARGE:,} / {SMALL:,} messages, {kind}"
    if "joined" in what:
        return Row(name, measured, f"at most {history.SCAN:,} looked at", None)
    return Row(name, measured, "<= 1.2", large / small <= 1.2)


@contextmanager
def _databases() -> Iterator[dict[str, Callable[[str], str]]]:
    """A way to a new database of each kind, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        made_ = {"SQLite": lambda name: f"sqlite:///{Path(folder) / name}.db"}
        if postgres.binaries() is None:
            yield made_
            return
        with postgres.server() as server:
            yield {**made_, "PostgreSQL": server.new_database}


def _compare(kind: str, new: Callable[[str], str]) -> Iterator[Row]:
    sides = []
    for name, count in (("small", SMALL), ("large", LARGE)):
        engine = open_engine(new(name))
        migrate.upgrade(engine)
        sides.append((engine, _fill(engine, count)))
    for what in FILTERS:
        yield _row(kind, what, sides)
    for engine, _ in sides:
        engine.dispose()


def rows() -> list[Row]:
    with _databases() as databases:
        return [row for kind, new in databases.items() for row in _compare(kind, new)]
