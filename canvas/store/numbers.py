"""Numbers about the running of the whole, over all tenants: for operators only, and without any person in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from canvas.store import actions as action_store
from canvas.store.tables import actions, installs, key_limits, unknown_reasons

UNFINISHED = (action_store.DUE, action_store.RUNNING, action_store.FAILED, action_store.UNSURE)


@dataclass(frozen=True, slots=True)
class Numbers:
    """`actions` by kind and state (what went well is counted elsewhere), `oldest_due` in seconds."""

    installs: dict[str, int]
    actions: dict[tuple[str, str], int]
    oldest_due: float
    blocked_keys: int
    unknown_texts: int


def oldest_due(conn: Connection, now: datetime) -> float:
    """For how many seconds the action longest due has waited; 0 when nothing is due."""
    due = (actions.c.state == action_store.DUE) & (actions.c.due_at <= now)
    first: datetime | None = conn.execute(select(func.min(actions.c.due_at)).where(due)).scalar()
    return (now - first).total_seconds() if first else 0.0


def read(conn: Connection, now: datetime) -> Numbers:
    by_status = select(installs.c.status, func.count()).group_by(installs.c.status)
    waiting = select(actions.c.kind, actions.c.state, func.count()).where(actions.c.state.in_(UNFINISHED))
    blocked = select(func.count()).select_from(key_limits).where(key_limits.c.blocked_until > now)
    unnamed = select(func.coalesce(func.sum(unknown_reasons.c.count), 0))
    return Numbers(
        installs=dict(conn.execute(by_status).all()),
        actions={
            (kind, state): count
            for kind, state, count in conn.execute(waiting.group_by(actions.c.kind, actions.c.state))
        },
        oldest_due=oldest_due(conn, now),
        blocked_keys=conn.execute(blocked).scalar_one(),
        unknown_texts=conn.execute(unnamed.where(unknown_reasons.c.reason.is_(None))).scalar_one(),
    )
