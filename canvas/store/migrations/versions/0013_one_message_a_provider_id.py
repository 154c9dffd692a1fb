"""A provider's id names one message of a channel; the database refuses to give it to a second."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Where several hold one id, it stays with the one Octopods knows, else with the oldest.
KEEP_ONE = """
UPDATE messages SET provider_id = NULL
WHERE provider_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM messages AS kept
    WHERE kept.install_id = messages.install_id
      AND kept.provider_id = messages.provider_id
      AND kept.channel = messages.channel
      AND ((kept.octopods_id IS NOT NULL AND messages.octopods_id IS NULL)
        OR ((kept.octopods_id IS NULL) = (messages.octopods_id IS NULL) AND kept.id < messages.id))
)
"""


def upgrade() -> None:
    op.execute(sa.text(KEEP_ONE))
    op.drop_index("ix_messages_provider", "messages")
    op.create_index("uq_messages_provider", "messages", ["install_id", "provider_id", "channel"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_messages_provider", "messages")
    op.create_index("ix_messages_provider", "messages", ["install_id", "provider_id"])
