"""Everything of one tenant as it is stored, one JSON object a line, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Table, select

from canvas.flows.context import Flow
from canvas.flows.installs import named
from canvas.store import erasing
from canvas.store.database import reading
from canvas.store.tables import installs, sessions

# A webhook's address is all that it takes to write there.
SECRETS = ("_sealed", "_hash", "secret", "token", "password", "csrf", "webhook")


def lines(flow: Flow, public_id: str) -> Iterator[bytes]:
    """Each row as one line of JSON. Raises Refused."""
    for row in rows_of(flow, public_id):
        try:
            yield orjson.dumps(row) + b"\n"
        except TypeError:  # half of a character, or a number beyond 64 bits, in what a customer sent
            yield json.dumps(row).encode() + b"\n"


def rows_of(flow: Flow, public_id: str) -> Iterator[dict[str, Any]]:
    """Each row as `{"table": ..., column: value, ...}`. Raises Refused.

    Times are ISO 8601 in UTC, kept answers of Octopods are text.
    """
    with reading(flow.engine) as conn:
        tenant = named(conn, public_id)
        yield from _rows(conn, installs, installs.c.id == tenant.id)
        for table in erasing.tenant_tables():
            if table is sessions:
                continue  # a session is a secret, and tells nothing else
            yield from _rows(conn, table, table.c.install_id == tenant.id)


def _rows(conn: Connection, table: Table, where: Any) -> Iterator[dict[str, Any]]:
    for row in conn.execute(select(table).where(where).order_by(*table.primary_key)).mappings():
        yield {"table": table.name, **_open(row)}


def _open(row: RowMapping) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items() if not _secret(str(name))}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items() if not _secret(str(name))}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRETS)
