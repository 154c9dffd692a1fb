"""A start in production refuses what is missing or was never changed, and says each in one sentence."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from canvas import config
from canvas.factory import open_queue
from tests import postgres

ROOT = Path(__file__).parent.parent.parent
FIT = {
    "PRODUCTION": "yes",
    "PUBLIC_URL": "https://redeliver.example.com",
    "SECRET_KEY": "a-secret-of-more-than-thirty-two-characters",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}


def test_a_fit_configuration_starts() -> None:
    assert config.load(FIT)["PRODUCTION"] is True


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY: it must be set in production"),
        ({"SECRET_KEY": config.DEV_SECRET}, "SECRET_KEY: it must be set in production"),
        ({"READ_TIMEOUT": "0"}, "READ_TIMEOUT: it must be 1 to 100 seconds"),
        ({"READ_TIMEOUT": "110"}, "READ_TIMEOUT: it must be 1 to 100 seconds"),
        ({"CONNECT_TIMEOUT": "0"}, "CONNECT_TIMEOUT: it must be 1 to 15 seconds"),
        ({"CONNECT_TIMEOUT": "nan"}, "CONNECT_TIMEOUT: it must be 1 to 15 seconds"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: it must have at least 32 characters in production"),
        ({"ENCRYPTION_KEYS": None}, "ENCRYPTION_KEYS: it must be set in production"),
        ({"ENCRYPTION_KEYS": config.DEV_ENCRYPTION_KEY}, "ENCRYPTION_KEYS: it must be set in production"),
        (
            {"ENCRYPTION_KEYS": f"{FIT['ENCRYPTION_KEYS']},{config.DEV_ENCRYPTION_KEY}"},
            "ENCRYPTION_KEYS: it must not hold the development key in production",
        ),
        ({"PUBLIC_URL": None}, "PUBLIC_URL: it must be set in production"),
        ({"PUBLIC_URL": "http://redeliver.example.com"}, "PUBLIC_URL: it must start with https://"),
        ({"INTERCOM_CLIENT_ID": "app"}, "INTERCOM_CLIENT_SECRET: it must be set when INTERCOM_CLIENT_ID is"),
        (
            {"HUBSPOT_CLIENT_ID": "app", "HUBSPOT_CLIENT_SECRET": " , "},
            "HUBSPOT_CLIENT_SECRET: it must be set when HUBSPOT_CLIENT_ID is",
        ),
        ({"LOG_LEVEL": "VERBOSE"}, "LOG_LEVEL: it must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ({"DEFAULT_REGION": "ZZ"}, "DEFAULT_REGION: it must be the two letters of a country, such as IE"),
        ({"INTERCOM_URL": "api.intercom.io"}, "INTERCOM_URL: it must be an http(s) address without query"),
        ({"INTERCOM_AUTHORIZE_URL": "http://[::1"}, "INTERCOM_AUTHORIZE_URL: it must be an http(s) address"),
        ({"HUBSPOT_URL": "https://api.hubapi.com:x"}, "HUBSPOT_URL: it must be an http(s) address"),
        ({"PORT": "abc"}, "PORT: it must be a whole number from 1 to 65535"),
        ({"PORT": "0"}, "PORT: it must be a whole number from 1 to 65535"),
        ({"RETENTION_DAYS": "ninety"}, "RETENTION_DAYS: it must be a whole number of days, from 1 to 36525"),
        ({"RATE_PER_ADDRESS": "1.5"}, "RATE_PER_ADDRESS: it must be a whole number, 0 or more"),
        ({"POLL_SPACING": "soon"}, "POLL_SPACING: it must be a number of seconds, from 0 to 10000000"),
        ({"POLL_SCHEDULE": "10,soon"}, "POLL_SCHEDULE: it must be seconds, comma-separated, each above zero"),
        ({"POLL_SCHEDULE": "10,nan"}, "POLL_SCHEDULE: it must be seconds, comma-separated, each above zero"),
        ({"ALLOW_PRIVATE_LINKS": "yes"}, "ALLOW_PRIVATE_LINKS: it must not be set in production"),
        ({"SECRET_KEY": " " * 40}, "SECRET_KEY: it must have at least 32 characters in production"),
        (
            {"ERASE_AFTER_DAYS": "99999999999"},
            "ERASE_AFTER_DAYS: it must be a whole number of days, from 0 to",
        ),
        (
            {"OCTOPODS_URL": "https://app.octopods.io/api/v1"},
            "OCTOPODS_URL: it must be scheme and host alone",
        ),
        (
            {"DATABASE_URL": "postgresql://u:p@host:abc/db"},
            "DATABASE_URL: it must be sqlite:///path or postgre",
        ),
        ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL: it must name a file"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL: it must name a file"),
        ({"SMTP_URL": "mail.example.com"}, "SMTP_URL: it must be smtp:// or smtps://"),
        ({"SMTP_URL": "smtp://user:p/w@mail.example.com"}, "SMTP_URL: it must be smtp:// or smtps://"),
    ],
)
def test_each_missing_or_default_secret_is_named(change: dict[str, str | None], sentence: str) -> None:
    environment = {name: value for name, value in {**FIT, **change}.items() if value is not None}
    with pytest.raises(config.BadSetting) as refusal:
        config.load(environment)
    assert sentence in str(refusal.value)
    assert str(refusal.value).count(";") == 0


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("DEFAULT_REGION", "ie", "IE"),
        ("INTERCOM_URL", "", ""),
        ("PORT", "1", 1),
        ("ERASE_AFTER_DAYS", "0", 0),
        ("DATABASE_URL", "sqlite:////srv/redeliver.db\n", "sqlite:////srv/redeliver.db"),
        ("OCTOPODS_URL", "https://app.octopods.io/", "https://app.octopods.io"),
        ("SMTP_URL", "smtps://user:p%2Fw@[::1]:465", "smtps://user:p%2Fw@[::1]:465"),
    ],
)
def test_what_makes_sense_is_taken(name: str, given: str, kept: object) -> None:
    assert config.load({name: given})[name] == kept


def test_the_app_stops_with_that_sentence_and_no_traceback(tmp_path: Path) -> None:
    environment = {**FIT, "SECRET_KEY": config.DEV_SECRET, "PYTHONPATH": str(ROOT), "PATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", "import app"], env=environment, cwd=tmp_path, capture_output=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.decode() == "Redeliver does not start. SECRET_KEY: it must be set in production.\n"


def start_without(database_url: str) -> str:
    """What the app says when it is started with a database that it cannot have."""
    environment = {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "PATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", "import app"], env=environment, cwd=ROOT, capture_output=True, timeout=60
    )
    assert ended.returncode == 1
    return ended.stderr.decode()


def test_a_file_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = start_without(f"sqlite:///{tmp_path}/file/redeliver.db")
    assert said.startswith(
        f"Redeliver does not start. The database {tmp_path}/file/redeliver.db cannot be opened: "
    )
    assert len(said.splitlines()) == 1


@pytest.mark.postgres
def test_why_postgresql_refuses_is_told(postgres_server: postgres.Server) -> None:
    said = start_without(postgres_server.url("nobody_made_it"))
    assert said.startswith("Redeliver does not start. The database does not answer: ")
    assert 'database "nobody_made_it" does not exist' in said
    assert len(said.splitlines()) == 1


def test_gunicorn_ends_with_that_sentence_instead_of_trying_for_ever(tmp_path: Path) -> None:
    environment = {**FIT, "SECRET_KEY": "short", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(Path(sys.executable).with_name("gunicorn")), "--bind", f"unix:{tmp_path}/web", "app:app"]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, timeout=60)
    assert ended.returncode == 1
    sentence = "Redeliver does not start. SECRET_KEY: it must have at least 32 characters in production."
    assert ended.stderr.decode().splitlines()[-1] == sentence


@pytest.mark.postgres
def test_processes_that_start_together_on_a_new_database_all_start(postgres_server: postgres.Server) -> None:
    settings = config.load({"DATABASE_URL": postgres_server.new_database("together")})
    gate = Barrier(4)

    def start() -> str:
        gate.wait()
        return str(open_queue(settings).name)

    with ThreadPoolExecutor(4) as together:
        started = [together.submit(start) for _ in range(4)]
    assert [each.result() for each in started] == ["redeliver"] * 4
