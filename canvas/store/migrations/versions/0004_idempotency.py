"""A customer's idempotency keys, and messages found by their request id."""

import sqlalchemy as sa
from alembic import op

import canvas.store.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NO_ID = sa.text("octopods_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("content_type", sa.String(length=200)),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", canvas.store.database.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_idempotency_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_created", "idempotency", ["created_at"])
    op.create_index(
        "ix_messages_request",
        "messages",
        ["install_id", "request_id"],
        sqlite_where=NO_ID,
        postgresql_where=NO_ID,
    )


def downgrade() -> None:
    op.drop_index("ix_messages_request", "messages")
    op.drop_table("idempotency")
