"""Teammates sign in to the pages; a walk through OAuth has a state of its own; installs renew tokens and go."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installs", sa.Column("renewing_until", Instant()))
    op.add_column("installs", sa.Column("removed_at", Instant()))
    op.create_table(
        "teammates",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("signed_in_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant()),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name="fk_teammates_install_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "person_id", name="pk_teammates"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name="fk_sessions_install_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_teammate", "sessions", ["install_id", "person_id"])
    op.create_table(
        "oauth_states",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("back", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.PrimaryKeyConstraint("state_hash", name="pk_oauth_states"),
    )
    op.create_index("ix_oauth_states_created_at", "oauth_states", ["created_at"])


def downgrade() -> None:
    op.drop_table("oauth_states")
    op.drop_table("sessions")
    op.drop_table("teammates")
    op.drop_column("installs", "removed_at")
    op.drop_column("installs", "renewing_until")
