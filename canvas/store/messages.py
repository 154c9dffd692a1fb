"""The questions asked of messages. Every one of them names the tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    Select,
    String,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from canvas.domain.action_kinds import send_key
from canvas.domain.ids import first_id
from canvas.domain.message import ARRIVED, IN_FLIGHT, Actor, Content, Message, Status
from canvas.domain.phones import same_line
from canvas.knowledge.model import Candidate, Diagnosis, Evidence
from canvas.store.database import CompiledQuery, RawConnection, Row, Words
from canvas.store.tables import actions, messages, opt_outs, templates

# Statements that every message runs through are built once: building costs more than the database takes.
_of_tenant = messages.c.install_id == bindparam("tenant")
_by_id = select(messages).where(_of_tenant, messages.c.id == bindparam("message"))
_LOCKED = _by_id.with_for_update()
_LOCKED_IF_FREE = _by_id.with_for_update(skip_locked=True)
_CHILD = select(messages).where(_of_tenant, messages.c.parent_id == bindparam("message"))
_of_channel = select(messages).where(_of_tenant, messages.c.channel == bindparam("kind"))
_BY_OCTOPODS_ID = _of_channel.where(messages.c.octopods_id == bindparam("given"))
_BY_PROVIDER_ID = _of_channel.where(messages.c.provider_id == bindparam("given"))
# The end of the number has an index that is in order of id; the whole number has none.
_TO_LINE = _of_channel.where(
    messages.c.number_end == bindparam("ending"),
    messages.c.to.in_([bindparam("number"), bindparam("spelling")]),
).order_by(messages.c.id.desc())
_NEWEST_TO = _TO_LINE.limit(bindparam("most", type_=Integer))
_ALIVE_TO = _TO_LINE.where(
    messages.c.status.in_([str(status) for status in sorted(IN_FLIGHT | ARRIVED | {Status.UNSURE})]),
    messages.c.id >= bindparam("first"),
    messages.c.created_at >= bindparam("since"),
    messages.c.template_id.is_not_distinct_from(bindparam("template", type_=messages.c.template_id.type)),
).with_only_columns(messages.c.id, messages.c.content)
_ADD = insert(messages)
_SAVE = update(messages).where(
    messages.c.id == bindparam("message"), messages.c.version == bindparam("read_version")
)

MOST_ADRIFT = 100  # to one number: no more are told apart


class AlreadySent(Exception):
    """A message was already sent for that failed one; the database refused a second."""


class ProviderIdTaken(Exception):
    """Another message of this install and channel has that provider's id; the database refused a second."""


def _diagnosis(data: Any) -> Diagnosis | None:
    if not data:
        return None
    candidates = tuple(Candidate(**c) for c in data["candidates"])
    return Diagnosis(**{**data, "candidates": candidates, "fixes": tuple(data["fixes"])})


def _kept(diagnosis: Diagnosis) -> dict[str, Any]:
    return {**diagnosis._asdict(), "candidates": [c._asdict() for c in diagnosis.candidates]}


def from_row(row: RowMapping | dict[str, Any]) -> Message:
    """The message of one row."""
    values = {name: row[name] for name in PLAIN}
    return Message(
        **values,
        status=Status(row["status"]),
        content=Content(**row["content"]),
        sender=Actor(**row["sender"]) if row["sender"] else None,
        handled_by=Actor(**row["handled_by"]) if row["handled_by"] else None,
        failure=Evidence(**row["failure"]) if row["failure"] else None,
        diagnosis=_diagnosis(row["diagnosis"]),
    )


OBJECTS = {
    "content_dropped",  # the purge's own mark
    "status",
    "content",
    "sender",
    "handled_by",
    "failure",
    "diagnosis",
    "reason",
    "category",
    "template_id",
    "sender_key",
    "number_end",
}
PLAIN = [column.name for column in messages.c if column.name not in OBJECTS]


def number_end(message: Message) -> str | None:
    """The last four digits of the number, by which the history finds it."""
    digits = [c for c in message.to or message.raw_to if c in "0123456789"]
    return "".join(digits[-4:]) if len(digits) >= 4 else None


def sender_key(sender: Actor | None) -> str | None:
    """A sender as one word, such as `admin:814860`."""
    return f"{sender.kind}:{sender.id or sender.name or ''}"[:80] if sender else None


def to_row(message: Message) -> dict[str, Any]:
    """The columns of one message."""
    values: dict[str, Any] = {name: getattr(message, name) for name in PLAIN}
    diagnosis = message.diagnosis
    return {
        **values,
        "thread_id": message.thread_id or message.id,
        "status": str(message.status),
        "content": asdict(message.content),
        "template_id": message.content.template_id,
        "sender": asdict(message.sender) if message.sender else None,
        "sender_key": sender_key(message.sender),
        "number_end": number_end(message),
        "handled_by": asdict(message.handled_by) if message.handled_by else None,
        "failure": asdict(message.failure) if message.failure else None,
        "diagnosis": _kept(diagnosis) if diagnosis else None,
        "reason": diagnosis.reason if diagnosis else None,
        "category": diagnosis.category if diagnosis else None,
    }


def add(conn: Connection, message: Message) -> None:
    """Store a new message.

    Raises AlreadySent when its parent was already sent again (the unique constraint on `parent_id`), and
    ProviderIdTaken.
    """
    try:
        with conn.begin_nested():
            conn.execute(_ADD, to_row(message))
    except IntegrityError as error:
        if message.parent_id and "parent_id" in str(error.orig):
            raise AlreadySent(message.parent_id) from error
        if message.provider_id and "provider" in str(error.orig):
            raise ProviderIdTaken(message.provider_id) from error
        raise


def save(conn: Connection, message: Message, now: datetime) -> bool:
    """Write a changed message, unless somebody changed it since it was read; says whether it was written."""
    values = {**to_row(message), "updated_at": now, "version": message.version + 1}
    del values["id"], values["install_id"]
    read = {"message": message.id, "read_version": message.version}
    return conn.execute(_SAVE, {**values, **read}).rowcount == 1


def move(conn: Connection, message_id: str, before: Iterable[Status], after: Status, now: datetime) -> bool:
    """Change the status from one of `before` to `after`; False when it is not one of them (any more)."""
    where = (messages.c.id == message_id) & messages.c.status.in_([str(s) for s in before])
    values = {"status": str(after), "updated_at": now, "version": messages.c.version + 1}
    return conn.execute(update(messages).where(where).values(values)).rowcount == 1


def hold_number(conn: Connection, install_id: int, number: str) -> None:
    """Until this transaction ends, nobody else who holds this number, or Octopods' id of a message, gets past here;
    the numbers of one line are one.

    Held before any message is, so that no two wait for each other.
    """
    # On SQLite a transaction that writes is alone from its beginning.
    if conn.dialect.name == "postgresql":
        line = literal(min(same_line(number)), Words())
        conn.execute(select(func.pg_advisory_xact_lock(cast(install_id, Integer), func.hashtext(line))))


def remove(conn: Connection, message: Message) -> None:
    """Remove a message that turned out to be another, with the deeds about it; the caller holds its lock."""
    conn.execute(delete(actions).where(actions.c.message_id == message.id))
    where = (messages.c.id == message.id) & (messages.c.install_id == message.install_id)
    conn.execute(delete(messages).where(where))


def close(conn: Connection, install_id: int, message_id: str, now: datetime) -> None:
    """Take a message off the card: it was sent again, or nothing more will be heard of it."""
    where = (messages.c.id == message_id) & (messages.c.install_id == install_id)
    values = {"open": False, "updated_at": now, "version": messages.c.version + 1}
    conn.execute(update(messages).where(where).values(values))


def _one(conn: Connection, query: Select[Any], **given: Any) -> Message | None:
    row = conn.execute(query, given).mappings().first()
    return from_row(row) if row else None


def get(conn: Connection, install_id: int, message_id: str) -> Message | None:
    """The message of that id in that install, or None; a foreign id is an unknown id."""
    return _one(conn, _by_id, tenant=install_id, message=message_id)


def locked(conn: Connection, install_id: int, message_id: str) -> Message:
    """The message, held for this transaction. Raises LookupError when it is gone."""
    found = _one(conn, _LOCKED, tenant=install_id, message=message_id)
    if found is None:
        raise LookupError(f"message {message_id} is gone")
    return found


def locked_if_free(conn: Connection, install_id: int, message_id: str) -> Message | None:
    """The message, held for this transaction; None when it is gone or somebody else holds it."""
    return _one(conn, _LOCKED_IF_FREE, tenant=install_id, message=message_id)


def by_octopods_id(conn: Connection, install_id: int, channel: str, octopods_id: str) -> Message | None:
    return _one(conn, _BY_OCTOPODS_ID, tenant=install_id, kind=channel, given=octopods_id)


def by_any_id(conn: Connection, install_id: int, channel: str, given: str) -> Message | None:
    """The message that Octopods, its request or we ourselves know under that id."""
    where = (messages.c.install_id == install_id) & (messages.c.channel == channel)
    by_request = messages.c.octopods_id.is_(None) & (messages.c.request_id == given)
    names = (messages.c.octopods_id == given, messages.c.id == given, by_request)
    found = (_one(conn, select(messages).where(where, name)) for name in names)
    return next((message for message in found if message), None)


def by_octopods_ids(
    conn: Connection, install_id: int, channel: str, ids: Sequence[str]
) -> dict[str, Message]:
    """The messages of those Octopods ids, by id; unknown ones are left out."""
    where = (messages.c.install_id == install_id) & (messages.c.channel == channel)
    rows = conn.execute(select(messages).where(where, messages.c.octopods_id.in_(ids))).mappings()
    return {str(row["octopods_id"]): from_row(row) for row in rows}


def by_provider_id(conn: Connection, install_id: int, channel: str, provider_id: str) -> Message | None:
    return _one(conn, _BY_PROVIDER_ID, tenant=install_id, kind=channel, given=provider_id)


def newest_to(conn: Connection, install_id: int, channel: str, number: str, limit: int) -> list[Message]:
    """The newest messages to that line on that channel, newest first."""
    given = {**_line(install_id, channel, number), "most": limit}
    return [from_row(row) for row in conn.execute(_NEWEST_TO, given).mappings()]


def alive_to(
    conn: Connection, install_id: int, channel: str, number: str, template_id: str | None, since: datetime
) -> Iterator[tuple[str, Content]]:
    """What was sent of that template, or without one, to that line on that channel since then; newest first.

    The id and the content of all that are there, or may be on their way. There may be very many to one number, and
    others wait while they are gone through: so nothing else of them is read.
    """
    # Ids sort by time, so that nothing older is read.
    made = {"first": first_id("msg", since), "since": since, "template": template_id}
    for id_, content in conn.execute(_ALIVE_TO, {**_line(install_id, channel, number), **made}):
        yield id_, Content(**content)


def _line(install_id: int, channel: str, number: str) -> dict[str, Any]:
    line = {"number": number, "spelling": same_line(number)[-1], "ending": number[-4:]}
    return {"tenant": install_id, "kind": channel, **line}


def told_alike(conn: Connection, message: Message, since: datetime) -> list[Message]:
    """What was told of on the same channel, to the number as it was given, without Octopods' id; newest first."""
    c = messages.c
    same = (c.install_id == message.install_id) & (c.channel_id == message.channel_id)
    given = (c.number_end == number_end(message)) & (c.raw_to == message.raw_to)
    told = (c.source == message.source) & c.octopods_id.is_(None) & (c.created_at >= since)
    rows = conn.execute(select(messages).where(same, given, told).order_by(c.id.desc())).mappings()
    return [from_row(row) for row in rows]


def child_of(conn: Connection, install_id: int, message_id: str) -> Message | None:
    """The message that was sent for this failed one."""
    return _one(conn, _CHILD, tenant=install_id, message=message_id)


def thread(conn: Connection, install_id: int, thread_id: str) -> list[Message]:
    """All attempts of one message, oldest first."""
    where = (messages.c.install_id == install_id) & (messages.c.thread_id == thread_id)
    rows = conn.execute(select(messages).where(where).order_by(messages.c.id)).mappings()
    return [from_row(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Opened:
    """An open message with what its screen must know besides.

    Whether its person opted out, until when it waits, our copy of its template, and when that channel's were listed.
    """

    message: Message
    opted_out: bool
    due_at: datetime | None
    template: dict[str, Any] | None
    listed_at: datetime | None


@lru_cache
def _open_query(how_many: int) -> CompiledQuery:
    """The newest open messages of a contact, or of `how_many` numbers that are tied to nobody else."""
    is_open = (messages.c.install_id == bindparam("install_id")) & messages.c.open.is_(True)
    ids = [
        select(messages.c.id).where(is_open, messages.c.contact_id == bindparam("contact_id", type_=String))
    ]
    # One look into its index for each number: with OR or IN the databases may walk all open messages instead.
    for place in range(how_many):
        number = bindparam(f"number{place}", type_=String)
        ids.append(
            select(messages.c.id).where(is_open, messages.c.to == number, messages.c.contact_id.is_(None))
        )
    theirs = union_all(*ids)
    stopped = exists().where(opt_outs.c.install_id == messages.c.install_id, opt_outs.c.to == messages.c.to)
    listed = (templates.c.install_id == messages.c.install_id) & (
        templates.c.channel_id == messages.c.channel_id
    )
    copied = select(templates.c.data).where(listed, templates.c.template_id == messages.c.template_id)
    # All of a channel are listed at once.
    listed_at = select(templates.c.seen_at).where(listed).limit(1)
    waits = select(actions.c.due_at).where(actions.c.key == send_key("") + messages.c.id).scalar_subquery()
    return CompiledQuery(
        select(
            messages,
            select(func.count()).select_from(theirs.subquery()).scalar_subquery().label("total"),
            stopped.label("opted_out"),
            waits.label("due_at"),
            copied.scalar_subquery().label("template"),
            listed_at.scalar_subquery().label("listed_at"),
        )
        .where(messages.c.id.in_(theirs))
        .order_by(messages.c.id.desc())
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
    )


def open_rows(
    conn: Connection | RawConnection,
    install_id: int,
    contact_id: str | None,
    numbers: Sequence[str],
    limit: int,
    offset: int = 0,
) -> tuple[Row, ...]:
    """The newest open messages of one person (by contact id or number), for `read_open`."""
    given = {f"number{place}": number for place, number in enumerate(numbers)}
    query = _open_query(len(numbers))
    return query.rows(conn, install_id=install_id, contact_id=contact_id, limit=limit, offset=offset, **given)


def open_for_person(
    conn: Connection,
    install_id: int,
    contact_id: str | None,
    numbers: Sequence[str],
    limit: int,
    offset: int = 0,
) -> tuple[list[Message], int]:
    """The newest open messages of one person, and how many there are."""
    found, total = read_open(conn, open_rows(conn, install_id, contact_id, numbers, limit, offset))
    return [each.message for each in found], total


def read_open(conn: Connection, rows: tuple[Row, ...]) -> tuple[list[Opened], int]:
    """The messages of `open_rows`, and how many there are in all."""
    read = _open_query(0).read(conn.dialect, rows)
    found = [
        Opened(from_row(row), bool(row["opted_out"]), row["due_at"], row["template"], row["listed_at"])
        for row in read
    ]
    return found, read[0]["total"] if read else 0


def adrift(conn: Connection, install_id: int, number: str | None) -> list[Message]:
    """WhatsApp messages to that line that left, or may have, without Octopods' id; the newest, newest first."""
    where = (messages.c.install_id == install_id) & (messages.c.channel == "whatsapp")
    line = same_line(number or "")
    theirs = (messages.c.number_end == line[0][-4:]) & messages.c.to.in_(line)
    lost = messages.c.status.in_([str(Status.SENDING), str(Status.UNSURE)])
    left = messages.c.octopods_id.is_(None) & (lost | messages.c.provider_id.is_not(None))
    query = select(messages).where(where, theirs, left).order_by(messages.c.id.desc()).limit(MOST_ADRIFT)
    return [from_row(row) for row in conn.execute(query).mappings()]


def known_octopods_ids(conn: Connection, install_id: int, ids: Sequence[str]) -> set[str]:
    """Those of the given Octopods WhatsApp ids that belong to a message already."""
    where = (messages.c.install_id == install_id) & (messages.c.channel == "whatsapp")
    query = select(messages.c.octopods_id).where(where, messages.c.octopods_id.in_(ids))
    return {str(value) for (value,) in conn.execute(query)}


def sending_since(conn: Connection, before: datetime, limit: int = 100) -> list[tuple[int, str]]:
    """Install and id of messages of any tenant that left before that time and whose outcome nobody wrote down."""
    where = (messages.c.status == str(Status.SENDING)) & (messages.c.updated_at < before)
    query = select(messages.c.install_id, messages.c.id).where(where).limit(limit)
    return [(install_id, message_id) for install_id, message_id in conn.execute(query)]


def failed_after(
    conn: Connection, install_id: int, after: str, limit: int, reasons: Sequence[str] = ()
) -> list[Message]:
    """Failed messages with an id above `after`, in order of id; of these reasons only, when some are given."""
    where = (messages.c.install_id == install_id) & (messages.c.status == str(Status.FAILED))
    if reasons:
        where &= messages.c.reason.in_(reasons)
    query = select(messages).where(where, messages.c.id > after).order_by(messages.c.id).limit(limit)
    return [from_row(row) for row in conn.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one message ended, in brief."""

    status: Status
    reason: str | None
    channel: str
    channel_id: int | None
    template_id: str | None
    to: str | None


SETTLED_WORDS = [str(s) for s in (*ARRIVED, Status.FAILED)]


def recent_outcomes(conn: Connection, install_id: int, limit: int) -> list[Outcome]:
    """How the newest settled messages of an install ended, newest first."""
    names = [messages.c[name] for name in Outcome.__dataclass_fields__]
    where = (messages.c.install_id == install_id) & messages.c.status.in_(SETTLED_WORDS)
    query = select(*names).where(where).order_by(messages.c.id.desc()).limit(limit)
    return [Outcome(**{**row, "status": Status(row["status"])}) for row in conn.execute(query).mappings()]
