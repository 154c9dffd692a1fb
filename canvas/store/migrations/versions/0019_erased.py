"""What was erased is remembered by keyed hashes, so that Octopods' list does not bring it back."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_erased_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install_id", "name_hash", name=op.f("pk_erased")),
    )


def downgrade() -> None:
    op.drop_table("erased")
