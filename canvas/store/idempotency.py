"""What a customer's `Idempotency-Key` stands for: one send, and the answer it got, for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.tables import idempotency, messages

KEPT = timedelta(hours=24)
# `open`: no outcome is written down (yet); `answered`: repeats get that answer; `free`: nothing was sent, so a
# repeat may try again.
OPEN, ANSWERED, FREE = "open", "answered", "free"


class Taken(Exception):
    """Somebody else used this key at the same moment."""


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """One key, the request it was first used with, and what came of it."""

    install_id: int
    key: str
    request_hash: str
    message_id: str
    state: str
    created_at: datetime
    status: int | None = None
    content_type: str | None = None
    body: bytes | None = None


def _from_row(row: RowMapping) -> IdempotencyRecord:
    return IdempotencyRecord(**{name: row[name] for name in IdempotencyRecord.__dataclass_fields__})


def _where(install_id: int, key: str) -> Any:
    return (idempotency.c.install_id == install_id) & (idempotency.c.key == key)


def find(conn: Connection, install_id: int, key: str, now: datetime) -> IdempotencyRecord | None:
    """The record of that key, held for this transaction; one older than a day does not count.

    Its message is held before it, as by whoever writes down an outcome or erases: the other way round each would wait
    for the other.
    """
    first = select(idempotency.c.message_id).where(_where(install_id, key)).scalar_subquery()
    conn.execute(select(messages.c.id).where(messages.c.id == first).with_for_update(of=messages))
    query = select(idempotency).where(_where(install_id, key)).with_for_update()
    row = conn.execute(query).mappings().first()
    found = _from_row(row) if row else None
    return found if found and found.created_at > now - KEPT else None


def open_record(
    conn: Connection, install_id: int, key: str, request_hash: str, message_id: str, now: datetime
) -> None:
    """Bind the key to a message that is about to be sent. Raises Taken."""
    conn.execute(delete(idempotency).where(_where(install_id, key), idempotency.c.created_at <= now - KEPT))
    values = {
        "install_id": install_id,
        "key": key,
        "request_hash": request_hash,
        "message_id": message_id,
        "state": OPEN,
        "created_at": now,
    }
    try:
        with conn.begin_nested():
            conn.execute(insert(idempotency).values(values))
    except IntegrityError as error:
        raise Taken(key) from error


def reopen(conn: Connection, record: IdempotencyRecord, message_id: str) -> None:
    """Bind the key to the next attempt, since nothing was sent by the one before."""
    values = {"state": OPEN, "message_id": message_id}
    conn.execute(update(idempotency).where(_where(record.install_id, record.key)).values(values))


def answer(conn: Connection, install_id: int, key: str, status: int, content_type: str, body: bytes) -> None:
    """Keep the answer that every repeat will get."""
    values = {"state": ANSWERED, "status": status, "content_type": content_type, "body": body}
    conn.execute(update(idempotency).where(_where(install_id, key)).values(values))


def free(conn: Connection, install_id: int, key: str) -> None:
    """Let the next use of this key try again: certainly nothing was sent."""
    conn.execute(update(idempotency).where(_where(install_id, key)).values(state=FREE))


def purge(conn: Connection, now: datetime) -> int:
    """Forget the keys that are older than a day; how many."""
    return conn.execute(delete(idempotency).where(idempotency.c.created_at <= now - KEPT)).rowcount
