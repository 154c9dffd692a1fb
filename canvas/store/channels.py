"""Channels of an install, their sealed keys, and the limits that belong to a key wherever it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from canvas.domain.schedule import LESSON, poll_spacing
from canvas.store.installs import ACTIVE
from canvas.store.tables import channels, installs, key_limits

MINUTE = timedelta(minutes=1)


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


def from_row(row: RowMapping | dict[str, Any]) -> Channel:
    """The channel of one row."""
    return Channel(**{name: row[name] for name in Channel.__dataclass_fields__})


def of_install(conn: Connection, install_id: int) -> list[Channel]:
    """The connected channels, oldest first."""
    query = _all.where(channels.c.install_id == install_id, _present).order_by(channels.c.id)
    return [from_row(row) for row in conn.execute(query).mappings()]


def get(conn: Connection, install_id: int, channel_id: int) -> Channel | None:
    query = _all.where(channels.c.install_id == install_id, channels.c.id == channel_id, _present)
    row = conn.execute(query).mappings().first()
    return from_row(row) if row else None


def by_key(conn: Connection, key_hash: str) -> list[Channel]:
    """Every connected channel that uses this key, of any install."""
    query = _all.where(channels.c.key_hash == key_hash, _present).order_by(channels.c.id)
    return [from_row(row) for row in conn.execute(query).mappings()]


def listed(conn: Connection) -> list[Channel]:
    """Every connected WhatsApp channel of every active install: those whose messages Octopods lists."""
    joined = _all.join(installs, installs.c.id == channels.c.install_id)
    query = joined.where(channels.c.kind == "whatsapp", _present, installs.c.status == ACTIVE)
    return [from_row(row) for row in conn.execute(query).mappings()]


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
    """Octopods answered 429: stop every send and poll on this key until then; a later block already there stays.

    What the key bore until now is remembered as what it tolerates.
    """
    _limit_row(conn, key_hash)
    row = key_limits.c
    sooner = or_(row.blocked_until.is_(None), row.blocked_until < until)
    conn.execute(update(key_limits).where(row.key_hash == key_hash, sooner).values(blocked_until=until))
    busiest = case((row.used > row.used_before, row.used), else_=row.used_before)
    bore = case((busiest < 1, 1), else_=busiest)
    less = or_(row.tolerated.is_(None), row.tolerated > bore)
    conn.execute(update(key_limits).where(row.key_hash == key_hash, less).values(tolerated=bore))


def note_use(conn: Connection, key_hash: str, now: datetime) -> None:
    """Count one request on this key; more in a minute than was ever seen tolerated is tolerated, too."""
    _limit_row(conn, key_hash)
    row = key_limits.c
    minute = now.replace(second=0, microsecond=0)
    same = row.minute == minute
    used = case((same, row.used + 1), else_=1)
    before = case((same, row.used_before), (row.minute == minute - MINUTE, row.used), else_=0)
    raised = case((row.tolerated < row.used, row.used), else_=row.tolerated)
    values = {"minute": minute, "used": used, "used_before": before, "tolerated": raised}
    conn.execute(update(key_limits).where(row.key_hash == key_hash).values(values))


def blocked_until(conn: Connection, key_hash: str, now: datetime) -> datetime | None:
    """The end of this key's block, or None when it is free."""
    query = select(key_limits.c.blocked_until).where(key_limits.c.key_hash == key_hash)
    until: datetime | None = conn.execute(query).scalar()
    return until if until and until > now else None


def take_poll_turn(conn: Connection, key_hash: str, now: datetime, least: timedelta) -> datetime | None:
    """Take this key's turn to ask Octopods something; else the time when a turn of our own comes.

    Turns are at least `least` apart over all processes, and more where a 429 taught us how little the key bears.
    """
    _limit_row(conn, key_hash)
    where = key_limits.c.key_hash == key_hash
    tolerated, until = conn.execute(
        select(key_limits.c.tolerated, key_limits.c.blocked_until).where(where)
    ).one()
    spacing = poll_spacing(least, tolerated if until and now - until < LESSON else None)
    free = or_(key_limits.c.next_poll_at.is_(None), key_limits.c.next_poll_at <= now)
    if conn.execute(update(key_limits).where(where, free).values(next_poll_at=now + spacing)).rowcount == 1:
        note_use(conn, key_hash, now)
        return None
    # Each of those who wait gets a time of its own, so that they do not all come back at once.
    query = select(key_limits.c.next_poll_at, key_limits.c.poll_tail).where(where)
    next_at, tail = conn.execute(query).one()
    turn: datetime = max(next_at, tail or next_at)
    conn.execute(update(key_limits).where(where).values(poll_tail=turn + spacing))
    return turn
