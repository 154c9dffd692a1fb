"""A world to torture: a database full of failed messages, the fake vendor, and web and worker processes to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import requests
from sqlalchemy import Connection, insert, text

from canvas import config as configuration
from canvas.domain.ids import new_id
from canvas.domain.message import Content, Message, Status
from canvas.factory import build_flow
from canvas.flows import installs as install_flow
from canvas.flows.context import Flow, utc_now
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import Evidence
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.serve import serve
from canvas.store import messages, migrate
from canvas.store.database import writing
from canvas.store.tables import messages as table
from tests.bench.servers import free_port
from tests.fakes import OctopodsFake

ROOT = Path(__file__).parent.parent.parent
SECRET = "torture-secret"
WORKSPACE, PORTAL = "torture1", "7001"
PUBLIC_URL = "https://torture.example.com"
READ_SECONDS = 2.0
# Seconds. Beyond Octopods' clock by more than polling.CLOCK_SLACK, a lost send is not recognised in its list and
# stays unsure, which is honest but not what the judge asks for.
MOST_SKEW = 60.0
# Several keys of each kind, as Octopods' list shows only the newest hundred of a key: with all clicks on one, a lost
# send has left it before anybody may look.
KEYS = {
    "whatsapp": [f"torture-whatsapp-1{n:03}" for n in range(8)],
    "sms": [f"torture-sms-2{n:03}" for n in range(4)],
}
PORTAL_KEYS = {
    "whatsapp": [f"torture-whatsapp-3{n:03}" for n in range(4)],
    "sms": [f"torture-sms-4{n:03}" for n in range(2)],
}
LIST_CAP = 100
# How each failed message failed, and so by which way its fix goes out.
FAILURES = (
    ("whatsapp", "131026: Message undeliverable"),
    ("sms", "30003: Unreachable destination handset"),
    ("whatsapp", "(#131016) Service unavailable"),
    ("sms", "Service temporarily unavailable"),
)


def phone_of(number: int) -> str:
    return f"+35387{1000000 + number}"


def in_hubspot(number: int) -> bool:
    """Whether this person is a contact of the portal and not of the workspace: one in three."""
    return number % 3 == 0


@dataclass
class World:
    """Everything a run needs. Processes are killed and started again under the same name."""

    url: str
    folder: Path
    octopods: OctopodsFake
    random: Random
    broken: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, skew: float) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "OCTOPODS_URL": self.octopods.url,
            "INTERCOM_CLIENT_SECRET": SECRET,
            "HUBSPOT_CLIENT_SECRET": SECRET,
            "PUBLIC_URL": PUBLIC_URL,
            "READ_TIMEOUT": str(READ_SECONDS),
            "CONNECT_TIMEOUT": "2",
            "POLL_SCHEDULE": "2,3,5,10",
            "POLL_SPACING": "0",
            "RATE_PER_INSTALL": "0",
            "RATE_PER_ADDRESS": "0",
            "LOG_LEVEL": "WARNING",
            "SKEW": str(skew),
            "BROKEN": self.broken,
        }

    def flow(self, ahead: float = 0.0) -> Flow:
        """A flow of our own on this database; nothing it does is carried out by itself."""
        config = configuration.load(self.environment(0))
        return build_flow(config, lambda _id, _due: None, lambda: utc_now() + timedelta(seconds=ahead), 30.0)

    def start(self, name: str) -> None:
        """Start `web…` or `worker…`, its clock a little before or behind ours."""
        skew = self.random.uniform(-MOST_SKEW, MOST_SKEW)
        command = [sys.executable, "-m", "tests.torture.house"]
        if name.startswith("web"):
            port = self.ports.setdefault(name, free_port())
            bind = f"127.0.0.1:{port}"
            command = [sys.executable, "-m", "gunicorn", "--bind", bind, "--workers", "1", "--threads", "16"]
            command += ["--graceful-timeout", "5", "tests.torture.house:web()"]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(skew), stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        child = self.running.pop(name)
        try:
            os.killpg(child.pid, how)
        except ProcessLookupError:
            return
        finally:
            child.wait(60)

    def wait_until_up(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        for port in self.ports.values():
            while time.monotonic() < end:
                try:
                    if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok:
                        break
                except requests.RequestException:
                    time.sleep(0.1)

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)


def fill(world: World, how_many: int) -> None:
    """A connected workspace and a portal, and so many failed messages, each of another person."""
    flow = world.flow()
    migrate.upgrade(flow.engine)
    workspace = _connected(world, flow, "intercom", WORKSPACE, KEYS)
    portal = _connected(world, flow, "hubspot", PORTAL, PORTAL_KEYS)
    rows = [
        messages.to_row(_failed(number, *(portal if in_hubspot(number) else workspace)))
        for number in range(how_many)
    ]
    with writing(flow.engine) as conn:
        conn.execute(insert(table), rows)
        # Nothing but the messages' own actions shall be under way.
        conn.execute(text("DELETE FROM actions"))
        if "two_children" in world.broken:
            _drop_the_rule(conn)
    flow.engine.dispose()


Lines = dict[str, list[int]]


def _connected(
    world: World, flow: Flow, platform: str, name: str, keys: dict[str, list[str]]
) -> tuple[int, Lines]:
    """An install's id and its channels of each kind. Nothing is written on timelines: this is about sends."""
    install = install_flow.connect(
        flow, platform, name, "token", settings={"country": "IE", "timeline": "off"}
    )
    lines = {kind: [_line(world, flow, install.public_id, kind, key) for key in keys[kind]] for kind in keys}
    return install.id, lines


def _line(world: World, flow: Flow, install: str, kind: str, key: str) -> int:
    world.octopods.add_key(key, kind)
    return install_flow.add_channel(flow, install, kind, key, f"Line {key[-4:]}", None).id


def _failed(number: int, install_id: int, lines: Lines) -> Message:
    channel, said = FAILURES[number % len(FAILURES)]
    now = utc_now() - timedelta(hours=2)
    evidence = Evidence(text=said, channel=channel)
    content = Content(text=f"Hello {number}", template_id=None)
    if channel == "whatsapp":
        content = Content(template_id="90001", variables=[f"N{number}", "Tuesday"])
    id_ = new_id("msg", now)
    line = lines[channel][number // len(FAILURES) % len(lines[channel])]
    return Message(
        id=id_, install_id=install_id, channel=channel, channel_id=line, status=Status.FAILED,
        created_at=now, updated_at=now, raw_to=phone_of(number), to=phone_of(number), content=content,
        preview=f"Hello {number}", contact_id=f"t{number}", octopods_id=f"old{number}", failure=evidence,
        failure_raw=said, diagnosis=diagnose(evidence), failed_at=now, sent_at=now, thread_id=id_, open=True,
    )  # fmt: skip


def _drop_the_rule(conn: Connection) -> None:
    """Take the database's own refusal away: it stays with the old column."""
    conn.execute(text("ALTER TABLE messages RENAME COLUMN parent_id TO parent_before"))
    conn.execute(text("ALTER TABLE messages ADD COLUMN parent_id VARCHAR(40)"))


@contextmanager
def world(url: str, folder: Path, random: Random, broken: str = "") -> Iterator[World]:
    """A fake Octopods and an empty set of processes; all are gone afterwards."""
    with serve(FakeOctopods().app) as octopods:
        made = World(url, folder, OctopodsFake(octopods), random, broken)
        try:
            yield made
        finally:
            made.stop()
