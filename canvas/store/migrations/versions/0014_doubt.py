"""What came back when nobody knew whether Octopods took a message stays, also after it became certain."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("doubt", sa.Text()))
    op.execute(sa.text("UPDATE messages SET doubt = failure_raw WHERE status = 'unsure'"))


def downgrade() -> None:
    op.drop_column("messages", "doubt")
