"""Whom and what was erased, as keyed hashes: a list or a hook that still tells of it must not bring it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.sealing import Sealer
from canvas.store.tables import erased


def put(conn: Connection, install_id: int, names: Iterable[str], at: datetime, sealer: Sealer) -> None:
    """Remember numbers, and ids of Octopods and of providers, as erased at that time."""
    # In one order: two who store the same at once do not wait for each other.
    for name_hash in sorted(sealer.fingerprint(name) for name in names):
        where = (erased.c.install_id == install_id) & (erased.c.name_hash == name_hash)
        if conn.execute(update(erased).where(where).values(erased_at=at)).rowcount:
            continue
        try:
            with conn.begin_nested():
                conn.execute(insert(erased).values(install_id=install_id, name_hash=name_hash, erased_at=at))
        except IntegrityError:
            continue  # erased twice at the same moment


def ever(conn: Connection, install_id: int, id_: str, sealer: Sealer) -> bool:
    """Whether the message of this id was erased; an id is never used again."""
    return since(conn, install_id, [id_], datetime.fromtimestamp(0, UTC), sealer)


def since(conn: Connection, install_id: int, names: Iterable[str], at: datetime, sealer: Sealer) -> bool:
    """Whether one of these numbers and ids was erased at that time or later."""
    theirs = erased.c.name_hash.in_([sealer.fingerprint(name) for name in names])
    query = select(erased.c.name_hash).where(
        erased.c.install_id == install_id, theirs, erased.c.erased_at >= at
    )
    return conn.execute(query.limit(1)).first() is not None
