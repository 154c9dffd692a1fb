"""Who may fix, fix many, and configure: the one place that decides, for every surface."""

from __future__ import annotations

from sqlalchemy import Connection

from canvas.domain import rights as decide
from canvas.domain import settings
from canvas.domain.message import Actor
from canvas.domain.rights import ALL, AWAY, LOOKING, Rights
from canvas.store import teammates
from canvas.store.installs import ACTIVE, Install


def limited(install: Install) -> bool:
    """Whether not everybody may fix here, so that a screen depends on who looks at it."""
    return install.settings.get("may_fix") in (decide.NAMED, decide.ADMINS)


def to_fix(conn: Connection, install: Install, viewer: Actor | None) -> Rights:
    """What `viewer` may do on a card; None is the app itself. No question is asked while everybody may fix."""
    if install.status != ACTIVE:
        return AWAY
    if viewer and viewer.kind == decide.ONLOOKER:
        return LOOKING
    return of(conn, install, viewer) if viewer and limited(install) else ALL


def of(conn: Connection, install: Install, actor: Actor) -> Rights:
    """What `actor` may do in that install."""
    if install.status != ACTIVE:
        return AWAY
    if actor.kind in decide.BY_CHOICE_OF_AN_ADMIN:
        return ALL
    chosen = settings.read(install.settings)
    person = teammates.get(conn, install.id, actor.id) if actor.id else None
    out = person is not None and person.removed_at is not None
    role = person.role if person and not out else None
    names = teammates.admin_names(conn, install.id)
    known = actor.id is not None and not out
    return decide.rights(chosen.may_fix, chosen.may_bulk, role, known, names)
