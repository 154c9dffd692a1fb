"""A customer's send that comes again.

Under its `Idempotency-Key` it gets the first answer, or one clear sentence; never a second send. Without one it is
forwarded, and known as the next attempt of what Octopods refused before.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson
from sqlalchemy import Connection

from canvas.clients.http import Answer
from canvas.domain.message import Message, Status, callers_to_repeat
from canvas.domain.preflight import same_content
from canvas.flows.come_in import LEFT_ALONE
from canvas.flows.context import Flow
from canvas.store import idempotency, messages
from canvas.store.channels import Channel
from canvas.store.database import writing
from canvas.store.idempotency import IdempotencyRecord

REPLAYED = "Idempotent-Replayed"
LOOK_BACK = 20  # messages to one number, newest first


class Conflict(Exception):
    """Nothing is sent for this repeat; `status` and `words` are for the caller."""

    status = 409
    words = ""


class OtherRequest(Conflict):
    status = 422
    words = "This Idempotency-Key was used for another request. Use a new key for a new message."


class UnderWay(Conflict):
    words = "The first request with this Idempotency-Key is still under way. Ask again in a few seconds."


class SentFromHere(Conflict):
    words = (
        "The first attempt failed, and somebody has sent this message again from Redeliver since. "
        "Nothing more was sent."
    )


class NotSure(Conflict):
    status = 504
    words = (
        "It is not known whether Octopods took the first request with this Idempotency-Key. "
        "It is not sent again; use a new key to send it anyway."
    )


def request_hash(channel: Channel, path: str, body: bytes) -> str:
    """What tells one request from another: the channel it goes out on, where it goes and its very bytes."""
    return hashlib.sha256(f"{channel.id} {path}\n".encode() + body).hexdigest()


def of(
    conn: Connection, record: IdempotencyRecord, request_hash: str, now: datetime
) -> Answer | Message | None:
    """What a repeat gets: the first answer, or the failed attempt it may follow (None when that was erased).

    Raises OtherRequest, UnderWay or NotSure.
    """
    if record.request_hash != request_hash:
        raise OtherRequest
    first = messages.get(conn, record.install_id, record.message_id)
    if record.state == idempotency.ANSWERED:
        kind = record.content_type or "application/json"
        return Answer(record.status or 200, {"Content-Type": kind, REPLAYED: "true"}, record.body or b"")
    if record.state == idempotency.FREE:
        return first
    return _open(first, now)


def _open(first: Message | None, now: datetime) -> Answer:
    """The answer for a send without a written outcome: found since then, still under way, or never known."""
    if first and first.octopods_id:
        body = {"request_id": first.request_id, "message_id": _number(first.octopods_id)}
        return Answer(201, {"Content-Type": "application/json", REPLAYED: "true"}, orjson.dumps(body))
    if first and first.status is Status.SENDING and first.updated_at > now - LEFT_ALONE:
        raise UnderWay
    raise NotSure


def refused_before(conn: Connection, message: Message, now: datetime) -> Message | None:
    """The attempt that this new one repeats: the same to the same person, refused within a day, not sent again yet.

    Held for this transaction. Tied to it, the repeat takes its place on the card, and no click and no other
    repeat can send it once more.
    """
    past = (
        messages.newest_to(conn, message.install_id, message.channel, message.to, LOOK_BACK)
        if message.to
        else []
    )
    # The newest: an older one that was repeated already is its parent.
    found = next((one for one in past if _refused_same(one, message, now)), None)
    if found is None:
        return None
    held = messages.locked(conn, found.install_id, found.id)
    return None if messages.child_of(conn, held.install_id, held.id) else held


def _refused_same(one: Message, other: Message, now: datetime) -> bool:
    return (
        callers_to_repeat(one)
        and one.created_at > now - idempotency.KEPT
        and (one.channel_id, one.contact_id) == (other.channel_id, other.contact_id)
        and same_content(one.content, other.content)
    )


def forget_old(flow: Flow) -> int:
    """Keys are kept for a day; how many were forgotten now."""
    with writing(flow.engine) as conn:
        return idempotency.purge(conn, flow.clock())


def _number(octopods_id: str) -> int | str:
    return int(octopods_id) if octopods_id.isascii() and octopods_id.isdigit() else octopods_id
