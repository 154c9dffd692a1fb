"""Messages know their template and whether they keep failing; unknown reasons are counted."""

import sqlalchemy as sa
from alembic import op

import canvas.store.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("template_id", sa.String(length=64)))
    op.add_column(
        "messages", sa.Column("keeps_failing", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "unknown_reasons",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("shape_hash", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("example", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", canvas.store.database.Instant(), nullable=False),
        sa.Column("last_at", canvas.store.database.Instant(), nullable=False),
        sa.Column("reason", sa.String(length=40)),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name="fk_unknown_reasons_install_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "shape_hash", name="pk_unknown_reasons"),
    )


def downgrade() -> None:
    op.drop_table("unknown_reasons")
    op.drop_column("messages", "keeps_failing")
    op.drop_column("messages", "template_id")
