"""What PostgreSQL takes in no text goes out of the JSON that is asked for its members, or it answers none of them."""

import sqlalchemy as sa
from alembic import op

from canvas.store.database import Document

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ASKED = (("actions", "payload"), ("bulk_jobs", "filter"))
# As JSON writes NUL, and halves of characters; whole characters that are found so stay as they are.
UNSTORABLE = ("\\u0000", "\\ud")


def upgrade() -> None:
    for name, column in ASKED:
        table = sa.table(name, sa.column("id"), sa.column(column, Document))
        written = sa.cast(table.c[column], sa.Text)
        doubtful = sa.or_(*(written.contains(one, autoescape=True) for one in UNSTORABLE))
        for row in op.get_bind().execute(sa.select(table).where(doubtful)).all():
            op.execute(sa.update(table).where(table.c.id == row.id).values({column: row[1]}))


def downgrade() -> None:
    pass  # the older code reads it as well
