"""Bulk jobs: many fixes, dry run first, each with its result."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True)


def _install(table: str) -> list[sa.schema.SchemaItem]:
    name = f"fk_{table}_install_id"
    return [
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["install_id"], ["installs.id"], name=name, ondelete="CASCADE"),
    ]


def upgrade() -> None:
    op.create_table(
        "bulk_jobs",
        sa.Column("id", sa.String(length=40), nullable=False),
        *_install("bulk_jobs"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("choice", sa.String(length=24), nullable=False),
        sa.Column("filter", JSON, nullable=False),
        sa.Column("actor", JSON, nullable=False),
        sa.Column("spread", JSON, nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_jobs"),
    )
    op.create_index("ix_bulk_jobs_install", "bulk_jobs", ["install_id", "id"])
    op.create_table(
        "bulk_items",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        *_install("bulk_items"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fix_id", sa.String(length=40)),
        sa.Column("target", sa.Integer()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("child_id", sa.String(length=40)),
        sa.ForeignKeyConstraint(
            ["job_id"], ["bulk_jobs.id"], name="fk_bulk_items_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "message_id", name="pk_bulk_items"),
    )
    op.create_index("ix_bulk_items_state", "bulk_items", ["job_id", "state", "message_id"])


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_jobs")
