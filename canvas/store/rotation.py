"""Sealing everything again with the newest key, in small steps beside the running app."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, select, update

from canvas.store import installs
from canvas.store.channels import move_limits
from canvas.store.database import reading, writing
from canvas.store.sealing import CannotOpen, Sealer
from canvas.store.tables import channels, metadata
from canvas.store.tables import installs as install_table


@dataclass(slots=True)
class Rotated:
    """How many secrets were sealed anew, were so already, or cannot be opened (as `table.column row`).

    A secret within an install's settings is told as `installs.settings.alerts.secret_sealed row`.
    """

    resealed: int = 0
    newest: int = 0
    fingerprints: int = 0
    lost: list[str] = field(default_factory=list)


def rotate(engine: Engine, sealer: Sealer) -> Rotated:
    """Seal every `*_sealed` column and setting with the newest key. Stopped half-way, run it again: it goes on.

    Keys are also found by their fingerprint, which depends on SECRET_KEY; a changed one is renewed here.
    """
    done = Rotated()
    for table in metadata.sorted_tables:
        for column in table.c:
            if column.name.endswith("_sealed"):
                _column(engine, sealer, table, column, done)
    _settings(engine, sealer, done)
    _fingerprints(engine, sealer, done)
    return done


def _column(engine: Engine, sealer: Sealer, table: Table, column: ColumnElement[str], done: Rotated) -> None:
    keys = list(table.primary_key)
    with reading(engine) as conn:
        found = conn.execute(select(column, *keys).where(column.is_not(None), column != "")).all()
    for sealed, *ids in found:
        fresh = _anew(sealer, sealed, f"{table.name}.{column.key} {' '.join(map(str, ids))}", done)
        if fresh is None:
            continue
        same = [key == id_ for key, id_ in zip(keys, ids, strict=True)]
        with writing(engine) as conn:
            # Only over what was read: a token refreshed meanwhile is sealed with the newest key already.
            change = update(table).where(*same, column == sealed).values({column.key: fresh})
            done.resealed += conn.execute(change).rowcount


def _anew(sealer: Sealer, sealed: str, where: str, done: Rotated) -> str | None:
    """The same secret under the newest key; None where it is so already, or cannot be opened."""
    if sealer.is_newest(sealed):
        done.newest += 1
        return None
    try:
        return sealer.reseal(sealed)
    except CannotOpen:
        done.lost.append(where)
        return None


def _settings(engine: Engine, sealer: Sealer, done: Rotated) -> None:
    with reading(engine) as conn:
        ids = [install.id for install in installs.everyone(conn)]
    for id_ in ids:
        with writing(engine) as conn:
            held = installs.locked(conn, id_)  # one document for all settings: nobody may change it meanwhile
            settings = deepcopy(held.settings) if held else {}
            for path, document, name in _sealed_in(settings, "installs.settings"):
                if fresh := _anew(sealer, document[name], f"{path} {id_}", done):
                    document[name] = fresh
                    done.resealed += 1
            if held and settings != held.settings:
                conn.execute(update(install_table).where(install_table.c.id == id_).values(settings=settings))


def _sealed_in(document: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every sealed secret of a document: its path, and the object and the member that hold it."""
    for name, value in list(document.items()):
        if isinstance(value, dict):
            yield from _sealed_in(value, f"{path}.{name}")
        elif name.endswith("_sealed") and value:
            yield f"{path}.{name}", document, name


def _fingerprints(engine: Engine, sealer: Sealer, done: Rotated) -> None:
    with reading(engine) as conn:
        query = select(channels.c.key_sealed, channels.c.key_hash)
        found = conn.execute(query.where(channels.c.key_sealed != "")).all()
    for sealed, known in found:
        try:
            wanted = sealer.fingerprint(sealer.open(sealed))
        except CannotOpen:
            continue  # told above
        if wanted != known:
            with writing(engine) as conn:
                change = update(channels).where(channels.c.key_hash == known).values(key_hash=wanted)
                done.fingerprints += conn.execute(change).rowcount
                move_limits(conn, known, wanted)
