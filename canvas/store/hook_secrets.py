"""The secrets by which a provider's calls for one install are believed, sealed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from canvas.store.tables import hook_secrets


@dataclass(frozen=True, slots=True)
class HookSecret:
    """`verify_sealed` is the token that Meta shows when an admin registers the address."""

    provider: str
    changed_at: datetime
    secret_sealed: str = field(repr=False)
    verify_sealed: str | None = field(default=None, repr=False)


def _from_row(row: RowMapping) -> HookSecret:
    return HookSecret(**{name: row[name] for name in HookSecret.__dataclass_fields__})


def of_install(conn: Connection, install_id: int) -> list[HookSecret]:
    query = select(hook_secrets).where(hook_secrets.c.install_id == install_id)
    return [_from_row(row) for row in conn.execute(query.order_by(hook_secrets.c.provider)).mappings()]


def get(conn: Connection, install_id: int, provider: str) -> HookSecret | None:
    where = (hook_secrets.c.install_id == install_id) & (hook_secrets.c.provider == provider)
    row = conn.execute(select(hook_secrets).where(where)).mappings().first()
    return _from_row(row) if row else None


def put(
    conn: Connection, install_id: int, provider: str, sealed: str, verify: str | None, now: datetime
) -> None:
    """Set the secret; without a new verify token the one that is there stays."""
    where = (hook_secrets.c.install_id == install_id) & (hook_secrets.c.provider == provider)
    values = {"secret_sealed": sealed, "changed_at": now}
    if verify:
        values["verify_sealed"] = verify
    if conn.execute(update(hook_secrets).where(where).values(values)).rowcount == 0:
        conn.execute(insert(hook_secrets).values(install_id=install_id, provider=provider, **values))


def remove(conn: Connection, install_id: int, provider: str) -> bool:
    where = (hook_secrets.c.install_id == install_id) & (hook_secrets.c.provider == provider)
    return conn.execute(delete(hook_secrets).where(where)).rowcount == 1
