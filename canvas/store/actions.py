"""Actions: every deed is a row before it is tried. The row is the truth; a queue only wakes people up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    case,
    delete,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from canvas.domain.ids import new_id
from canvas.domain.message import Actor
from canvas.domain.schedule import LEASE
from canvas.store.tables import actions

DUE, RUNNING, DONE, FAILED, UNSURE, CANCELLED = "due", "running", "done", "failed", "unsure", "cancelled"


# Statements that every deed runs through are built once: building costs more than the database takes.
_ready = (actions.c.state == DUE) & (actions.c.due_at <= bindparam("now"))
_lost = (actions.c.state == RUNNING) & (actions.c.lease_until <= bindparam("now"))
_ADD = insert(actions)
_BY_KEY = select(actions).where(
    actions.c.install_id == bindparam("tenant"), actions.c.key == bindparam("wanted")
)
_DUE = select(actions.c.id).where(or_(_ready, _lost)).order_by(actions.c.due_at).limit(bindparam("most"))
_CLAIM = (
    update(actions)
    .where(actions.c.id == bindparam("action"), or_(_ready, _lost))
    .values(
        state=RUNNING,
        lease=bindparam("new_lease"),
        lease_until=bindparam("until"),
        tries=actions.c.tries + 1,
    )
    .returning(*actions.c)
)
_mine = (
    (actions.c.id == bindparam("action"))
    & (actions.c.lease == bindparam("held_lease"))
    & (actions.c.state == RUNNING)
)
_WRITE_MINE = update(actions).where(_mine)
_asked_again_meanwhile = (
    actions.c.tries == 0
)  # see `restart`: a deed that is being done is in its first try or later
_END_MINE = _WRITE_MINE.values(
    state=case((_asked_again_meanwhile, DUE), else_=bindparam("ended_as")),
    finished_at=case(
        (_asked_again_meanwhile, None), else_=bindparam("ended_at", type_=actions.c.finished_at.type)
    ),
)
_REPEAT_MINE = _WRITE_MINE.values(
    state=DUE,
    tries=0,
    due_at=case(
        (_asked_again_meanwhile, actions.c.due_at),
        else_=bindparam("next_at", type_=actions.c.due_at.type),
    ),
)
_FORGET_MINE = delete(actions).where(_mine)


class Duplicate(Exception):
    """An action of that key exists already."""


@dataclass(frozen=True, slots=True)
class Action:
    """One deed: what kind, for which message, when it is due, and how it went."""

    id: str
    install_id: int
    kind: str
    key: str
    due_at: datetime
    created_at: datetime
    state: str = DUE
    message_id: str | None = None
    tries: int = 0
    payload: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    actor: Actor | None = None
    lease: str | None = None
    finished_at: datetime | None = None

    def under_way(self, now: datetime) -> bool:
        """Whether somebody is doing it, or should be."""
        return self.state == RUNNING or (self.state == DUE and self.due_at <= now)


def _from_row(row: RowMapping) -> Action:
    names = [f for f in Action.__dataclass_fields__ if f != "actor"]
    actor = Actor(**row["actor"]) if row["actor"] else None
    return Action(**{name: row[name] for name in names}, actor=actor)


def add(
    conn: Connection,
    install_id: int,
    kind: str,
    key: str,
    due_at: datetime,
    now: datetime,
    *,
    message_id: str | None = None,
    payload: dict[str, Any] | None = None,
    actor: Actor | None = None,
) -> Action:
    """Store a deed to be done. Raises Duplicate when one with this key exists."""
    action = Action(
        id=new_id("act", now),
        install_id=install_id,
        kind=kind,
        key=key,
        due_at=due_at,
        created_at=now,
        message_id=message_id,
        payload=payload or {},
        actor=actor,
    )
    values = asdict(action)
    try:
        with conn.begin_nested():
            conn.execute(_ADD, values)
    except IntegrityError as error:
        raise Duplicate(key) from error
    return action


def ensure(
    conn: Connection, install_id: int, kind: str, key: str, due_at: datetime, now: datetime, **more: Any
) -> None:
    """Store a deed unless one of this key exists, or is made at the same moment."""
    if by_key(conn, install_id, key) is None:
        with suppress(Duplicate):
            add(conn, install_id, kind, key, due_at, now, **more)


def restart(conn: Connection, install_id: int, kind: str, key: str, now: datetime, **more: Any) -> None:
    """Have a repeatable deed done once more, whether it exists, was finished, or was given up; `more` as it is now.

    One that waits keeps its time. One that is being done may have looked before what this transaction writes,
    so it is done once more when it ends.
    """
    if not _asked_again(conn, install_id, key, now, **more):
        try:
            add(conn, install_id, kind, key, now, now, **more)
        except Duplicate:  # made at the same moment
            _asked_again(conn, install_id, key, now, **more)


def restart_now(
    conn: Connection, install_id: int, kind: str, key: str, now: datetime, **more: Any
) -> str | None:
    """`restart`, and without waiting for the time that one already has; the id to wake."""
    restart(conn, install_id, kind, key, now, **more)
    return hasten(conn, install_id, key, now)


def _asked_again(
    conn: Connection, install_id: int, key: str, now: datetime, actor: Actor | None = None, **more: Any
) -> bool:
    """Whether there is a deed of this key; it is held, so that nobody claims or ends it before we commit."""
    where = (actions.c.install_id == install_id) & (actions.c.key == key)
    waits = actions.c.state == DUE
    values = {
        "state": case((actions.c.state == RUNNING, RUNNING), else_=DUE),
        "due_at": case((waits, actions.c.due_at), else_=literal(now, actions.c.due_at.type)),
        "tries": case((waits, actions.c.tries), else_=0),
        "result": None,
        "finished_at": None,
        **more,
        **({"actor": asdict(actor)} if actor else {}),
    }
    return conn.execute(update(actions).where(where).values(values)).rowcount == 1


def get(conn: Connection, action_id: str) -> Action | None:
    row = conn.execute(select(actions).where(actions.c.id == action_id)).mappings().first()
    return _from_row(row) if row else None


def by_key(conn: Connection, install_id: int, key: str) -> Action | None:
    row = conn.execute(_BY_KEY, {"tenant": install_id, "wanted": key}).mappings().first()
    return _from_row(row) if row else None


def states(conn: Connection, kind: str) -> dict[str, str]:
    """The state of every deed of a kind that is about no message, by its key."""
    where = (actions.c.kind == kind) & actions.c.message_id.is_(None)
    return {row.key: row.state for row in conn.execute(select(actions.c.key, actions.c.state).where(where))}


def due(conn: Connection, now: datetime, limit: int = 100) -> list[str]:
    """Ids of what should be carried out now: due, or held by somebody whose lease ran out."""
    return [str(value) for (value,) in conn.execute(_DUE, {"now": now, "most": limit})]


def claim(conn: Connection, action_id: str, now: datetime) -> Action | None:
    """Take the action for the length of a lease, or None when it is not due or somebody else has it."""
    given = {"action": action_id, "now": now, "new_lease": new_id("lease", now), "until": now + LEASE}
    row = conn.execute(_CLAIM, given).mappings().first()
    return _from_row(row) if row else None


def _write(conn: Connection, action: Action, **values: Any) -> bool:
    """Write and let go; False when the lease was lost meanwhile."""
    return conn.execute(_WRITE_MINE, {**values, **_let_go(action)}).rowcount == 1


def _let_go(action: Action) -> dict[str, Any]:
    return {"action": action.id, "held_lease": action.lease, "lease": None, "lease_until": None}


def finish(
    conn: Connection, action: Action, state: str, now: datetime, result: dict[str, Any] | None = None
) -> bool:
    """Write down how it went, or that it was asked for again meanwhile; False when the lease was lost."""
    how = {"ended_as": state, "ended_at": now, "result": result}
    return conn.execute(_END_MINE, {**how, **_let_go(action)}).rowcount == 1


def again(conn: Connection, action: Action, due_at: datetime, *, counted: bool = True) -> bool:
    """Hand the action back, to be tried at `due_at`; `counted=False` when this try does not count."""
    tries = action.tries if counted else action.tries - 1
    return _write(conn, action, state=DUE, due_at=due_at, tries=tries)


def repeat(conn: Connection, action: Action, due_at: datetime) -> bool:
    """Hand back a deed that went well, to be done again at `due_at`, or when it was asked for meanwhile.

    Earlier trouble is not held against it.
    """
    return conn.execute(_REPEAT_MINE, {"next_at": due_at, **_let_go(action)}).rowcount == 1


def forget(conn: Connection, action: Action) -> None:
    """Remove a finished deed that leaves nothing to tell, such as a poll."""
    conn.execute(_FORGET_MINE, {"action": action.id, "held_lease": action.lease})


def cancel(conn: Connection, install_id: int, key: str, now: datetime) -> bool:
    """Undo a deed that has not begun; False when it has."""
    where = (actions.c.install_id == install_id) & (actions.c.key == key) & (actions.c.state == DUE)
    return conn.execute(update(actions).where(where).values(state=CANCELLED, finished_at=now)).rowcount == 1


def empty(conn: Connection, install_id: int, key: str) -> None:
    """Take out of a deed what it was given to be done with, when that is needed no more."""
    where = (actions.c.install_id == install_id) & (actions.c.key == key)
    conn.execute(update(actions).where(where).values(payload={}))


def withdraw(conn: Connection, install_id: int, key: str) -> None:
    """Remove a deed that has not begun, as if it had never been asked for."""
    where = (actions.c.install_id == install_id) & (actions.c.key == key) & (actions.c.state == DUE)
    conn.execute(delete(actions).where(where))


def hasten(conn: Connection, install_id: int, key: str, now: datetime) -> str | None:
    """Make the deed of that key due now if it waits; its id in whatever state, or None when there is none."""
    where = (actions.c.install_id == install_id) & (actions.c.key == key) & (actions.c.state == DUE)
    conn.execute(update(actions).where(where).values(due_at=now))
    found = by_key(conn, install_id, key)
    return found.id if found else None
