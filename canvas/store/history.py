"""The messages of an install as a list: filtered, newest first, a page at a time, at the same cost at any size.

Every filter has an index that ends in the message id, and a page is a range of ids. When several filters are
joined, the one that says most is answered by its index and the others are looked for among at most `SCAN` of
its messages; the page then says how far back it looked, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, union_all
from sqlalchemy.sql import ColumnElement

from canvas.domain.ids import first_id
from canvas.domain.message import ARRIVED, Message, Status
from canvas.store.messages import from_row
from canvas.store.tables import messages

PAGE = 50
SCAN = 1_000  # messages the first page of joined filters looks at
SCAN_ON = 10_000  # the same for the pages after it, which somebody asked for
BATCH = 500
MOST_CHOICES = 200

STATES: dict[str, tuple[Status, ...]] = {
    "failed": (Status.FAILED,),
    "unsure": (Status.UNSURE,),
    "waiting": (Status.QUEUED, Status.SENDING, Status.SENT, Status.UNKNOWN),
    "arrived": tuple(sorted(ARRIVED)),
    "undone": (Status.CANCELLED,),
}
ATTENTION = "attention"  # the messages a card shows: nobody dealt with them yet


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; an empty field asks for nothing.

    `state` is one of STATES or ATTENTION. `number` is the digits a phone number ends in, at least four, or a
    whole one with its +. `ident` is any id of a message: ours, Octopods' or the provider's. `words` stand in
    the text of the message. Times are from `since` until just before `until`.
    """

    state: str = ""
    reason: str = ""
    category: str = ""
    channel: str = ""
    template: str = ""
    sender: str = ""
    contact: str = ""
    since: datetime | None = None
    until: datetime | None = None
    number: str = ""
    ident: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    id: str
    status: str
    channel: str
    to: str | None
    raw_to: str
    preview: str | None
    reason: str | None
    template_id: str | None
    contact_id: str | None
    sender: dict[str, Any] | None
    octopods_id: str | None
    failure_raw: str | None
    attempt: int
    handled_at: datetime | None
    open: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `older` and `newer` are the cursors of the next ones; `looked_back_to` is set when not
    everything was looked at, and is the time of the last message that was."""

    entries: tuple[Entry, ...]
    older: str | None = None
    newer: str | None = None
    looked_back_to: datetime | None = None


COLUMNS = [messages.c[name] for name in Entry.__dataclass_fields__]
Conditions = list[ColumnElement[bool]]


def page(
    conn: Connection,
    install_id: int,
    f: Filter,
    *,
    before: str | None = None,
    after: str | None = None,
    size: int = PAGE,
) -> Page:
    """The messages that fit, newest first: the newest, or those just older than `before` or newer than `after`."""
    forward = after is not None
    scan = SCAN_ON if before or after else SCAN
    ask = _Ask(conn, install_id, f, before, after)
    rows = [Entry(**row) for row in conn.execute(ask.query(size + 1, scan)).mappings()]
    if forward and not rows:
        return page(conn, install_id, f, size=size)  # nothing newer was found: back at the beginning
    more = len(rows) > size
    entries = tuple(reversed(rows[:size])) if forward else tuple(rows[:size])
    horizon = None if more else ask.horizon(conn, scan)
    if forward:
        return Page(entries, older=_last(entries), newer=_first(entries) if more else None)
    return Page(
        entries,
        older=_last(entries) if more else horizon[0] if horizon else None,
        newer=(_first(entries) or before) if before else None,
        looked_back_to=horizon[1] if horizon else None,
    )


def _first(entries: Sequence[Entry]) -> str | None:
    return entries[0].id if entries else None


def _last(entries: Sequence[Entry]) -> str | None:
    return entries[-1].id if entries else None


class _Ask:
    """A filter turned into conditions: the one that drives, which has its index, and the rest."""

    def __init__(
        self, conn: Connection, install_id: int, f: Filter, before: str | None, after: str | None
    ) -> None:
        self.f = _resolved(conn, install_id, f)
        self.forward = after is not None
        self.base: Conditions = [messages.c.install_id == install_id, *_span(f)]
        if before:
            self.base.append(messages.c.id < before)
        if after:
            self.base.append(messages.c.id > after)
        self.driver: Conditions = (_indexed(self.f, messages.c) or [[]])[0]
        self.joined = len(self._all(messages.c)) > len(self.driver)
        # Alone, a state of several statuses is answered by one index range each; joined, it is looked for.
        group = STATES.get(f.state, ())
        self.statuses = group if len(group) > 1 and not self.driver and not f.words else ()

    def _all(self, columns: Any) -> Conditions:
        group = STATES.get(self.f.state, ())
        several = [columns.status.in_([str(s) for s in group])] if len(group) > 1 else []
        indexed = [c for conditions in _indexed(self.f, columns) for c in conditions]
        return [*indexed, *several, *_worded(self.f, columns)]

    def ordered(self, query: Select[Any], column: Any) -> Select[Any]:
        return query.order_by(column.asc() if self.forward else column.desc())

    def driven(self, columns: Sequence[Any], *more: ColumnElement[bool]) -> Select[Any]:
        query = select(*columns).where(*self.base, *self.driver, *more)
        return self.ordered(query, messages.c.id)

    def query(self, limit: int, scan: int) -> Select[Any]:
        """At most `limit` lines in the direction of the page."""
        if self.statuses:
            return self._by_status(limit)
        if not self.joined:
            return self.driven(COLUMNS).limit(limit)
        looked = self.driven([*COLUMNS, *NEEDED]).limit(scan).subquery()
        found = select(*(looked.c[column.name] for column in COLUMNS)).where(*self._all(looked.c))
        return self.ordered(found, looked.c.id).limit(limit)

    def _by_status(self, limit: int) -> Select[Any]:
        """One ordered range of the index a status, joined; for an IN a database might sort them all."""
        arms = [
            select(self.driven(COLUMNS, messages.c.status == str(s)).limit(limit).subquery())
            for s in self.statuses
        ]
        joined = union_all(*arms).subquery()
        return self.ordered(select(joined), joined.c.id).limit(limit)

    def whole(self, limit: int) -> Select[Any]:
        """Whole messages, however far back the database has to look for them."""
        query = select(messages).where(*self.base, *self._all(messages.c))
        return self.ordered(query, messages.c.id).limit(limit)

    def horizon(self, conn: Connection, scan: int) -> tuple[str, datetime] | None:
        """The last message looked at, when there are more behind it that were not."""
        if not self.joined or self.statuses or self.forward:
            return None
        query = self.driven([messages.c.id, messages.c.created_at]).offset(scan - 1).limit(2)
        edge = conn.execute(query).all()
        return (edge[0].id, edge[0].created_at) if len(edge) == 2 else None


NEEDED = [messages.c[name] for name in ("category", "sender_key", "number_end")]


def _resolved(conn: Connection, install_id: int, f: Filter) -> Filter:
    """An id of a vendor exchanged for ours; a number is only looked for when it is no id."""
    if not f.ident:
        return f
    known = (messages.c.octopods_id, messages.c.provider_id)
    found = [conn.execute(_by_id(install_id, column, f.ident)).scalar() for column in known]
    ours = next((str(value) for value in found if value), None)
    if ours is None and f.number:
        return replace(f, ident="")
    return replace(f, ident=ours or f.ident, number="")


def _by_id(install_id: int, column: Any, ident: str) -> Select[Any]:
    where = [messages.c.install_id == install_id, column == ident]
    if column is messages.c.octopods_id:
        where.append(messages.c.channel.in_(["whatsapp", "sms", "vbm"]))  # what its index begins with
    return select(messages.c.id).where(*where).limit(1)


def _span(f: Filter) -> Conditions:
    """A time is a place among the ids, which are ordered by it."""
    found: Conditions = []
    if f.since:
        found.append(messages.c.id >= first_id("msg", f.since))
    if f.until:
        found.append(messages.c.id < first_id("msg", f.until))
    return found


def _indexed(f: Filter, m: Any) -> list[Conditions]:
    """The conditions that have an index, the most telling first."""
    found: list[Conditions] = []
    if f.ident:
        found.append([m.id == f.ident])
    if f.number:
        found.append([m.number_end == f.number[-4:]])
        found.append(_number(f.number, m))
    equal = {
        "contact": m.contact_id,
        "template": m.template_id,
        "sender": m.sender_key,
        "reason": m.reason,
        "category": m.category,
    }
    found += [[column == value] for name, column in equal.items() if (value := getattr(f, name))]
    if f.state == ATTENTION:
        found.append([m.open.is_(True)])
    elif len(STATES.get(f.state, ())) == 1:
        found.append([m.status == str(STATES[f.state][0])])
    if f.channel:
        found.append([m.channel == f.channel])
    return [conditions for conditions in found if conditions]


def _number(number: str, m: Any) -> Conditions:
    if number.startswith("+"):
        return [m.to == number]
    return [or_(m.to.endswith(number), m.raw_to.endswith(number))] if len(number) > 4 else []


def _worded(f: Filter, m: Any) -> Conditions:
    return [m.preview.icontains(word, autoescape=True) for word in f.words.split()]


def walk(
    conn: Connection, install_id: int, f: Filter, before: str | None, size: int = BATCH
) -> list[Message]:
    """Up to `size` whole messages that fit and are older than `before`, newest first; fewer only at the end."""
    ask = _Ask(conn, install_id, f, before, None)
    return [from_row(row) for row in conn.execute(ask.whole(size)).mappings()]


def _distinct(conn: Connection, install_id: int, column: Any) -> Iterator[str]:
    """The values of an indexed column, each found by one step in its index."""
    last = ""
    for _ in range(MOST_CHOICES):
        query = select(func.min(column)).where(messages.c.install_id == install_id, column > last)
        value = conn.execute(query).scalar()
        if value is None:
            return
        yield value
        last = value


def templates_used(conn: Connection, install_id: int) -> list[str]:
    """The ids of the templates that were sent, at most MOST_CHOICES."""
    return list(_distinct(conn, install_id, messages.c.template_id))


def senders(conn: Connection, install_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Who sent: the value to filter by, and the sender as the newest message has it."""
    found = []
    for key in _distinct(conn, install_id, messages.c.sender_key):
        where = (messages.c.install_id == install_id) & (messages.c.sender_key == key)
        query = select(messages.c.sender).where(where).order_by(messages.c.id.desc()).limit(1)
        found.append((key, conn.execute(query).scalar() or {}))
    return found
