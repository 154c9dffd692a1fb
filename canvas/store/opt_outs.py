"""Who asked not to be messaged: by number and channel, and by the hash of a number once its person was erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.domain.message import Message
from canvas.store.sealing import Sealer
from canvas.store.tables import opt_outs

_REMOVE_OLDER = delete(opt_outs).where(
    opt_outs.c.install_id == bindparam("tenant"),
    opt_outs.c.to.in_([bindparam("number"), bindparam("hashed")]),
    opt_outs.c.channel == bindparam("kind"),
    opt_outs.c.created_at < bindparam("sent"),
)


def add(conn: Connection, message: Message, now: datetime) -> None:
    """Remember that this person asked not to be messaged; told again, the newest time counts."""
    if message.to:
        put(conn, message.install_id, message.to, message.channel, now, message.id)


def put(
    conn: Connection, install_id: int, to: str, channel: str, at: datetime, message_id: str | None = None
) -> None:
    """Store an opt-out of a number, or of the hash of one, over an older one."""
    where = (opt_outs.c.install_id == install_id) & (opt_outs.c.to == to) & (opt_outs.c.channel == channel)
    told = {"created_at": at, "message_id": message_id}
    if conn.execute(update(opt_outs).where(where).values(told)).rowcount:
        return
    row = {"install_id": install_id, "to": to, "channel": channel, **told}
    try:
        with conn.begin_nested():
            conn.execute(insert(opt_outs).values(row))
    except IntegrityError:
        return  # told at the same moment of another message of theirs; that it is remembered is all that counts


def restore(conn: Connection, message: Message, sealer: Sealer) -> None:
    """What a person had asked before they were erased is known by their number again, now that there is one."""
    if not message.to:
        return
    hashed = opt_outs.c.to == sealer.fingerprint(message.to)
    where = (opt_outs.c.install_id == message.install_id) & hashed
    for channel, at in conn.execute(select(opt_outs.c.channel, opt_outs.c.created_at).where(where)).all():
        put(conn, message.install_id, message.to, channel, at)
        conn.execute(delete(opt_outs).where(where, opt_outs.c.channel == channel))


def remove_older(conn: Connection, message: Message, sent: datetime, sealer: Sealer) -> None:
    """What was sent after an opt-out and arrived on its channel shows that the person opted in again."""
    if message.to:
        number = {"number": message.to, "hashed": sealer.fingerprint(message.to)}
        given = {"tenant": message.install_id, "kind": message.channel, "sent": sent}
        conn.execute(_REMOVE_OLDER, {**given, **number})


def exists(conn: Connection, install_id: int, number: str | None, sealer: Sealer) -> bool:
    """Whether the person of that number opted out on any channel, be it before they were erased."""
    if not number:
        return False
    known = opt_outs.c.to.in_([number, sealer.fingerprint(number)])
    where = (opt_outs.c.install_id == install_id) & known
    return conn.execute(select(opt_outs.c.to).where(where)).first() is not None
