"""Messages know that their content was dropped"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "messages", sa.Column("content_dropped", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_messages_with_content",
        "messages",
        ["updated_at"],
        sqlite_where=sa.text("content_dropped IS 0"),
        postgresql_where=sa.text("content_dropped IS false"),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_with_content", "messages")
    op.drop_column("messages", "content_dropped")
