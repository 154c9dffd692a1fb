"""The people of an install who sign in to the pages, and their sessions. A session counts only while both stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from canvas.store.tables import sessions, teammates

ADMIN, MEMBER = "admin", "member"
FORGET_AFTER = timedelta(days=2)  # rows of ended sessions serve nobody


@dataclass(frozen=True, slots=True)
class Person:
    """A teammate as Intercom or HubSpot names them; `role` is ours."""

    install_id: int
    person_id: str
    name: str
    role: str
    created_at: datetime
    signed_in_at: datetime
    removed_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN


def _from_row(row: RowMapping) -> Person:
    return Person(**{name: row[name] for name in Person.__dataclass_fields__})


def _where(install_id: int, person_id: str) -> Any:
    return (teammates.c.install_id == install_id) & (teammates.c.person_id == person_id)


def get(conn: Connection, install_id: int, person_id: str) -> Person | None:
    row = conn.execute(select(teammates).where(_where(install_id, person_id))).mappings().first()
    return _from_row(row) if row else None


def of_install(conn: Connection, install_id: int) -> list[Person]:
    """Everybody who ever signed in, the removed ones too, by name."""
    query = (
        select(teammates)
        .where(teammates.c.install_id == install_id)
        .order_by(teammates.c.name, teammates.c.person_id)
    )
    return [_from_row(row) for row in conn.execute(query).mappings()]


def admins(conn: Connection, install_id: int) -> int:
    """How many may change the settings."""
    where = (
        (teammates.c.install_id == install_id)
        & (teammates.c.role == ADMIN)
        & teammates.c.removed_at.is_(None)
    )
    return conn.execute(select(func.count()).select_from(teammates).where(where)).scalar_one()


def arrive(conn: Connection, install_id: int, person_id: str, name: str, role: str, now: datetime) -> None:
    """Write down that this person signed in; `role` holds for somebody new only."""
    values = {"name": name, "signed_in_at": now}
    if conn.execute(update(teammates).where(_where(install_id, person_id)).values(values)).rowcount == 0:
        row = {"install_id": install_id, "person_id": person_id, "role": role, "created_at": now, **values}
        conn.execute(insert(teammates).values(row))


def change(conn: Connection, install_id: int, person_id: str, **values: Any) -> bool:
    return conn.execute(update(teammates).where(_where(install_id, person_id)).values(values)).rowcount == 1


def begin_session(conn: Connection, session_id: str, person: Person, now: datetime) -> None:
    """Store a new session, and drop rows nobody can use any more."""
    conn.execute(delete(sessions).where(sessions.c.created_at < now - FORGET_AFTER))
    row = {
        "id": session_id,
        "install_id": person.install_id,
        "person_id": person.person_id,
        "created_at": now,
    }
    conn.execute(insert(sessions).values(row))


def by_session(conn: Connection, session_id: str, since: datetime) -> Person | None:
    """The person of a session begun after `since`, unless they were removed or the session was ended."""
    same = (sessions.c.install_id == teammates.c.install_id) & (sessions.c.person_id == teammates.c.person_id)
    query = (
        select(teammates)
        .join(sessions, same)
        .where(sessions.c.id == session_id, sessions.c.created_at >= since, teammates.c.removed_at.is_(None))
    )
    row = conn.execute(query).mappings().first()
    return _from_row(row) if row else None


def end_session(conn: Connection, session_id: str) -> None:
    conn.execute(delete(sessions).where(sessions.c.id == session_id))


def end_sessions_of(conn: Connection, install_id: int, person_id: str | None = None) -> None:
    """Sign out one person everywhere, or everybody of the install."""
    where = sessions.c.install_id == install_id
    if person_id is not None:
        where &= sessions.c.person_id == person_id
    conn.execute(delete(sessions).where(where))
