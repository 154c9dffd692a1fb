"""Backup and restore as docs/operate.md tells it: the restored copy is the same, works on, and keeps its triggers."""

from __future__ import annotations

import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from canvas.store.database import open_engine, reading, writing
from canvas.store.migrate import trouble
from canvas.store.tables import audit, metadata
from tests import postgres
from tests.desk import Desk
from tests.edges.test_audit import fix_mara


def contents(engine: Engine) -> dict[str, list[str]]:
    skipped = {"counts", "rates"}
    with reading(engine) as conn:
        return {
            table.name: sorted(repr(row) for row in conn.execute(select(table)))
            for table in metadata.sorted_tables
            if table.name not in skipped
        }


def works_on(desk: Desk, restored: Engine) -> None:
    assert contents(restored) == contents(desk.flow.engine)
    with reading(restored) as conn:
        assert trouble(conn) is None
    with pytest.raises(DBAPIError, match="append-only"), writing(restored) as conn:
        conn.execute(update(audit).values(result="changed"))
    assert replace(desk.flow, engine=restored).engine is restored
    restored.dispose()


def test_a_sqlite_backup_taken_while_running_is_restored_whole(desk: Desk, tmp_path: Path) -> None:
    fix_mara(desk)
    source = sqlite3.connect(str(desk.flow.engine.url.database))
    target = sqlite3.connect(tmp_path / "backup.db")
    source.backup(target)  # what `sqlite3 redeliver.db ".backup backup.db"` does
    source.close()
    target.close()
    works_on(desk, open_engine(f"sqlite:///{tmp_path}/backup.db"))


@pytest.mark.postgres
def test_a_postgresql_dump_is_restored_whole(
    both_desk: Desk, postgres_server: postgres.Server, tmp_path: Path
) -> None:
    if both_desk.flow.engine.dialect.name != "postgresql":
        pytest.skip("the SQLite half has a test of its own")
    fix_mara(both_desk)
    dump = str(tmp_path / "backup.dump")
    programs, url = postgres_server.programs, postgres_server.url("tests")
    run = {"check": True, "capture_output": True, "timeout": 60}
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", url], **run)  # type: ignore[call-overload]
    empty = postgres_server.new_database("restored")
    subprocess.run([programs / "pg_restore", "--no-owner", f"--dbname={empty}", dump], **run)  # type: ignore[call-overload]
    works_on(both_desk, open_engine(empty))
