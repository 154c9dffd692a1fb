"""What is known of Octopods' templates: a copy per channel, with the time it was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from canvas.store.tables import templates


def replace_all(
    conn: Connection,
    install_id: int,
    channel_id: int,
    found: Sequence[tuple[str, dict[str, Any]]],
    now: datetime,
) -> None:
    """Set the copy of one channel to what Octopods listed just now, as (template id, data)."""
    where = (templates.c.install_id == install_id) & (templates.c.channel_id == channel_id)
    conn.execute(delete(templates).where(where))
    rows = [
        {"install_id": install_id, "channel_id": channel_id, "template_id": id_, "data": data, "seen_at": now}
        for id_, data in dict(found).items()
    ]
    if rows:
        conn.execute(insert(templates), rows)


def of_install(conn: Connection, install_id: int) -> list[tuple[int, dict[str, Any], datetime]]:
    """All templates of an install as (channel id, data, when seen)."""
    query = select(templates).where(templates.c.install_id == install_id).order_by(templates.c.template_id)
    return [(r["channel_id"], r["data"], r["seen_at"]) for r in conn.execute(query).mappings()]


def get(
    conn: Connection, install_id: int, channel_id: int | None, template_id: str
) -> tuple[dict[str, Any], datetime] | None:
    where = (templates.c.install_id == install_id) & (templates.c.template_id == template_id)
    query = select(templates).where(where, templates.c.channel_id == channel_id)
    row = conn.execute(query).mappings().first()
    return (row["data"], row["seen_at"]) if row else None


def listed_at(conn: Connection, install_id: int, channel_id: int) -> datetime | None:
    """When the templates of this channel were last copied, or None when they never were."""
    where = (templates.c.install_id == install_id) & (templates.c.channel_id == channel_id)
    at: datetime | None = conn.execute(select(func.max(templates.c.seen_at)).where(where)).scalar()
    return at
