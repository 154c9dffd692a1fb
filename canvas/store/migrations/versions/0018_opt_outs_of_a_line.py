"""An opt-out counts for every number of its line: what was remembered before gets the other spelling, too."""

import sqlalchemy as sa
from alembic import op

from canvas.domain.phones import same_line

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

opt_outs = sa.table(
    "opt_outs", *(sa.column(name) for name in ("install_id", "to", "channel", "message_id", "created_at"))
)


def upgrade() -> None:
    rows = [
        row._mapping for row in op.get_bind().execute(sa.select(opt_outs).where(opt_outs.c.to.like("+%")))
    ]
    known = {(row["install_id"], row["to"], row["channel"]) for row in rows}
    others = [{**row, "to": number} for row in rows for number in same_line(row["to"])[1:]]
    missing = [row for row in others if (row["install_id"], row["to"], row["channel"]) not in known]
    if missing:
        op.bulk_insert(opt_outs, missing)


def downgrade() -> None:
    pass  # the other spelling holds for the older code as well
