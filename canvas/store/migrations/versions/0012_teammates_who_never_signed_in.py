"""Teammates may be known who never signed in: they asked on a card, or were appointed"""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("teammates") as table:
        table.alter_column("signed_in_at", existing_type=Instant(), nullable=True)


def downgrade() -> None:
    op.execute(sa.text("UPDATE teammates SET signed_in_at = created_at WHERE signed_in_at IS NULL"))
    with op.batch_alter_table("teammates") as table:
        table.alter_column("signed_in_at", existing_type=Instant(), nullable=False)
