"""An opt-out counts for its channel: opting in on one must not forget the other. An erased number fits as its hash."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ONE_A_NUMBER = """
DELETE FROM opt_outs WHERE length("to") > 20 OR EXISTS (
    SELECT 1 FROM opt_outs AS other
    WHERE other.install_id = opt_outs.install_id AND other."to" = opt_outs."to" AND other.channel < opt_outs.channel
)
"""


def upgrade() -> None:
    _key("install_id", "to", "channel", width=64)


def downgrade() -> None:
    op.execute(sa.text(ONE_A_NUMBER))
    _key("install_id", "to", width=20)


def _key(*columns: str, width: int) -> None:
    with op.batch_alter_table("opt_outs") as table:
        table.alter_column("to", type_=sa.String(width), existing_nullable=False)
        table.drop_constraint("pk_opt_outs", type_="primary")
        table.create_primary_key("pk_opt_outs", list(columns))
