"""Day tallies, incidents, what is to be told about them, and what each fix achieved here."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TALLY_KEY = {"day": 10, "channel": 16, "template_id": 64, "reason": 40, "fix_id": 40, "cured": 40}
TALLY_SUMS = ("total", "failed", "first_failed", "arrived", "segments")


def _install(table: str) -> list[sa.schema.SchemaItem]:
    name = f"fk_{table}_install_id"
    return [
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["install_id"], ["installs.id"], name=name, ondelete="CASCADE"),
    ]


def upgrade() -> None:
    op.add_column("installs", sa.Column("fix_scores", sa.JSON(none_as_null=True)))
    op.create_table(
        "day_tallies",
        *_install("day_tallies"),
        *(sa.Column(name, sa.String(length=size), nullable=False) for name, size in TALLY_KEY.items()),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in TALLY_SUMS),
        sa.PrimaryKeyConstraint("install_id", *TALLY_KEY, name="pk_day_tallies"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=40), nullable=False),
        *_install("incidents"),
        sa.Column("open_key", sa.String(length=200)),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("channel_id", sa.Integer()),
        sa.Column("template_id", sa.String(length=64)),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("solved_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("open_key", name="uq_incidents_open_key"),
    )
    op.create_index("ix_incidents_install", "incidents", ["install_id", "id"])
    op.create_table(
        "alert_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        *_install("alert_events"),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("told_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_alert_events"),
        sa.UniqueConstraint("install_id", "target", "key", name="uq_alert_events_install_id_target_key"),
    )


def downgrade() -> None:
    op.drop_table("alert_events")
    op.drop_table("incidents")
    op.drop_table("day_tallies")
    op.drop_column("installs", "fix_scores")
