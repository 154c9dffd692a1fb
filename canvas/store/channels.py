"""Channels of an install, their sealed keys, and the limits that belong to a key wherever it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.tables import channels, key_limits


@dataclass(frozen=True, slots=True)
class Channel:
    """One connected line. `blocked_until` is the time before which its key may not be used."""

    id: int
    install_id: int
    kind: str
    name: str
    number: str | None
    key_sealed: str = field(repr=False)
    key_hash: str = field(repr=False)
    key_last4: str
    worked_at: datetime | None
    changed_at: datetime
    created_at: datetime
    removed_at: datetime | None
    blocked_until: datetime | None


_all = select(channels, key_limits.c.blocked_until).select_from(
    channels.outerjoin(key_limits, key_limits.c.key_hash == channels.c.key_hash)
)
_present = channels.c.removed_at.is_(None)


def _from_row(row: RowMapping) -> Channel:
    return Channel(**{name: row[name] for name in Channel.__dataclass_fields__})


def of_install(conn: Connection, install_id: int) -> list[Channel]:
    """The connected channels, oldest first."""
    query = _all.where(channels.c.install_id == install_id, _present).order_by(channels.c.id)
    return [_from_row(row) for row in conn.execute(query).mappings()]


def get(conn: Connection, install_id: int, channel_id: int) -> Channel | None:
    query = _all.where(channels.c.install_id == install_id, channels.c.id == channel_id, _present)
    row = conn.execute(query).mappings().first()
    return _from_row(row) if row else None


def by_key(conn: Connection, key_hash: str) -> list[Channel]:
    """Every connected channel that uses this key, of any install."""
    query = _all.where(channels.c.key_hash == key_hash, _present).order_by(channels.c.id)
    return [_from_row(row) for row in conn.execute(query).mappings()]


def add(conn: Connection, install_id: int, now: datetime, **values: Any) -> int:
    row = {**values, "install_id": install_id, "created_at": now, "changed_at": now}
    result = conn.execute(insert(channels).values(row))
    assert result.inserted_primary_key
    return int(result.inserted_primary_key[0])


def change(conn: Connection, install_id: int, channel_id: int, now: datetime, **values: Any) -> bool:
    where = (channels.c.install_id == install_id) & (channels.c.id == channel_id) & _present
    return conn.execute(update(channels).where(where).values(**values, changed_at=now)).rowcount == 1


def remove(conn: Connection, install_id: int, channel_id: int, now: datetime) -> bool:
    """Disconnect a channel; its messages stay readable, its key is forgotten."""
    where = (channels.c.install_id == install_id) & (channels.c.id == channel_id) & _present
    values = {"removed_at": now, "key_sealed": "", "key_hash": f"removed:{channel_id}"}
    return conn.execute(update(channels).where(where).values(values)).rowcount == 1


def worked(conn: Connection, channel_id: int, now: datetime) -> None:
    """Remember that Octopods just accepted a send on this channel."""
    conn.execute(update(channels).where(channels.c.id == channel_id).values(worked_at=now))


def _limit_row(conn: Connection, key_hash: str) -> None:
    if conn.execute(select(key_limits.c.key_hash).where(key_limits.c.key_hash == key_hash)).first() is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(key_limits).values(key_hash=key_hash))
        except IntegrityError:
            return  # somebody else was faster; the row is there, which is all that is asked


def block(conn: Connection, key_hash: str, until: datetime) -> None:
    """Stop every send and poll on this key until then; a later block already there stays."""
    _limit_row(conn, key_hash)
    sooner = or_(key_limits.c.blocked_until.is_(None), key_limits.c.blocked_until < until)
    where = (key_limits.c.key_hash == key_hash) & sooner
    conn.execute(update(key_limits).where(where).values(blocked_until=until))


def blocked_until(conn: Connection, key_hash: str, now: datetime) -> datetime | None:
    """The end of this key's block, or None when it is free."""
    query = select(key_limits.c.blocked_until).where(key_limits.c.key_hash == key_hash)
    until: datetime | None = conn.execute(query).scalar()
    return until if until and until > now else None


def take_poll_turn(conn: Connection, key_hash: str, now: datetime, spacing: timedelta) -> datetime | None:
    """Take this key's turn to ask Octopods something; the time of the next turn when it is not ours."""
    _limit_row(conn, key_hash)
    free = or_(key_limits.c.next_poll_at.is_(None), key_limits.c.next_poll_at <= now)
    where = (key_limits.c.key_hash == key_hash) & free
    if conn.execute(update(key_limits).where(where).values(next_poll_at=now + spacing)).rowcount == 1:
        return None
    query = select(key_limits.c.next_poll_at).where(key_limits.c.key_hash == key_hash)
    at: datetime = conn.execute(query).scalar_one()
    return at
