"""Erasing one person or one install, and proving it. Works on every table there is, by the names of its columns.

A new table is covered as soon as it follows the naming: `install_id` for the tenant, `message_id`, `contact_id` and
`to` for the person. The proof does not trust the naming: it reads every text column of the tenant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    TypeDecorator,
    case,
    cast,
    delete,
    false,
    func,
    or_,
    select,
    update,
)

from canvas.domain import phones
from canvas.store import erased
from canvas.store import opt_outs as opt_out_store
from canvas.store.idempotency import FREE, OPEN
from canvas.store.sealing import Sealer
from canvas.store.tables import (
    actions,
    audit,
    bulk_jobs,
    channels,
    idempotency,
    installs,
    key_limits,
    messages,
    metadata,
    opt_outs,
    unknown_reasons,
)

LOT = 500  # ids in one statement
LEAST_TYPED = 7  # digits of what was typed as a number: "0" or "12" is nobody's
GAPS = " -.()/"  # between the digits of a number
# Where a row that no message leads to names a person, as the whole value of a member of its JSON.
NAMING: dict[Column[Any], tuple[str, ...]] = {
    actions.c.payload: ("contact", "merged_from"),
    bulk_jobs.c.filter: ("contact", "q"),
}


OptOut = tuple[str, str, datetime]  # number, channel, when


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to erase: the ids and the numbers they are known by within one install."""

    contact_ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def tenant_tables() -> list[Table]:
    """Every table with rows of a tenant."""
    return [table for table in metadata.sorted_tables if "install_id" in table.c]


def _lots(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + LOT] for start in range(0, len(ids), LOT))


def meant(conn: Connection, install_id: int, given: str, country: str) -> Person:
    """Whom somebody means by what they typed: the contact of that id, else whoever has that number."""
    theirs = (messages.c.install_id == install_id) & (messages.c.contact_id == given)
    if any(map(str.isalpha, given)) or conn.execute(select(messages.c.id).where(theirs).limit(1)).first():
        return known_as(conn, install_id, given)
    return Person((given,), tuple(sorted(_forms(phones.addressee(given, country), given))))


def known_as(conn: Connection, install_id: int, contact_id: str) -> Person:
    """The person behind a contact id: a contact's numbers count where no other contact has them."""
    written = select(messages.c.to, messages.c.raw_to).where(messages.c.install_id == install_id).distinct()
    theirs = conn.execute(written.where(messages.c.contact_id == contact_id))
    forms = [_forms(to, raw_to) for to, raw_to in theirs]
    every = set().union(*forms)
    same = or_(messages.c.to.in_(every), messages.c.raw_to.in_(every))
    others = conn.execute(written.where(messages.c.contact_id != contact_id, same))
    shared = set().union(*(_forms(to, raw_to) for to, raw_to in others))
    own = set().union(*(both for both in forms if not both & shared))
    return Person((contact_id,), tuple(sorted(own)))


def _forms(to: str | None, raw_to: str) -> set[str]:
    """A number by every number of its line, and as it was typed, which nobody checked: few digits are nobody's."""
    typed = {raw_to} if len(phones.clean(raw_to).lstrip("+")) >= LEAST_TYPED else set()
    return typed | set(phones.same_line(to) if to else ())


def person(conn: Connection, install_id: int, who: Person, now: datetime, sealer: Sealer) -> Counter[str]:
    """Erase everything about that person in that install; the number of rows by table.

    That they opted out is kept, or the next message to them would be sent again: under a hash of the number.
    """
    gone: Counter[str] = Counter()
    ids = _message_ids(conn, install_id, who)
    erased.put(conn, install_id, {*who.numbers, *_told_under(conn, ids)}, now, sealer)
    stopped = _opt_outs(conn, install_id, who.numbers, ids)
    for table in tenant_tables():
        if table not in (audit, messages, idempotency) and "message_id" in table.c:
            for lot in _lots(ids):
                gone[table.name] += _delete(conn, table, install_id, table.c.message_id.in_(lot))
    gone["idempotency"] += _forget_answers(conn, install_id, who, ids)
    for lot in _lots(ids):
        gone["messages"] += _delete(conn, messages, install_id, messages.c.id.in_(lot))
    for table in tenant_tables():
        if table is not audit:
            for name, values in (("contact_id", who.contact_ids), ("to", who.numbers)):
                if name in table.c and values:
                    gone[table.name] += _delete(conn, table, install_id, table.c[name].in_(values))
    for column, members in NAMING.items():
        for member in members:
            value = column[member].as_string()
            named = value.in_(who.contact_ids) | _unspaced(value).in_(_spellings(who.numbers))
            gone[column.table.name] += _delete(conn, column.table, install_id, named)
    gone["opt_outs"] += _delete(conn, opt_outs, install_id, opt_outs.c.to.in_(who.numbers))
    _forget_examples(conn, install_id, who)
    for number, channel, at in sorted(stopped):
        elsewhere = (messages.c.install_id == install_id) & (messages.c.to == number)
        shared = conn.execute(select(messages.c.id).where(elsewhere).limit(1)).first()
        opt_out_store.put(conn, install_id, number if shared else sealer.fingerprint(number), channel, at)
    return +gone


def _forget_answers(conn: Connection, install_id: int, who: Person, ids: Sequence[str]) -> int:
    """What was answered under their Idempotency-Keys goes, and the keys that name them; the number of rows.

    Any other key stays bound for its day: free, it would let the customer's repeat be sent once more. One that is free
    stays so, unless somebody has sent the message again from here, which nothing tells any more after this.
    """
    gone = _delete(conn, idempotency, install_id, _mentions(idempotency, who))
    sent_again = select(messages.c.id).where(messages.c.parent_id == idempotency.c.message_id).exists()
    state = case(((idempotency.c.state == FREE) & ~sent_again, FREE), else_=OPEN)
    emptied = {"state": state, "status": None, "content_type": None, "body": None}
    for lot in _lots(ids):
        where = (idempotency.c.install_id == install_id) & idempotency.c.message_id.in_(lot)
        gone += conn.execute(update(idempotency).where(where).values(emptied)).rowcount
    return gone


def _told_under(conn: Connection, ids: Sequence[str]) -> set[str]:
    """The numbers and ids by which providers, and Octopods' list of WhatsApp messages, may tell of these once more."""
    found: set[str | None] = set()
    for lot in _lots(ids):
        query = select(messages.c.to, messages.c.provider_id, messages.c.channel, messages.c.octopods_id)
        for to, provider_id, channel, octopods_id in conn.execute(query.where(messages.c.id.in_(lot))):
            found |= {to, provider_id, octopods_id if channel == "whatsapp" else None}
    return {name for name in found if name}


def _opt_outs(conn: Connection, install_id: int, numbers: Sequence[str], ids: Sequence[str]) -> set[OptOut]:
    """Their opt-outs that a number still stands for."""
    mine = select(opt_outs.c.to, opt_outs.c.channel, opt_outs.c.created_at).where(
        opt_outs.c.install_id == install_id, opt_outs.c.to.startswith("+")
    )
    wheres = [opt_outs.c.to.in_(numbers), *(opt_outs.c.message_id.in_(lot) for lot in _lots(ids))]
    return {
        (row.to, row.channel, row.created_at) for where in wheres for row in conn.execute(mine.where(where))
    }


def _delete(conn: Connection, table: Table, install_id: int, where: ColumnElement[bool]) -> int:
    return conn.execute(delete(table).where(table.c.install_id == install_id, where)).rowcount


def _message_ids(conn: Connection, install_id: int, who: Person) -> list[str]:
    """Their messages with all attempts of each, since an attempt may have gone to another number of theirs.

    Held for this transaction: their deeds are removed before them, and whoever writes one holds its message first.
    """
    mine = messages.c.install_id == install_id
    theirs = or_(
        messages.c.contact_id.in_(who.contact_ids),
        messages.c.to.in_(who.numbers),
        messages.c.raw_to.in_(who.numbers),
    )
    threads = select(messages.c.thread_id).where(mine, theirs)
    found = select(messages.c.id).where(mine, messages.c.thread_id.in_(threads)).order_by(messages.c.id)
    return list(conn.execute(found.with_for_update(of=messages)).scalars())


def _forget_examples(conn: Connection, install_id: int, who: Person) -> None:
    """An unnamed failure text keeps its shape; the example that names this person goes."""
    table = unknown_reasons
    where = (table.c.install_id == install_id) & _mentions(table, who)
    conn.execute(update(table).where(where).values(example=table.c.shape))


def _mentions(table: Table, who: Person) -> ColumnElement[bool]:
    """Whether the texts of a row hold one of their numbers, however spaced, or are, or quote, one of their ids."""
    found: list[ColumnElement[bool]] = []
    texts: list[ColumnElement[str]] = []
    for column in table.c:
        text = cast(column, Text)
        kept_as = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
        if isinstance(kept_as, String | JSON):
            texts.append(func.coalesce(text, ""))
        if isinstance(kept_as, JSON):
            found += [text.contains(f'"{id_}"', autoescape=True) for id_ in who.contact_ids]
        elif isinstance(kept_as, String):
            found.append(column.in_(who.contact_ids))
    if texts:
        # One text of the whole row, so that it is gone through once.
        row = _unspaced(reduce(lambda all_, one: all_ + "\n" + one, texts))
        found += [row.contains(_digits(number), autoescape=True) for number in who.numbers]
    return or_(false(), *found)  # a table may hold no text at all


def _unspaced(text: ColumnElement[str]) -> ColumnElement[str]:
    """A text without what people and providers write between the digits of a number."""
    return reduce(lambda kept, gap: func.replace(kept, gap, ""), GAPS, text)


def _digits(number: str) -> str:
    """The same of a number, as it stands in a text, with its plus or without."""
    return "".join(c for c in number if c not in GAPS).removeprefix("+")


def _spellings(numbers: Sequence[str]) -> set[str]:
    """All the ways to write those numbers, without gaps, where nothing else stands."""
    found = set()
    for number in numbers:
        digits, national = _digits(number), phones.national(number)
        found |= {digits, f"+{digits}", f"00{digits}", *((national, f"0{national}") if national else ())}
    return found


def traces(conn: Connection, install_id: int, who: Person) -> dict[str, int]:
    """The proof: the rows of any table in which that person can still be found, by table; empty is right."""
    found = {}
    for table in tenant_tables():
        query = select(func.count()).select_from(table)
        rows = conn.execute(query.where(table.c.install_id == install_id, _mentions(table, who))).scalar_one()
        if rows:
            found[table.name] = rows
    return found


def install(conn: Connection, install_id: int) -> None:
    """Erase a tenant with all its rows, and the limits of keys that nobody else uses."""
    mine = channels.c.install_id == install_id
    kept = select(channels.c.key_hash).where(channels.c.install_id != install_id)
    hashes = select(channels.c.key_hash).where(mine, channels.c.key_hash.not_in(kept))
    conn.execute(delete(key_limits).where(key_limits.c.key_hash.in_(hashes)))
    conn.execute(delete(installs).where(installs.c.id == install_id))


def rows(conn: Connection, install_id: int) -> dict[str, int]:
    """How many rows of that tenant each table holds; empty tables are left out."""
    counted = {}
    for table in tenant_tables():
        query = select(func.count()).select_from(table).where(table.c.install_id == install_id)
        if number := conn.execute(query).scalar_one():
            counted[table.name] = number
    return counted
