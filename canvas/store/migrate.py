"""Bringing the tables to this version, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

FOLDER = Path(__file__).parent / "migrations"
NEWER = "The database was upgraded by a newer version. Start that version."


class Newer(Exception):
    """These tables know more than this code does."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing. Started twice at once, the second waits for the first. Raises Newer."""
    config = _config()
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("redeliver tables"))))
        if trouble(connection) == NEWER:
            raise Newer(NEWER)
        command.upgrade(config, "head")


def revision(engine: Engine, message: str) -> None:
    """Write a migration for what the tables in code have and the database has not; for developers."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True)


def trouble(connection: Connection) -> str | None:
    """Why this code cannot work with these tables, in one sentence; None when it can."""
    script = ScriptDirectory.from_config(_config())
    current = set(MigrationContext.configure(connection).get_current_heads())
    if current == set(script.get_heads()):
        return None
    if not current:
        return "The database has no tables yet; run: flask --app app db upgrade"
    if current - {revision.revision for revision in script.walk_revisions()}:
        return NEWER
    return "The database is older than this version; run: flask --app app db upgrade"
