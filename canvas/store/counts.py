"""Counters added up over all processes and machines."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.tables import counts

Key = tuple[str, str, str]  # the counter's name and its two labels


def add(conn: Connection, more: Mapping[Key, int]) -> None:
    """Add to the counters; those not there begin at zero."""
    for key in sorted(more):  # always in one order, so that two processes cannot wait for each other
        _add(conn, key, more[key])


def _add(conn: Connection, key: Key, value: int) -> None:
    name, label, sublabel = key
    mine = (counts.c.name == name) & (counts.c.label == label) & (counts.c.sublabel == sublabel)
    grown = update(counts).where(mine).values(value=counts.c.value + value)
    if conn.execute(grown).rowcount == 1:
        return
    try:
        with conn.begin_nested():
            conn.execute(insert(counts).values(name=name, label=label, sublabel=sublabel, value=value))
    except IntegrityError:
        conn.execute(grown)  # another process began it meanwhile


def everything(conn: Connection) -> dict[Key, int]:
    rows = conn.execute(select(counts).order_by(counts.c.name, counts.c.label, counts.c.sublabel))
    return {(row.name, row.label, row.sublabel): row.value for row in rows}
