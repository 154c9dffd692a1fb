"""Channels of an install, their sealed keys, and the limits that belong to a key wherever it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from canvas.domain.schedule import LESSON, poll_spacing
from canvas.store.installs import ACTIVE
from canvas.store.tables import channels, installs, key_limits

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Channel:
    """One connected channel.

    `worked_at` is its last accepted send, `delivered_at` when the newest message known to be delivered was sent (to
    a minute), `changed_at` when its key was last changed or an admin said that it is repaired. Before `blocked_until`
    its key may not be used.
    """

    id: int
    install_id: int
    kind: str
    name: str
    number: str | None
    key_sealed: str = field(repr=False)
    key_hash: str = field(repr=False)
    key_last4: str
    worked_at: datetime | None
    delivered_at: datetime | None
    changed_at: datetime
    created_at: datetime
    removed_at: datetime | None
    blocked_until: datetime | None

    def waits(self, now: datetime) -> datetime | None:
        """The end of its key's block, or None when it is free."""
        return self.blocked_until if self.blocked_until and self.blocked_until > now else None


_all = select(channels, key_limits.c.blocked_until).select_from(
    channels.outerjoin(key_limits, key_limits.c.key_hash == channels.c.key_hash)
)
_present = channels.c.removed_at.is_(None)
_GET = _all.where(
    channels.c.install_id == bindparam("tenant"), channels.c.id == bindparam("channel"), _present
)
_BY_KEY = _all.where(channels.c.key_hash == bindparam("hash"), _present).order_by(channels.c.id)
_WORKED = update(channels).where(channels.c.id == bindparam("channel")).values(worked_at=bindparam("at"))
# Once a minute is proof enough; each delivery would keep the row, and the screens drawn from it, changing all the time.
_older = or_(channels.c.delivered_at.is_(None), channels.c.delivered_at < bindparam("before"))
_DELIVERED = (
    update(channels).where(channels.c.id == bindparam("channel"), _older).values(delivered_at=bindparam("at"))
)


def from_row(row: RowMapping | dict[str, Any]) -> Channel:
    """The channel of one row."""
    return Channel(**{name: row[name] for name in Channel.__dataclass_fields__})


def of_install(conn: Connection, install_id: int) -> list[Channel]:
    """The connected channels, oldest first."""
    query = _all.where(channels.c.install_id == install_id, _present).order_by(channels.c.id)
    return [from_row(row) for row in conn.execute(query).mappings()]


def get(conn: Connection, install_id: int, channel_id: int) -> Channel | None:
    row = conn.execute(_GET, {"tenant": install_id, "channel": channel_id}).mappings().first()
    return from_row(row) if row else None


def by_key(conn: Connection, key_hash: str) -> list[Channel]:
    """Every connected channel that uses this key, of any install."""
    return [from_row(row) for row in conn.execute(_BY_KEY, {"hash": key_hash}).mappings()]


def listed(conn: Connection) -> list[Channel]:
    """Every connected WhatsApp channel of every active install: those whose messages Octopods lists."""
    joined = _all.join(installs, installs.c.id == channels.c.install_id)
    query = joined.where(channels.c.kind == "whatsapp", _present, installs.c.status == ACTIVE)
    return [from_row(row) for row in conn.execute(query).mappings()]


def hold_key(conn: Connection, key_hash: str) -> None:
    """Until this transaction ends, nobody else who holds this key gets past here: it goes to one install."""
    # On SQLite a transaction that writes is alone from its beginning.
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key_hash, 0))))


def add(conn: Connection, install_id: int, now: datetime, **values: Any) -> int:
    row = {**values, "install_id": install_id, "created_at": now, "changed_at": now}
    result = conn.execute(insert(channels).values(row))
    assert result.inserted_primary_key
    return int(result.inserted_primary_key[0])


def change(conn: Connection, install_id: int, channel_id: int, now: datetime, **values: Any) -> bool:
    """Whether there is such a channel. `changed_at` among the values says that it works no better than before."""
    where = (channels.c.install_id == install_id) & (channels.c.id == channel_id) & _present
    return conn.execute(update(channels).where(where).values({"changed_at": now, **values})).rowcount == 1


def remove(conn: Connection, install_id: int, channel_id: int, now: datetime) -> bool:
    """Disconnect a channel; its messages stay readable, its key is forgotten."""
    where = (channels.c.install_id == install_id) & (channels.c.id == channel_id) & _present
    values = {"removed_at": now, "key_sealed": "", "key_hash": f"removed:{channel_id}"}
    return conn.execute(update(channels).where(where).values(values)).rowcount == 1


def worked(conn: Connection, channel_id: int, now: datetime) -> None:
    """Remember that Octopods just accepted a send on this channel."""
    conn.execute(_WORKED, {"channel": channel_id, "at": now})


def delivered(conn: Connection, channel_id: int, sent_at: datetime) -> None:
    """Remember that a message sent on this channel at that time was delivered."""
    conn.execute(_DELIVERED, {"channel": channel_id, "at": sent_at, "before": sent_at - MINUTE})


def _limit_row(conn: Connection, key_hash: str) -> None:
    if conn.execute(select(key_limits.c.key_hash).where(key_limits.c.key_hash == key_hash)).first() is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(key_limits).values(key_hash=key_hash))
        except IntegrityError:
            return  # somebody else was faster; the row is there, which is all that is asked


def move_limits(conn: Connection, old: str, new: str) -> None:
    """A key is found by another hash from now on, and its limits with it; of two rows the longer block counts."""
    both = key_limits.c.key_hash.in_([old, new])
    longest_first = key_limits.c.blocked_until.desc().nulls_last()
    found = conn.execute(select(key_limits.c.key_hash).where(both).order_by(longest_first)).scalars().all()
    if found:
        conn.execute(delete(key_limits).where(key_limits.c.key_hash.in_(found[1:])))
        conn.execute(update(key_limits).where(key_limits.c.key_hash == found[0]).values(key_hash=new))


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
    given = {"hash": key_hash, **_minutes(now)}
    if conn.execute(_COUNT, given).rowcount == 0:
        _limit_row(conn, key_hash)
        conn.execute(_COUNT, given)


def _minutes(now: datetime) -> dict[str, datetime]:
    minute = now.replace(second=0, microsecond=0)
    return {"this_minute": minute, "last_minute": minute - MINUTE}


_row = key_limits.c
_same_minute = _row.minute == bindparam("this_minute")
_one_more = {
    "minute": bindparam("this_minute", type_=_row.minute.type),
    "used": case((_same_minute, _row.used + 1), else_=1),
    "used_before": case(
        (_same_minute, _row.used_before), (_row.minute == bindparam("last_minute"), _row.used), else_=0
    ),
    "tolerated": case((_row.tolerated < _row.used, _row.used), else_=_row.tolerated),
}
_of_key = _row.key_hash == bindparam("hash")
_COUNT = update(key_limits).where(_of_key).values(_one_more)
_LESSON = select(_row.tolerated, _row.blocked_until).where(_of_key)
_free = or_(_row.next_poll_at.is_(None), _row.next_poll_at <= bindparam("now"))
_TAKE_TURN = update(key_limits).where(_of_key, _free).values({**_one_more, "next_poll_at": bindparam("next")})
_QUEUE = select(_row.next_poll_at, _row.poll_tail).where(_of_key)
_WAIT = update(key_limits).where(_of_key).values(poll_tail=bindparam("tail"))


def take_poll_turn(conn: Connection, key_hash: str, now: datetime, least: timedelta) -> datetime | None:
    """Take this key's turn to ask Octopods something; else the time when a turn of our own comes.

    Turns are at least `least` apart over all processes, and more where a 429 taught us how little the key bears.
    """
    key = {"hash": key_hash}
    limit = conn.execute(_LESSON, key).first()
    if limit is None:
        _limit_row(conn, key_hash)
    taught = limit is not None and limit.blocked_until and now - limit.blocked_until < LESSON
    spacing = poll_spacing(least, limit.tolerated if limit and taught else None)
    given = {**key, **_minutes(now), "now": now, "next": now + spacing}
    if conn.execute(_TAKE_TURN, given).rowcount == 1:
        return None
    # Each of those who wait gets a time of its own, so that they do not all come back at once.
    next_at, tail = conn.execute(_QUEUE, key).one()
    turn: datetime = max(next_at, tail or next_at)
    conn.execute(_WAIT, {**key, "tail": turn + spacing})
    return turn
