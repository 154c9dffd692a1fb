"""What every test may ask for: the two databases, the running fakes, an app with a clock of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import text

from canvas import config as configuration
from canvas.factory import build_flow, create_app
from canvas.flows.carry_out import sweep
from canvas.store import migrate
from canvas.store.database import open_engine
from canvas.store.tables import metadata
from tests import postgres
from tests.chromium import chromium, chromium_path
from tests.desk import Desk
from tests.fakes import Fake, OctopodsFake, fake_intercom, fake_octopods, intercom_server, octopods_server

__all__ = [
    "chromium",
    "chromium_path",
    "fake_intercom",
    "fake_octopods",
    "intercom_server",
    "octopods_server",
]

START = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def missing(what: str) -> NoReturn:
    """A part of the machine is not there: loud on a developer's machine, an error where it must be."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"NOT TESTED: {what} is missing on this machine")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    if postgres.binaries() is None:
        missing("PostgreSQL")
    with postgres.server() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "redeliver.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url(postgres_server: postgres.Server) -> str:
    """A migrated PostgreSQL database, made once and emptied for each test."""
    url = postgres_server.new_database("tests")
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> str:
    """An empty, migrated database; a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return copy_of(sqlite_template, tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    with engine.connect() as connection, connection.begin():
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    return copy_of(sqlite_template, tmp_path)


def copy_of(template: Path, folder: Path) -> str:
    path = folder / "redeliver.db"
    path.write_bytes(template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings(url: str, octopods: str, intercom: str, **more: str) -> configuration.Config:
    return configuration.load(
        {
            "DATABASE_URL": url,
            "OCTOPODS_URL": octopods,
            "INTERCOM_URL": intercom,
            "INTERCOM_CLIENT_ID": "test-client",
            "INTERCOM_CLIENT_SECRET": "test-client-secret",
            "PUBLIC_URL": "https://redeliver.example.com",
            "POLL_SPACING": "0",
            "CONNECT_TIMEOUT": "2",
            "LOG_LEVEL": "ERROR",
            **more,
        }
    )


def make_desk(url: str, clock: Clock, octopods: OctopodsFake, intercom: Fake, **more: str) -> Desk:
    """An app over the real fakes whose worker works at once, in the same thread."""
    config = settings(url, octopods.url, intercom.url, **more)
    waiting: list[str] = []

    def wake(action_id: str, due_at: datetime) -> None:
        waiting.append(action_id)
        if due_at <= clock():
            sweep(flow)

    octopods.advance((clock() - datetime.now(UTC)).total_seconds())
    flow = build_flow(config, wake, clock)
    return Desk(create_app(config, flow), flow, clock, octopods, intercom)


@pytest.fixture
def desk(sqlite_url: str, clock: Clock, fake_octopods: OctopodsFake, fake_intercom: Fake) -> Iterator[Desk]:
    """The whole app on SQLite with its fakes, ready to be used as an agent and a customer's backend would."""
    made = make_desk(sqlite_url, clock, fake_octopods, fake_intercom)
    yield made
    made.flow.engine.dispose()


@pytest.fixture
def both_desk(
    database_url: str, clock: Clock, fake_octopods: OctopodsFake, fake_intercom: Fake
) -> Iterator[Desk]:
    """The same, once on each database."""
    made = make_desk(database_url, clock, fake_octopods, fake_intercom)
    yield made
    made.flow.engine.dispose()
