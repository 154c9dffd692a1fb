"""Stopping with care and starting with care: nothing is dropped half-way, and the wrong database is refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import requests
from sqlalchemy import text

from canvas.domain.message import Status
from canvas.store import messages, migrate
from canvas.store.database import open_engine, reading, writing
from tests.torture.agents import Agent, Told
from tests.torture.world import KEYS, World, fill, phone_of, world

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with world(f"sqlite:///{tmp_path}/redeliver.db", tmp_path, Random(1)) as made:
        fill(made, 2)
        yield made


def until(what: str, ready: object, seconds: float = 30) -> None:
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def test_a_worker_told_to_stop_writes_down_the_outcome_of_the_send_under_way(small: World) -> None:
    small.start("web0")
    small.start("worker0")
    small.wait_until_up()
    small.octopods.set_fault("slow", ms=1500, path="/messages", method="POST")
    told = Told()
    Agent(small, told, 1, 2).turn(1)
    until("the send", lambda: [e for e in small.octopods.log() if e["method"] == "POST"])
    small.kill("worker0", signal.SIGTERM)
    flow = small.flow()
    with reading(flow.engine) as conn:
        child = next(
            m for m in messages.thread(conn, 1, _thread(conn, phone_of(1))) if m.parent_id is not None
        )
    assert child.status is Status.SENT
    assert child.octopods_id == small.octopods.sends()[0]["id"]
    flow.engine.dispose()


def _thread(conn: object, phone: str) -> str:
    found = conn.execute(text("SELECT thread_id FROM messages WHERE raw_to = :p"), {"p": phone})  # type: ignore[attr-defined]
    return str(found.scalars().first())


def test_a_web_process_told_to_stop_answers_what_it_has_begun(small: World) -> None:
    small.start("web0")
    small.wait_until_up()
    small.octopods.set_fault("slow", ms=1200, path="/messages", method="POST")
    answers: list[int] = []

    def send() -> None:
        url = f"http://127.0.0.1:{small.ports['web0']}/api/v1/sms/messages"
        body = {"destination_phone": "+353879999999", "body": "Hi"}
        answers.append(
            requests.post(url, json=body, headers={"X-Octopods-Auth": KEYS["sms"][0]}, timeout=20).status_code
        )

    sender = threading.Thread(target=send)
    sender.start()
    until("the send", lambda: [e for e in small.octopods.log() if e["method"] == "POST"])
    small.kill("web0", signal.SIGTERM)
    sender.join()
    assert answers == [201]


def worker_on(url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def spoil(url: str, revision: str | None) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    with writing(engine) as conn:
        conn.execute(text("DELETE FROM alembic_version"))
        if revision:
            conn.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})
    engine.dispose()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("absent", "The database has no tables yet; run: flask --app app db upgrade"),
        ("0001", "The database is older than this version; run: flask --app app db upgrade"),
        ("9999_from_the_future", "The database was upgraded by a newer version. Start that version."),
        (
            "down",
            "Redeliver does not start. The database does not answer: .*port 1 failed: Connection refused.",
        ),
    ],
)
def test_a_worker_refuses_the_wrong_database_with_one_sentence(
    state: str, sentence: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/redeliver.db"
    if state == "down":
        url = "postgresql://redeliver@127.0.0.1:1/nothing"
    elif state != "absent":
        spoil(url, first_revision() if state == "0001" else state)
    ended = worker_on(url)
    assert ended.returncode == 1
    assert re.fullmatch(f"(Error: )?{sentence}\n", ended.stderr)


def first_revision() -> str:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(migrate._config()).get_bases()[0]


def test_a_web_process_on_the_wrong_database_says_so_and_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/redeliver.db"
    spoil(url, "9999_from_the_future")
    with world(url, tmp_path, Random(1)) as made:
        made.start("web0")
        address = f"http://127.0.0.1:{made.ports['web0']}"

        def up() -> bool:
            try:
                return requests.get(f"{address}/healthz", timeout=2).ok
            except requests.RequestException:
                return False

        until("the web process", up)
        answer = requests.get(f"{address}/readyz", timeout=5)
    assert answer.status_code == 503
    assert answer.text == "The database was upgraded by a newer version. Start that version.\n"
