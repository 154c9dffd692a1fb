"""The audit trail, and the triggers that keep it as it was written"""

import sqlalchemy as sa
from alembic import op

import canvas.store.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# 31536000000 milliseconds are a year: canvas.store.audit.AUDIT_DAYS.
SQLITE = (
    """
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
    """,
    # Erasing a whole install takes its lines along: by then the install itself is gone.
    """
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN OLD.at > CAST(strftime('%s', 'now') AS INTEGER) * 1000 - 31536000000
     AND EXISTS (SELECT 1 FROM installs WHERE id = OLD.install_id)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND (
        OLD.at <= extract(epoch FROM now()) * 1000 - 31536000000
        OR NOT EXISTS (SELECT 1 FROM installs WHERE id = OLD.install_id)
      ) THEN RETURN OLD; END IF;
      RAISE EXCEPTION 'the audit trail is append-only';
    END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger, "postgresql"), nullable=False),
        sa.Column("install_id", sa.Integer(), nullable=False),
        sa.Column("at", canvas.store.database.Instant(), nullable=False),
        sa.Column("actor_kind", sa.String(length=24), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=True),
        sa.Column("deed", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=True),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["install_id"], ["installs.id"], name=op.f("fk_audit_install_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_install", "audit", ["install_id", "id"])
    op.create_index("ix_audit_at", "audit", ["at"])
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")
