"""One engine, two databases: SQLite by default, PostgreSQL by URL; the same questions run on both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Dialect,
    Engine,
    PoolProxiedConnection,
    Select,
    String,
    Text,
    cast,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

PATIENCE = 4.0  # seconds a screen waits for a locked database; it must still answer within eight


# As many connections as a process has threads, so that none is opened for one question; the last used comes first.
POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_use_lifo": True}


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime kept as epoch milliseconds: small, sortable, and alike on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


class Words(TypeDecorator[str]):
    """Text of any length, as vendors and customers send it.

    What PostgreSQL takes in no text, though JSON may hold it, is kept and looked for as U+FFFD: NUL, and halves of
    characters.
    """

    impl: type[String] = Text
    cache_ok = True
    _UNSTORABLE = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        return value.translate(self._UNSTORABLE)


class Name(Words):
    """The same, of so many characters at most."""

    impl = String
    cache_ok = True


class Document(TypeDecorator[Any]):
    """JSON whose members the database is asked for. PostgreSQL answers only where every text in it could be stored.

    Contents of messages are not kept so: a repeat is known by their very words.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True
    _words = Words()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, str):
            return self._words.process_bind_param(value, dialect)
        if isinstance(value, dict):
            return {
                self.process_bind_param(k, dialect): self.process_bind_param(v, dialect)
                for k, v in value.items()
            }
        return (
            [self.process_bind_param(v, dialect) for v in value] if isinstance(value, list | tuple) else value
        )

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)


class VendorId(Name):
    """A vendor's name for something; one that is longer than any documented is kept as far as it fits."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        words = super().process_bind_param(value, dialect)
        return words and words[: self.length]


def open_engine(url: str, patience: float = PATIENCE) -> Engine:
    """The engine for `sqlite:///path` or `postgresql://…`; `patience` is how many seconds it waits for a lock.

    Its errors never show the values of a statement.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            hide_parameters=True,
            connect_args={"timeout": patience, "check_same_thread": False},
            pool_timeout=patience,
            **POOL,
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
        pool_timeout=patience,
        connect_args=waits,
        **POOL,
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
        if connection.get_execution_options().get("write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.connection.cursor().execute("BEGIN")  # it waits for nobody, so it cannot fail


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


Row = tuple[Any, ...]


class RawConnection(NamedTuple):
    """A driver's connection for `CompiledQuery`s alone, each a transaction of its own on SQLite."""

    connection: PoolProxiedConnection
    dialect: Dialect


@contextmanager
def raw_connection(engine: Engine) -> Iterator[RawConnection]:
    """The cheapest way to ask: nothing of SQLAlchemy but its pool."""
    connection = engine.raw_connection()
    try:
        yield RawConnection(connection, engine.dialect)
    finally:
        connection.close()


class _Compiled(NamedTuple):
    sql: str
    names: list[str] | None  # the order of the parameters, where the driver takes them by place
    literals: dict[str, Any]
    columns: list[tuple[str, Callable[[Any], Any] | None]]


class CompiledQuery:
    """A `select` that every screen asks: compiled once for each database, then handed to the driver as it is.

    Going through SQLAlchemy's execution each time costs several times what the database itself takes, and these
    few are most of what a screen does (`make bench`). Parameters are plain text and numbers.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._types = [column.type for column in query.selected_columns]
        # JSON as text on both databases, so that rows are plain values and can be compared and hashed.
        plain = [
            cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
            for column in query.selected_columns
        ]
        self._query = query.with_only_columns(*plain, maintain_column_froms=True)
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, conn: Connection | RawConnection, **values: Any) -> tuple[Row, ...]:
        """The rows as the driver gives them; `read` makes sense of them."""
        made = self._for(conn.dialect)
        given = {**made.literals, **values}
        cursor = conn.connection.cursor()
        cursor.execute(made.sql, given if made.names is None else [given[name] for name in made.names])
        rows = cursor.fetchall()
        cursor.close()
        return tuple(rows)

    def read(self, dialect: Dialect, rows: tuple[Row, ...]) -> list[dict[str, Any]]:
        """The rows by column name, each value by its column's type."""
        columns = self._for(dialect).columns
        return [
            {name: read(value) if read else value for (name, read), value in zip(columns, row, strict=True)}
            for row in rows
        ]

    def _for(self, dialect: Dialect) -> _Compiled:
        made = self._compiled.get(dialect.name)
        if made is None:
            compiled = self._query.compile(dialect=dialect)
            names = list(compiled.positiontup) if compiled.positiontup is not None else None
            readers = (_reader(type_, dialect) for type_ in self._types)
            columns = list(
                zip((column.name for column in self._query.selected_columns), readers, strict=True)
            )
            made = self._compiled[dialect.name] = _Compiled(str(compiled), names, compiled.params, columns)
        return made


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(type_, JSON):
        return lambda text: None if text is None else json.loads(text)
    return type_.dialect_impl(dialect).result_processor(dialect, None)
