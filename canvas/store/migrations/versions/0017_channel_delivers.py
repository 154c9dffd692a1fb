"""A channel remembers when the newest message known to be delivered was sent: the proof that it works again."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channels", sa.Column("delivered_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("channels", "delivered_at")
