"""The `state` of each OAuth authorization flow under way: kept as a hash, used once, bound to one browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from canvas.store.tables import oauth_states

FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class State:
    """One authorization flow: which browser must return from which vendor. `back` is where it goes then."""

    state_hash: str
    platform: str
    browser_hash: str
    region: str
    back: str
    created_at: datetime
    used_at: datetime | None = None


def add(conn: Connection, state: State) -> None:
    """Store a new flow's state, and drop those long past."""
    conn.execute(delete(oauth_states).where(oauth_states.c.created_at < state.created_at - FORGET_AFTER))
    values = {name: getattr(state, name) for name in State.__dataclass_fields__}
    conn.execute(insert(oauth_states).values(values))


def get(conn: Connection, state_hash: str) -> State | None:
    row = conn.execute(select(oauth_states).where(oauth_states.c.state_hash == state_hash)).mappings().first()
    return State(**row) if row else None


def use(conn: Connection, state_hash: str, now: datetime) -> bool:
    """Take the state's one use; False when it was taken before."""
    where = (oauth_states.c.state_hash == state_hash) & oauth_states.c.used_at.is_(None)
    return conn.execute(update(oauth_states).where(where).values(used_at=now)).rowcount == 1
