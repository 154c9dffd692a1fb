"""The people of an install who sign in to the pages or asked to fix, and their sessions, good while both stand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from canvas.domain.rights import ADMIN, ASKING, MEMBER
from canvas.store.tables import sessions, teammates

FORGET_AFTER = timedelta(days=2)  # rows of ended sessions serve nobody


@dataclass(frozen=True, slots=True)
class Person:
    """A teammate as Intercom or HubSpot names them; `role` is ours (canvas/domain/rights.py).

    `signed_in_at` is None for somebody who never came to the pages: they asked on a card, or were appointed.
    """

    install_id: int
    person_id: str
    name: str
    role: str
    created_at: datetime
    signed_in_at: datetime | None = None
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
    """Everybody who ever signed in, asked or was appointed, the removed ones too, by name."""
    query = (
        select(teammates)
        .where(teammates.c.install_id == install_id)
        .order_by(teammates.c.name, teammates.c.person_id)
    )
    return [_from_row(row) for row in conn.execute(query).mappings()]


def admin_names(conn: Connection, install_id: int) -> list[str]:
    """Who may change the settings, those who were here last first."""
    query = (
        select(teammates.c.name)
        .where(
            teammates.c.install_id == install_id,
            teammates.c.role == ADMIN,
            teammates.c.removed_at.is_(None),
        )
        .order_by(teammates.c.signed_in_at.is_(None), teammates.c.signed_in_at.desc(), teammates.c.name)
    )
    return list(conn.execute(query).scalars())


def ask(conn: Connection, install_id: int, person_id: str, name: str, now: datetime) -> None:
    """Write down that a member, or somebody not known yet, asks to be allowed to fix."""
    if get(conn, install_id, person_id) is None:
        add(conn, install_id, person_id, name, MEMBER, now)
    members = _where(install_id, person_id) & (teammates.c.role == MEMBER)
    conn.execute(update(teammates).where(members).values(role=ASKING))


def add(conn: Connection, install_id: int, person_id: str, name: str, role: str, now: datetime) -> None:
    """Somebody who never signed in; a person who is known already stays as they are, name and role."""
    row = {
        "install_id": install_id,
        "person_id": person_id,
        "name": name[:200],
        "role": role,
        "created_at": now,
    }
    with suppress(IntegrityError), conn.begin_nested():
        conn.execute(insert(teammates).values(row))


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
