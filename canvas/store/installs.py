"""Installs: one Intercom workspace or one HubSpot portal, with its settings and its sealed token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, or_, select, update

from canvas.store.tables import installs

ACTIVE, DISCONNECTED, REMOVED = "active", "disconnected", "removed"


@dataclass(frozen=True, slots=True)
class Install:
    """One tenant. `name` is for people; `public_id` is `intercom:WORKSPACE` or `hubspot:PORTAL`."""

    id: int
    platform: str
    external_id: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    region: str | None = None
    status: str = ACTIVE
    token_sealed: str | None = field(default=None, repr=False)
    renewing_until: datetime | None = None
    removed_at: datetime | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    fix_scores: dict[str, dict[str, list[int]]] | None = None

    @property
    def public_id(self) -> str:
        return f"{self.platform}:{self.external_id}"

    @property
    def tz(self) -> str | None:
        """The workspace's IANA time zone, when known."""
        return self.settings.get("timezone")


def _from_row(row: RowMapping) -> Install:
    return Install(**{name: row[name] for name in Install.__dataclass_fields__})


def find(conn: Connection, platform: str, external_id: str, *, hold: bool = False) -> Install | None:
    """The install of that workspace or portal, whatever its status; `hold` as `locked` does."""
    where = (installs.c.platform == platform) & (installs.c.external_id == external_id)
    query = select(installs).where(where)
    row = conn.execute(_held(query) if hold else query).mappings().first()
    return _from_row(row) if row else None


def by_public_id(conn: Connection, public_id: str) -> Install | None:
    """The install of that public id, whatever its status."""
    platform, _, external_id = public_id.partition(":")
    return find(conn, platform, external_id)


_BY_ID = select(installs).where(installs.c.id == bindparam("install"))


def get(conn: Connection, install_id: int) -> Install | None:
    row = conn.execute(_BY_ID, {"install": install_id}).mappings().first()
    return _from_row(row) if row else None


_STATUS = select(installs.c.status).where(installs.c.id == bindparam("install"))


def is_active(conn: Connection, install_id: int) -> bool:
    """Whether the workspace or portal still lets us in. If not, nothing is done there by ourselves."""
    return conn.execute(_STATUS, {"install": install_id}).scalar() == ACTIVE


def locked(conn: Connection, install_id: int) -> Install | None:
    """The install, held until the transaction ends: nobody else changes it between this look and our change."""
    row = conn.execute(_held(_BY_ID), {"install": install_id}).mappings().first()
    return _from_row(row) if row else None


def _held(query: Select[Any]) -> Select[Any]:
    # Its key is not meant: rows that point to it, such as messages, go on being written meanwhile.
    return query.with_for_update(key_share=True)


def everyone(conn: Connection) -> list[Install]:
    return [_from_row(row) for row in conn.execute(select(installs).order_by(installs.c.id)).mappings()]


def put(
    conn: Connection,
    platform: str,
    external_id: str,
    now: datetime,
    **changes: Any,
) -> Install:
    """Add the install, or change the one there is; `changes` are columns, and `settings` are merged."""
    old = find(conn, platform, external_id, hold=True)
    if old is None:
        values = {
            "platform": platform,
            "external_id": external_id,
            "settings": {},
            "status": ACTIVE,
            **changes,
        }
        conn.execute(insert(installs).values(**values, created_at=now, updated_at=now))
    else:
        if "settings" in changes:
            changes["settings"] = {**old.settings, **changes["settings"]}
        conn.execute(update(installs).where(installs.c.id == old.id).values(**changes, updated_at=now))
    found = find(conn, platform, external_id)
    assert found is not None
    return found


def let_go(conn: Connection, install_id: int, status: str, now: datetime) -> None:
    """It does not let us in any more: its token, worth nothing now, goes at once, the rest after the stated grace."""
    gone = {"status": status, "token_sealed": None, "removed_at": now, "updated_at": now}  # nosec B105 # forgotten
    conn.execute(update(installs).where(installs.c.id == install_id).values(gone))


def take_renewal(conn: Connection, install_id: int, now: datetime, until: datetime) -> bool:
    """Take the turn to renew this install's token until that time; False while somebody else has it."""
    free = or_(installs.c.renewing_until.is_(None), installs.c.renewing_until <= now)
    where = (installs.c.id == install_id) & free
    return conn.execute(update(installs).where(where).values(renewing_until=until)).rowcount == 1


def renew(conn: Connection, install_id: int, token_sealed: str) -> None:
    """Keep a renewed token. Nothing that a page shows has changed, so `updated_at` stays."""
    conn.execute(update(installs).where(installs.c.id == install_id).values(token_sealed=token_sealed))


def end_renewal(conn: Connection, install_id: int) -> None:
    """Give the turn back."""
    conn.execute(update(installs).where(installs.c.id == install_id).values(renewing_until=None))
