"""A week of traffic against the fake Octopods, in the time of a simulated clock: `python -m tests.week [messages]`.

Two keys send 10 messages a minute, 8 % of them fail for every reason there is; some are sent past us, some answers are
lost, Twilio's callbacks come repeated and out of order, keys are blocked three times and changed twice, and
Octopods is away for an hour. At the end Octopods' own books are compared with ours.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import Client

from canvas import config as configuration
from canvas.factory import build_flow, create_app
from canvas.flows import come_in, discovery, hooks, installs
from canvas.flows.carry_out import sweep
from canvas.flows.context import Flow
from canvas.sandbox.clock import SandboxClock
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.faults import Fault
from canvas.sandbox.octopods.keys import Key
from canvas.sandbox.people import PEOPLE, Person
from canvas.sandbox.serve import serve
from canvas.store import migrate
from canvas.store.database import reading
from canvas.store.tables import actions, messages
from canvas.surfaces.hooks import twilio_signature

START = datetime(2026, 11, 16, tzinfo=UTC)
INSTALL = "intercom:week"
FAILING = 0.08
ELSEWHERE = 0.15  # of the WhatsApp messages
LOST = 0.002
PER_MINUTE = 10
TOKEN = "twilio-auth-token"
PUBLIC = "https://redeliver.example.com"
TEMPLATE = "/api/v1/whatsapp/templates/90001/messages"
REASONED = [
    p for p in PEOPLE if p.at in ("delivery", "send") and not p.flaw and p.channel in ("whatsapp", "sms")
]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Books:
    """What the comparison found."""

    sent: int = 0
    failures: int = 0
    missing: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    doubled: int = 0
    too_close: int = 0
    questions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    gaps: int = 0


class Watch:
    """WSGI in front of the fake: when each question was asked with which key."""

    def __init__(self, fake: FakeOctopods, clock: Clock) -> None:
        self.fake, self.clock = fake, clock
        self.asked: dict[str, list[datetime]] = defaultdict(list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        key = environ.get("HTTP_X_OCTOPODS_AUTH", "")
        if environ["REQUEST_METHOD"] == "GET" and "/messages" in environ["PATH_INFO"]:
            self.asked[key].append(self.clock())
        return self.fake.app(environ, start)


class Week:
    """One play: the app, the fake, and the dice."""

    def __init__(
        self, folder: Path, seed: int, url: str, fake: FakeOctopods, clock: Clock, watch: Watch
    ) -> None:
        self.dice = random.Random(seed)
        self.fake, self.clock, self.watch, self.url = fake, clock, watch, url
        self.keys = {"whatsapp": "week-whatsapp-0", "sms": "week-sms-0"}
        self.refused: Counter[str] = Counter()
        self.flow, self.app = make(folder, url, clock)
        self.client = self.app.test_client()
        for kind in self.keys:
            self.change_key(kind, 0)

    def change_key(self, kind: str, number: int) -> None:
        """The customer takes a new key, and an admin gives it to us; the old one is deprecated."""
        if number:
            self.fake.keys.put(Key(self.keys[kind], kind, "deprecated"))
        self.keys[kind] = f"week-{kind}-{number}"
        self.fake.keys.put(Key(self.keys[kind], kind))
        installs.add_channel(self.flow, INSTALL, kind, self.keys[kind], None, None)

    def send(self, number: int) -> None:
        kind = self.dice.choice(("whatsapp", "sms"))
        person = self.person(kind) if self.dice.random() < FAILING else None
        to = person.phone if person else f"+35387{1000000 + number % 8999999}"
        past_us = (
            kind == "whatsapp" and self.dice.random() < ELSEWHERE and not (person and person.at == "send")
        )
        if not past_us and self.dice.random() < LOST:
            self.fake.board.add(Fault("cut_after", path="/messages", method="POST"))
        answer = self.deliver(kind, to, number, Client(self.watch) if past_us else self.client)
        if answer.status_code == 400 and not past_us:
            self.refused[person.id if person else "?"] += 1
        if answer.status_code == 201 and kind == "sms" and not person and self.dice.random() < 0.1:
            self.call_back(answer.get_json()["channel_message_id"], to)

    def person(self, kind: str) -> Person:
        return self.dice.choice([p for p in REASONED if p.channel == kind])

    def deliver(self, kind: str, to: str, number: int, client: Any) -> Any:
        body: dict[str, Any] = {"destination_phone": to}
        if kind == "sms":
            body["body"] = f"Your order {number} is on its way."
        else:
            body["message_variables"] = ["Mara", f"Tuesday {number}"]
        path = "/api/v1/sms/messages" if kind == "sms" else TEMPLATE
        headers = {"X-Octopods-Auth": self.keys[kind], "Content-Type": "application/json"}
        return client.post(path, data=json.dumps(body), headers=headers)

    def call_back(self, sid: str, to: str) -> None:
        """Twilio's callbacks, out of order and repeated."""
        path = f"/hooks/twilio/{INSTALL}"
        words = ["queued", "sent", "delivered", "delivered", "sent"]
        self.dice.shuffle(words)
        for word in words:
            form = {"MessageSid": sid, "MessageStatus": word, "To": to}
            signature = twilio_signature(TOKEN, PUBLIC + path, {k: [v] for k, v in form.items()})
            self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})

    def work_until(self, moment: datetime) -> None:
        """The worker, waking whenever something is due, and its sweep once a minute."""
        while (due := self.next_due()) is not None and due <= moment:
            self.clock.now = max(self.clock.now, due)
            sweep(self.flow)
        if moment.minute != self.clock.now.minute:
            come_in.abandoned(self.flow)
            discovery.keep_looking(self.flow)
        self.clock.now = max(self.clock.now, moment)

    def next_due(self) -> datetime | None:
        with reading(self.flow.engine) as conn:
            due = conn.execute(select(func.min(actions.c.due_at)).where(actions.c.state == "due")).scalar()
        return due if isinstance(due, datetime) or due is None else datetime.fromtimestamp(due / 1000, UTC)

    def play(self, count: int, hours: int) -> None:
        events = dict(self.events(count))
        for number in range(count):
            if number in events:
                events[number]()
            pause = self.dice.expovariate(PER_MINUTE / 60)
            self.work_until(self.clock.now + timedelta(seconds=pause))
            self.send(number)
            if number % 500 == 0:
                self.fake.journal.clear()
        for _ in range(hours):
            self.work_until(self.clock.now + timedelta(hours=1))

    def events(self, count: int) -> Iterator[tuple[int, Callable[[], None]]]:
        """What happens besides, spread over the week."""

        ends: list[datetime] = []

        def block() -> None:
            for key in self.keys.values():
                self.fake.keys.block_for(key, min(600, count // 10), self.clock())

        def rotate(turn: int) -> None:
            self.work_until(self.clock.now + timedelta(minutes=40))  # at a quiet hour
            for kind in self.keys:
                self.change_key(kind, turn)

        def outage() -> None:
            self.fake.board.add(Fault("down", times=0))
            ends.append(self.clock.now + timedelta(hours=1))

        def over() -> None:
            self.work_until(max(self.clock.now, *ends))
            self.fake.board.clear()

        yield count // 10, block
        yield count * 3 // 10, lambda: rotate(1)
        yield count * 4 // 10, block
        yield count // 2, outage
        yield count // 2 + min(600, count // 20), over
        yield count * 7 // 10, lambda: rotate(2)
        yield count * 8 // 10, block

    def compare(self) -> Books:
        """Octopods' books against ours."""
        books = Books(gaps=len(discovery.gaps_of(self.flow, 1)))
        with reading(self.flow.engine) as conn:
            query = select(messages.c.channel, messages.c.octopods_id, messages.c.status, messages.c.reason)
            rows = conn.execute(query).all()
        books.statuses.update(str(row.status) for row in rows)
        ours: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows:
            ours[row.channel, str(row.octopods_id)].append(row)
        for taken in self.fake.outbox._messages.values():
            books.sent += 1
            held = ours.get((taken.channel, str(taken.id)), [])
            books.doubled += len(held) > 1
            if taken.failure is None:
                continue
            books.failures += 1
            if not held or held[0].status != "failed":
                books.missing.append(
                    f"{taken.channel} {taken.id} {taken.failure.id} {held and held[0].status}"
                )
            elif held[0].reason != taken.failure.id:
                books.wrong[f"{taken.failure.id} told as {held[0].reason}"] += 1
        self.compare_refusals(books, rows)
        self.compare_budget(books)
        return books

    def compare_refusals(self, books: Books, rows: Any) -> None:
        told = Counter(row.reason for row in rows if row.octopods_id is None and row.status == "failed")
        for reason, count in self.refused.items():
            books.failures += count
            if told[reason] != count:
                books.wrong[f"{reason} refused {count} times, told {told[reason]} times"] += 1

    def compare_budget(self, books: Books) -> None:
        for times in self.watch.asked.values():
            books.questions += len(times)
            pairs = pairwise(times)
            books.too_close += sum(later - earlier < timedelta(seconds=1) for earlier, later in pairs)


def make(folder: Path, url: str, clock: Clock) -> tuple[Flow, Flask]:
    database = f"sqlite:///{folder}/week.db"
    settings = {
        "DATABASE_URL": database,
        "OCTOPODS_URL": url,
        "INTERCOM_URL": url,
        "PUBLIC_URL": PUBLIC,
        "LOG_LEVEL": "CRITICAL",
        "RATE_PER_INSTALL": "0",
        "RATE_PER_ADDRESS": "0",
    }
    known = {setting.name for setting in configuration.SETTINGS}
    config = configuration.load({name: value for name, value in settings.items() if name in known})
    flow = build_flow(config, lambda action_id, due: None, clock)
    migrate.upgrade(flow.engine)
    app = create_app(config, flow)
    installs.connect(flow, "intercom", "week", "token", settings={"country": "IE"})
    hooks.set_secret(flow, INSTALL, "twilio", TOKEN)
    return flow, app


def run(count: int, seed: int = 1, hours: int = 26) -> Books:
    """Play `count` messages and compare the books, `hours` after the last one: 26 are past every deadline."""
    clock = Clock()
    fake = FakeOctopods(SandboxClock(clock))
    watch = Watch(fake, clock)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the play, not the disk, is judged
    with tempfile.TemporaryDirectory(dir=memory) as folder, serve(watch) as url:
        week = Week(Path(folder), seed, url, fake, clock, watch)
        week.play(count, hours)
        books = week.compare()
        week.flow.engine.dispose()
    return books


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    began = time.monotonic()
    books = run(count)
    print(f"{count} messages in {time.monotonic() - began:.0f} s; Octopods took {books.sent}")
    print(
        f"failures: {books.failures}; not in our books: {len(books.missing)}; wrong reason: {dict(books.wrong)}"
    )
    print(
        f"told twice: {books.doubled}; questions: {books.questions}; less than a second apart: {books.too_close}"
    )
    print(f"gaps: {books.gaps}; statuses: {dict(books.statuses)}")
    for line in books.missing[:20]:
        print("missing:", line)
    return 1 if books.missing or books.wrong or books.doubled or books.too_close else 0


if __name__ == "__main__":
    sys.exit(main())
