"""An install with its connected channels: what every screen asks first, in one question."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection, Dialect, String, bindparam, select

from canvas.store import channels
from canvas.store.channels import Channel
from canvas.store.database import CompiledQuery, RawConnection, Row
from canvas.store.installs import Install
from canvas.store.tables import channels as channel_table
from canvas.store.tables import installs, key_limits

_WITH_CHANNELS = CompiledQuery(
    select(
        *(column.label(f"install_{column.name}") for column in installs.c),
        *channel_table.c,
        key_limits.c.blocked_until,
    )
    .select_from(
        installs.outerjoin(
            channel_table,
            (channel_table.c.install_id == installs.c.id) & channel_table.c.removed_at.is_(None),
        ).outerjoin(key_limits, key_limits.c.key_hash == channel_table.c.key_hash)
    )
    .where(
        installs.c.platform == bindparam("platform", type_=String),
        installs.c.external_id == bindparam("external_id", type_=String),
    )
    .order_by(channel_table.c.id)
)


def rows(conn: Connection | RawConnection, platform: str, external_id: str) -> tuple[Row, ...]:
    """An install and its connected channels in one question, for `read`: every screen begins with it."""
    return _WITH_CHANNELS.rows(conn, platform=platform, external_id=external_id)


@lru_cache(1024)
def read(dialect: Dialect, found: tuple[Row, ...]) -> tuple[Install, tuple[Channel, ...]] | None:
    """The install of `rows` and its channels, oldest first; read once for as long as the rows are the same."""
    answers = _WITH_CHANNELS.read(dialect, found)
    if not answers:
        return None
    install = Install(**{name: answers[0][f"install_{name}"] for name in Install.__dataclass_fields__})
    return install, tuple(channels.from_row(row) for row in answers if row["id"] is not None)
