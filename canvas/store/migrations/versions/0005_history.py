"""The history finds messages by every filter at the same cost, however many there are."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ALWAYS = {"status": "status", "channel": "channel"}
WHERE_THERE = ("reason", "category", "template_id", "contact_id", "sender_key", "number_end")


def _partial(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "messages", columns, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    op.add_column("messages", sa.Column("sender_key", sa.String(length=80)))
    op.add_column("messages", sa.Column("number_end", sa.String(length=4)))
    _fill()
    for name in ALWAYS:
        op.create_index(f"ix_messages_{name}", "messages", ["install_id", name, "id"])
    for name in WHERE_THERE:
        _partial(f"ix_messages_{name}", ["install_id", name, "id"], f"{name} IS NOT NULL")
    true = "open IS 1" if op.get_bind().dialect.name == "sqlite" else "open IS true"
    _partial("ix_messages_attention", ["install_id", "id"], true)
    # Asked for with the tenant and in order of id: without them SQLite walked all of the tenant's messages.
    op.drop_index("ix_messages_thread", "messages")
    op.create_index("ix_messages_thread", "messages", ["install_id", "thread_id", "id"])


def _fill() -> None:
    """The two new columns, from what each message has."""
    conn = op.get_bind()
    messages = sa.table(
        "messages",
        *(sa.column(name) for name in ("id", "to", "raw_to", "sender_key", "number_end")),
        sa.column("sender", sa.JSON()),
    )
    names = [messages.c[name] for name in ("id", "to", "raw_to", "sender")]
    last = ""
    while rows := conn.execute(
        sa.select(*names).where(messages.c.id > last).order_by(messages.c.id).limit(500)
    ).all():
        for row in rows:
            conn.execute(sa.update(messages).where(messages.c.id == row.id).values(_values(row)))
        last = rows[-1].id


def _values(row: Any) -> dict[str, str | None]:
    digits = [c for c in row.to or row.raw_to if c in "0123456789"]
    sender = row.sender or {}
    key = f"{sender['kind']}:{sender.get('id') or sender.get('name') or ''}"[:80] if sender else None
    return {"number_end": "".join(digits[-4:]) if len(digits) >= 4 else None, "sender_key": key}


def downgrade() -> None:
    op.drop_index("ix_messages_thread", "messages")
    op.create_index("ix_messages_thread", "messages", ["thread_id"])
    for name in (*ALWAYS, *WHERE_THERE, "attention"):
        op.drop_index(f"ix_messages_{name}", "messages")
    op.drop_column("messages", "number_end")
    op.drop_column("messages", "sender_key")
