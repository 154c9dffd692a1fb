"""Who asked not to be messaged: by number and channel, and by the hash of a number once its person was erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.domain.message import Message
from canvas.domain.phones import same_line
from canvas.store.sealing import Sealer
from canvas.store.tables import opt_outs

_REMOVE_OLDER = delete(opt_outs).where(
    opt_outs.c.install_id == bindparam("tenant"),
    opt_outs.c.to.in_(bindparam("line", expanding=True)),
    opt_outs.c.channel == bindparam("kind"),
    opt_outs.c.created_at < bindparam("sent"),
)


def add(conn: Connection, message: Message, at: datetime) -> None:
    """Remember by every number of the line that its person asked not to be messaged; the newest time counts."""
    for number in _in_order(message):
        put(conn, message.install_id, number, message.channel, at, message.id)


def _in_order(message: Message) -> list[str]:
    """The numbers of its line, always in one order: two who store them at once do not wait for each other."""
    return sorted(same_line(message.to)) if message.to else []


def put(
    conn: Connection, install_id: int, to: str, channel: str, at: datetime, message_id: str | None = None
) -> None:
    """Store an opt-out of a number, or of the hash of one, over an older one."""
    where = (opt_outs.c.install_id == install_id) & (opt_outs.c.to == to) & (opt_outs.c.channel == channel)
    told = {"created_at": at, "message_id": message_id}
    if conn.execute(update(opt_outs).where(where, opt_outs.c.created_at <= at).values(told)).rowcount:
        return
    row = {"install_id": install_id, "to": to, "channel": channel, **told}
    try:
        with conn.begin_nested():
            conn.execute(insert(opt_outs).values(row))
    except IntegrityError:
        return  # told of another message of theirs, later or at the same moment; that it is remembered counts


def take_back(conn: Connection, message: Message) -> bool:
    """Forget the opt-out that was read out of this message; False where another one told of it."""
    where = (opt_outs.c.install_id == message.install_id) & (opt_outs.c.message_id == message.id)
    return conn.execute(delete(opt_outs).where(where)).rowcount > 0


def restore(conn: Connection, message: Message, sealer: Sealer) -> None:
    """What a person had asked before they were erased is known by their number again, now that there is one."""
    if not message.to:
        return
    hashed = opt_outs.c.to.in_([sealer.fingerprint(number) for number in same_line(message.to)])
    where = (opt_outs.c.install_id == message.install_id) & hashed
    for channel, at in conn.execute(select(opt_outs.c.channel, opt_outs.c.created_at).where(where)).all():
        for number in _in_order(message):
            put(conn, message.install_id, number, channel, at)
        conn.execute(delete(opt_outs).where(where, opt_outs.c.channel == channel))


def remove_older(conn: Connection, message: Message, sent: datetime, sealer: Sealer) -> None:
    """What was sent after an opt-out and arrived on its channel shows that the person opted in again."""
    if message.to:
        given = {"tenant": message.install_id, "kind": message.channel, "sent": sent}
        conn.execute(_REMOVE_OLDER, {**given, "line": _kept_as(message.to, sealer)})


def exists(conn: Connection, install_id: int, number: str | None, sealer: Sealer) -> bool:
    """Whether the person of that line opted out on any channel, be it before they were erased."""
    if not number:
        return False
    where = (opt_outs.c.install_id == install_id) & opt_outs.c.to.in_(_kept_as(number, sealer))
    return conn.execute(select(opt_outs.c.to).where(where)).first() is not None


def _kept_as(number: str, sealer: Sealer) -> list[str]:
    """All that an opt-out of this line may be stored under."""
    line = same_line(number)
    return [*line, *(sealer.fingerprint(each) for each in line)]
