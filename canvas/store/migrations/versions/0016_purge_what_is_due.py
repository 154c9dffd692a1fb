"""The purge finds what is due by an index, and so do the deeds about no message."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SETTLED = (
    "content_dropped IS {no} AND open IS {no} AND status NOT IN ('queued', 'sending', 'sent', 'unknown')"
)
HANDLED = SETTLED + " AND handled_at IS NOT NULL"
ALONE = "message_id IS NULL"
WITH_CONTENT = "content_dropped IS {no}"


def upgrade() -> None:
    op.drop_index("ix_messages_with_content", "messages")
    _index("ix_messages_settled", "messages", ["updated_at"], SETTLED)
    _index("ix_messages_handled", "messages", ["handled_at"], HANDLED)
    _index("ix_actions_alone", "actions", ["kind", "key"], ALONE)


def downgrade() -> None:
    op.drop_index("ix_actions_alone", "actions")
    op.drop_index("ix_messages_handled", "messages")
    op.drop_index("ix_messages_settled", "messages")
    _index("ix_messages_with_content", "messages", ["updated_at"], WITH_CONTENT)


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        sqlite_where=sa.text(where.format(no="0")),
        postgresql_where=sa.text(where.format(no="false")),
    )
