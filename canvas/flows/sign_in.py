"""Signing in to the pages: a session is a secret in one browser, and a row here that can be ended."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.store import installs, teammates
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.teammates import Person

ACTORS = {"intercom": "intercom_admin", "hubspot": "hubspot_user"}
LIFE = timedelta(hours=12)  # after a day's work everybody signs in again, however busy the session was


@dataclass(frozen=True, slots=True)
class Me:
    """Who looks at a page, as the database says at this moment."""

    person: Person
    install: Install

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def workspace(self) -> str:
        return self.install.name or self.install.external_id

    @property
    def actor(self) -> Actor:
        return actor_of(self.install, self.person)

    @property
    def is_admin(self) -> bool:
        return self.person.is_admin


def actor_of(install: Install, person: Person) -> Actor:
    """The person as deeds and the audit trail name them, the same as on the platform's own screens."""
    return Actor(ACTORS[install.platform], person.person_id, person.name)


def digest(secret: str) -> str:
    """What is kept of a secret that a browser holds."""
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(conn: Connection, flow: Flow, person: Person) -> str:
    """Start a session; the secret for the browser's cookie."""
    secret = secrets.token_urlsafe(32)
    teammates.begin_session(conn, digest(secret), person, flow.clock())
    return secret


def find(flow: Flow, secret: str) -> Me | None:
    """Who that session belongs to; None when it ended, or the person or the install was removed."""
    with reading(flow.engine) as conn:
        person = teammates.by_session(conn, digest(secret), flow.clock() - LIFE)
        install = installs.get(conn, person.install_id) if person else None
    if person is None or install is None or install.status == installs.REMOVED:
        return None
    return Me(person, install)


def end(flow: Flow, secret: str) -> None:
    """Sign out: the cookie is worth nothing from now on, whoever has a copy."""
    with writing(flow.engine) as conn:
        teammates.end_session(conn, digest(secret))
