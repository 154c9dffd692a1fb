"""Sends a second through the worker's own path, against a loop that only posts the same requests to the same fake."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.queues import Queue
from pathlib import Path

import requests

from canvas.clients.octopods import Octopods
from canvas.domain.action_kinds import send_key
from canvas.domain.ids import new_id
from canvas.domain.message import Content, Message, Status
from canvas.flows.carry_out import carry_out
from canvas.flows.context import Flow, utc_now
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.octopods import keys
from canvas.sandbox.serve import serve
from canvas.store import actions, channels, messages
from canvas.store.database import reading, writing
from tests import postgres
from tests.bench import scene
from tests.bench.rows import Row

SENDS = 300
THREADS = 4


def rows() -> list[Row]:
    with _fake() as url:
        found = []
        with tempfile.TemporaryDirectory() as folder:
            found.append(_row("SQLite", f"sqlite:///{Path(folder)}/worker.db", url))
        if postgres.binaries() is not None:
            with postgres.server() as server:
                found.append(_row("PostgreSQL", server.new_database("worker"), url))
        return found


@contextmanager
def _fake() -> Iterator[str]:
    """The fake Octopods in a process of its own, so that neither side shares its interpreter lock."""
    context = multiprocessing.get_context("spawn")
    told: Queue[str] = context.Queue()
    child = context.Process(target=_serve, args=(told,), daemon=True)
    child.start()
    try:
        yield told.get(timeout=30)
    finally:
        child.terminate()
        child.join()


def _serve(told: Queue[str]) -> None:
    with serve(FakeOctopods().app) as url:
        told.put(url)
        time.sleep(3600)


def _row(name: str, database: str, octopods: str) -> Row:
    bare = _rate(lambda n: _post(octopods, n), list(range(SENDS)))
    flow = scene.open_flow(database)
    install_id = scene.furnish(flow, 0)
    http = flow.octopods
    flow = replace(flow, octopods=Octopods(http._http, octopods, clock=flow.clock))
    due = _queued(flow, install_id)
    ours = _rate(lambda n: carry_out(flow, due[n]), list(range(SENDS)))
    flow.engine.dispose()
    return Row(
        f"{name}: worker's sends/s, of a bare loop's",
        f"{ours / bare:.0%} ({ours:.0f} of {bare:.0f})",
        "",
        None,
    )


def _post(octopods: str, number: int) -> object:
    body = {"destination_phone": f"+35387{1000000 + number}", "body": "Hi"}
    answer = requests.post(
        f"{octopods}/api/v1/sms/messages", json=body, headers={"X-Octopods-Auth": keys.SMS}, timeout=10
    )
    assert answer.status_code == 201
    return answer.json()


def _queued(flow: Flow, install_id: int) -> list[str]:
    """Messages that wait to be sent, and the ids of their actions."""
    now = utc_now()
    with reading(flow.engine) as conn:
        line = next(c for c in channels.of_install(conn, install_id) if c.kind == "sms")
    with writing(flow.engine) as conn:
        secret = flow.sealer.seal(keys.SMS)
        channels.change(conn, install_id, line.id, now, key_sealed=secret)
        return [_queue(conn, install_id, line.id, number) for number in range(SENDS)]


def _queue(conn: object, install_id: int, channel_id: int, number: int) -> str:
    now = utc_now()
    id_, phone = new_id("msg", now), f"+35387{1000000 + number}"
    message = Message(
        id=id_, install_id=install_id, channel="sms", channel_id=channel_id, status=Status.QUEUED, created_at=now,
        updated_at=now, raw_to=phone, to=phone, content=Content(text="Hi"), thread_id=id_,
    )  # fmt: skip
    messages.add(conn, message)  # type: ignore[arg-type]
    action = actions.add(conn, install_id, "send", send_key(id_), now, now, message_id=id_)  # type: ignore[arg-type]
    return action.id


def _rate(do: object, numbers: list[int]) -> float:
    assert callable(do)
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as hands:
        list(hands.map(do, numbers))
    return len(numbers) / (time.perf_counter() - began)
