"""Octopods' list is read with marks and gaps, keys have a budget, and providers' hooks have secrets."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("key_limits", sa.Column("poll_tail", Instant()))
    op.add_column("key_limits", sa.Column("minute", Instant()))
    op.add_column("key_limits", sa.Column("used", sa.Integer(), server_default="0", nullable=False))
    op.add_column("key_limits", sa.Column("used_before", sa.Integer(), server_default="0", nullable=False))
    op.add_column("key_limits", sa.Column("tolerated", sa.Integer()))
    op.create_table(
        "list_marks",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("newest_id", sa.String(length=64), nullable=False),
        sa.Column("newest_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_list_marks_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "channel_id", name=op.f("pk_list_marks")),
    )
    op.create_table(
        "list_gaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("from_at", Instant(), nullable=False),
        sa.Column("to_at", Instant(), nullable=False),
        sa.Column("at_most", sa.Integer()),
        sa.Column("noticed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_list_gaps_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_gaps")),
    )
    op.create_index("ix_list_gaps_install", "list_gaps", ["install_id", "id"])
    op.create_table(
        "hook_secrets",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("verify_sealed", sa.Text()),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_hook_secrets_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "provider", name=op.f("pk_hook_secrets")),
    )


def downgrade() -> None:
    for table in ("hook_secrets", "list_gaps", "list_marks"):
        op.drop_table(table)
    for column in ("tolerated", "used_before", "used", "minute", "poll_tail"):
        op.drop_column("key_limits", column)
