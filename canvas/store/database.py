"""One engine, two databases: SQLite by default, PostgreSQL by URL; the same questions run on both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.types import TypeDecorator

PATIENCE = 4.0  # seconds a screen waits for a locked database; it must still answer within eight


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime kept as epoch milliseconds: small, sortable, and alike on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def open_engine(url: str, patience: float = PATIENCE) -> Engine:
    """The engine for `sqlite:///path` or `postgresql://…`; `patience` is how many seconds it waits for a lock.

    Its errors never show the values of a statement.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed, hide_parameters=True, connect_args={"timeout": patience, "check_same_thread": False}
        )
        _teach_sqlite(engine)
        return engine
    waits = {
        "connect_timeout": max(2, round(patience)),
        "options": f"-c lock_timeout={round(patience * 1000)}",
    }
    return create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=patience,
        connect_args=waits,
    )


def _teach_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a fact once acknowledged survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: upgrading a read lock later can fail with "database is locked".
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed when the block ends, rolled back when it raises."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        yield connection
