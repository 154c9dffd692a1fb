"""A week of traffic against the fake Octopods, in the time of a simulated clock: `python -m tests.week [messages]`.

Ten messages a minute on WhatsApp, SMS and Viber keys; 8 % of them fail, for every reason the fake knows; some are sent
past us, some answers are lost, Twilio's and Meta's callbacks come repeated and out of order, keys are blocked three
times and changed twice, and Octopods is away for an hour. At the end Octopods' own books are compared with ours.

The messages are dealt out to as many workspaces as there are processors, each with its week, its keys and its
database, so that the whole takes minutes.
"""

from __future__ import annotations

import heapq
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client

from canvas import config as configuration
from canvas.factory import build_flow, create_app
from canvas.flows import come_in, discovery, hooks, installs
from canvas.flows.carry_out import carry_out, sweep
from canvas.flows.context import Flow
from canvas.sandbox.clock import SandboxClock
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.faults import Fault
from canvas.sandbox.octopods.keys import OF_FLAW, Key
from canvas.sandbox.octopods.messages import Outbox
from canvas.sandbox.octopods.templates import Template
from canvas.sandbox.people import BY_PHONE, PEOPLE, Person
from canvas.sandbox.seed import send_of
from canvas.sandbox.serve import serve
from canvas.store import migrate
from canvas.store.database import reading
from canvas.store.tables import messages
from canvas.surfaces.hooks import meta_signature, twilio_signature

START = datetime(2026, 11, 16, tzinfo=UTC)
INSTALL = "intercom:week"
FAILING = 0.08
ELSEWHERE = 0.15  # of the WhatsApp messages
LOST = 0.002
CALLED_BACK = 0.1
PER_MINUTE = 10.0
KINDS = {"whatsapp": 0.48, "sms": 0.48, "vbm": 0.04}
TOKEN, SECRET = "twilio-auth-token", "meta-app-secret"
PUBLIC = "https://redeliver.example.com"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# Everybody whose trouble shows in an answer or a status. Troubles of a key are played by blocks and rotations.
REASONED = [p for p in PEOPLE if p.at in ("delivery", "send", "request") and p.flaw not in OF_FLAW]


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
    reasons: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    doubled: int = 0
    hidden: int = 0
    too_close: int = 0
    questions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    gaps: int = 0

    def add(self, other: Books) -> None:
        """Put the books of another workspace to these."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine | theirs if isinstance(mine, set) else mine + theirs)

    @property
    def good(self) -> bool:
        return not (self.missing or self.wrong or self.doubled or self.too_close)


class Uncured(Outbox):
    """A person's trouble stays: the desk's fixes cure them, a week of other messages does not."""

    def trouble(
        self, channel: str, key: str, phone: str, template: Template | None, body: dict[str, Any]
    ) -> Person | None:
        person = BY_PHONE.get(phone)
        return person if person and person.channel == channel and person.at in ("delivery", "send") else None


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
    """One play: the app, its worker, the fake, and the dice."""

    def __init__(
        self, folder: Path, seed: int, url: str, fake: FakeOctopods, clock: Clock, watch: Watch
    ) -> None:
        self.dice = random.Random(seed)
        self.fake, self.clock, self.watch = fake, clock, watch
        self.keys = {kind: f"week-{kind}-0" for kind in KINDS}
        self.refused: Counter[str] = Counter()
        self.lost: Counter[tuple[str, str]] = Counter()  # number and text of SMS that no list will show
        self.unanswered = 0  # sends through us of which nobody could say whether Octopods took them
        self.listed_later = 0  # those of them that its list shows
        self.waiting: list[tuple[datetime, str]] = []
        self.outage_ends: datetime | None = None
        self.flow, self.app = make(folder, url, clock, self.wake)
        self.client, self.direct = self.app.test_client(), Client(watch)
        self.called_back = {"sms": self.twilio, "whatsapp": self.meta}
        for kind in self.keys:
            self.take_key(kind)

    def take_key(self, kind: str) -> None:
        self.fake.keys.put(Key(self.keys[kind], kind))
        installs.add_channel(self.flow, INSTALL, kind, self.keys[kind], None, None)

    def change_key(self, kind: str, turn: int) -> None:
        """The customer takes a new key; one more is sent with the old one before an admin gives us the new."""
        self.fake.keys.put(Key(self.keys[kind], kind, "deprecated"))
        self.note(self.deliver(kind, *self.ordinary(kind, 0), self.client), "deprecated_api_key")
        self.keys[kind] = f"week-{kind}-{turn}"
        self.take_key(kind)

    def send(self, number: int) -> None:
        kind = self.dice.choices(list(KINDS), list(KINDS.values()))[0]
        person = self.person(kind) if self.dice.random() < FAILING else None
        path, body = self.troubled(person) if person else self.ordinary(kind, number)
        reaches = person is None or person.at == "delivery"
        if kind == "whatsapp" and reaches and self.dice.random() < ELSEWHERE:
            self.deliver(kind, path, body, self.direct)
            return
        loses = reaches and kind != "vbm" and self.dice.random() < LOST
        if loses:
            self.fake.board.add(Fault("cut_after", path="/messages", method="POST"))
        before = len(self.fake.outbox._messages)
        answer = self.deliver(kind, path, body, self.client)
        self.note(answer, person.id if person else "?")
        if answer.status_code >= 500:
            self.unanswered += 1
            if len(self.fake.outbox._messages) > before and kind == "sms":
                self.lost[body["destination_phone"], body["body"]] += 1
            elif len(self.fake.outbox._messages) > before:
                self.listed_later += 1
        told = person is None and kind in self.called_back and self.dice.random() < CALLED_BACK
        if told and answer.status_code == 201:
            self.called_back[kind](answer.get_json(), body["destination_phone"])

    def note(self, answer: Any, reason: str) -> None:
        """What the customer was refused, and why."""
        if answer.status_code == 429:
            self.refused["rate_limited_api"] += 1
        elif answer.status_code == 400:
            self.refused[reason] += 1

    def person(self, kind: str) -> Person:
        return self.dice.choice([p for p in REASONED if p.channel == kind])

    def troubled(self, person: Person) -> tuple[str, dict[str, Any]]:
        send = send_of(person)
        return send.path, send.body

    def ordinary(self, kind: str, number: int) -> tuple[str, dict[str, Any]]:
        to = {"destination_phone": f"+35387{1000000 + number % 8999999}"}
        if kind == "sms":
            return "/sms/messages", {**to, "body": f"Your order {number} is on its way."}
        if kind == "whatsapp":
            values = ["Mara", f"Tuesday {number}"]
            return "/whatsapp/templates/90001/messages", {**to, "message_variables": values}
        return VIBER.path, {**VIBER.body, **to}

    def deliver(self, kind: str, path: str, body: dict[str, Any], client: Any) -> Any:
        headers = {"X-Octopods-Auth": self.keys[kind], "Content-Type": "application/json"}
        return client.post(f"/api/v1{path}", data=json.dumps(body), headers=headers)

    def twilio(self, answer: dict[str, Any], to: str) -> None:
        """Twilio's callbacks, out of order and repeated."""
        path = f"/hooks/twilio/{INSTALL}"
        for word in self.shuffled("queued", "sent", "delivered", "delivered", "sent"):
            form = {"MessageSid": answer["channel_message_id"], "MessageStatus": word, "To": to}
            signature = twilio_signature(TOKEN, PUBLIC + path, {k: [v] for k, v in form.items()})
            self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})

    def meta(self, answer: dict[str, Any], to: str) -> None:
        """Meta's, likewise, in one webhook or in several."""
        at = str(int(self.clock.now.timestamp()))
        wamid = answer.get("channel_message_id", f"wamid.{to}")
        for word in self.shuffled("sent", "delivered", "read", "delivered"):
            status = {"id": wamid, "status": word, "timestamp": at, "recipient_id": to[1:]}
            changes = [{"field": "messages", "value": {"statuses": [status, status]}}]
            data = json.dumps({"entry": [{"changes": changes}]}).encode()
            headers = {"X-Hub-Signature-256": meta_signature(SECRET, data)}
            self.client.post(f"/hooks/whatsapp/{INSTALL}", data=data, headers=headers)

    def shuffled(self, *words: str) -> list[str]:
        return self.dice.sample(words, len(words))

    def wake(self, action_id: str, due: datetime) -> None:
        heapq.heappush(self.waiting, (due, action_id))

    def work_until(self, moment: datetime) -> None:
        """The worker: woken when something is due, and each minute its sweep and what else it does then."""
        tick = self.clock.now.replace(second=0, microsecond=0) + MINUTE
        while True:
            due = self.waiting[0][0] if self.waiting else moment
            self.clock.now = max(self.clock.now, min(due, tick, moment))
            if self.waiting and due <= min(tick, moment):
                carry_out(self.flow, heapq.heappop(self.waiting)[1])
            elif tick <= moment:
                self.each_minute()
                tick += MINUTE
            else:
                return

    def each_minute(self) -> None:
        if self.outage_ends and self.clock.now >= self.outage_ends:
            self.outage_ends = None
            self.fake.board.clear()
        come_in.abandoned(self.flow)
        discovery.keep_looking(self.flow)
        sweep(self.flow)

    def play(self, count: int, hours: int, per_minute: float, told: Callable[[int], None]) -> None:
        events = dict(self.events(count, count / per_minute * MINUTE))
        for number in range(count):
            if number in events:
                events[number]()
            self.work_until(self.clock.now + self.dice.expovariate(per_minute) * MINUTE)
            self.send(number)
            if number % 500 == 0:
                self.fake.journal.clear()
                told(number)
        self.work_until(self.clock.now + timedelta(hours=hours))

    def events(self, count: int, length: timedelta) -> Iterator[tuple[int, Callable[[], None]]]:
        """What happens besides, spread over the week; all of it shorter in a shorter play."""

        def block() -> None:
            for key in self.keys.values():
                self.fake.keys.block_for(key, min(600, round(length / 40 / SECOND)), self.clock())

        def rotate(turn: int) -> None:
            self.work_until(self.clock.now + timedelta(minutes=40))  # at a quiet hour
            for kind in self.keys:
                self.change_key(kind, turn)

        def outage() -> None:
            self.fake.board.add(Fault("down", times=0))
            self.outage_ends = self.clock.now + min(timedelta(hours=1), length / 20)

        yield count // 10, block
        yield count * 3 // 10, partial(rotate, 1)
        yield count * 4 // 10, block
        yield count // 2, outage
        yield count * 7 // 10, partial(rotate, 2)
        yield count * 8 // 10, block

    def compare(self) -> Books:
        """Octopods' books against ours."""
        books = Books(gaps=len(discovery.gaps_of(self.flow, 1)))
        columns = ("channel", "octopods_id", "status", "reason", "to", "preview")
        with reading(self.flow.engine) as conn:
            rows = conn.execute(select(*(messages.c[name] for name in columns))).all()
        books.statuses.update(str(row.status) for row in rows)
        ours: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows:
            ours[row.channel, str(row.octopods_id)].append(row)
        self.compare_taken(books, ours)
        self.compare_refusals(books, rows)
        self.compare_lost(books, rows)
        self.compare_budget(books)
        return books

    def compare_taken(self, books: Books, ours: dict[tuple[str, str], list[Any]]) -> None:
        lost = Counter(self.lost)
        for taken in self.fake.outbox._messages.values():
            books.sent += 1
            held = ours.get((taken.channel, str(taken.id)), [])
            books.doubled += len(held) > 1
            if taken.failure is None:
                continue
            books.failures += 1
            books.reasons.add(taken.failure.id)
            known = (taken.phone, taken.body.get("body", ""))
            if not held and lost[known]:
                lost[known] -= 1  # no document of Octopods names it; it must be unsure, see compare_lost
                books.hidden += 1
            elif not held or held[0].status != "failed":
                books.missing.append(
                    f"{taken.channel} {taken.id} {taken.failure.id} {held and held[0].status}"
                )
            elif held[0].reason != taken.failure.id:
                books.wrong[f"{taken.failure.id} told as {held[0].reason}"] += 1

    def compare_refusals(self, books: Books, rows: Any) -> None:
        told = Counter(row.reason for row in rows if row.octopods_id is None and row.status == "failed")
        for reason in {*self.refused, *told}:
            count = self.refused[reason]
            books.failures += count
            books.reasons.add(reason)
            if told[reason] != count:
                books.wrong[f"{reason} refused {count} times, told {told[reason]} times"] += 1

    def compare_lost(self, books: Books, rows: Any) -> None:
        """What nobody can tell is said to be unsure; what the list shows is not said a second time."""
        unsure = [row for row in rows if row.status == "unsure" and row.octopods_id is None]
        more = len(unsure) - (self.unanswered - self.listed_later)
        books.doubled += max(0, more)
        told = Counter((row.to, row.preview) for row in unsure)
        for (to, text), count in self.lost.items():
            if told[to, text] < count:
                books.missing.append(f"sms to {to}: its answer was lost, and it is not shown as unsure")
        if more < 0:
            books.missing.append(f"{-more} sends without an answer are not shown as unsure")

    def compare_budget(self, books: Books) -> None:
        for times in self.watch.asked.values():
            books.questions += len(times)
            pairs = pairwise(times)
            books.too_close += sum(later - earlier < timedelta(seconds=1) for earlier, later in pairs)


VIBER = send_of(next(p for p in PEOPLE if p.at == "arrives" and p.channel == "vbm"))


def make(folder: Path, url: str, clock: Clock, wake: Callable[[str, datetime], None]) -> tuple[Flow, Flask]:
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/week.db",
        "OCTOPODS_URL": url,
        "INTERCOM_URL": url,
        "PUBLIC_URL": PUBLIC,
        "LOG_LEVEL": "CRITICAL",
        "RATE_PER_INSTALL": "0",
        "RATE_PER_ADDRESS": "0",
    }
    config = configuration.load(settings)
    flow = build_flow(config, wake, clock)
    migrate.upgrade(flow.engine)
    app = create_app(config, flow)
    installs.connect(flow, "intercom", "week", "token", settings={"country": "IE"})
    hooks.set_secret(flow, INSTALL, "twilio", TOKEN)
    hooks.set_secret(flow, INSTALL, "whatsapp", SECRET)
    return flow, app


def silent(number: int) -> None:
    """Nobody watches."""


def run(
    count: int,
    seed: int = 1,
    hours: int = 26,
    per_minute: float = PER_MINUTE,
    told: Callable[[int], None] = silent,
) -> Books:
    """Play `count` messages and compare the books, `hours` after the last one: 26 are past every deadline."""
    clock = Clock()
    fake = FakeOctopods(SandboxClock(clock))
    fake.outbox = Uncured()
    watch = Watch(fake, clock)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the play, not the disk, is judged
    with tempfile.TemporaryDirectory(dir=memory) as folder, serve(watch) as url:
        week = Week(Path(folder), seed, url, fake, clock, watch)
        week.play(count, hours, per_minute, told)
        books = week.compare()
        week.flow.engine.dispose()
    return books


def workspace(number: int, workspaces: int, count: int) -> Books:
    """The part of one of several workspaces, in a process of its own."""
    began = time.monotonic()

    def told(sent: int) -> None:
        if sent % 5_000 == 0:
            print(f"workspace {number}: {sent} of {count} after {time.monotonic() - began:.0f} s", flush=True)

    return run(count, number + 1, per_minute=PER_MINUTE / workspaces, told=told)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    workspaces = int(sys.argv[2]) if len(sys.argv) > 2 else min(os.cpu_count() or 1, 8)
    began = time.monotonic()
    books = Books()
    with ProcessPoolExecutor(workspaces, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [pool.submit(workspace, n, workspaces, count // workspaces) for n in range(workspaces)]
        for part in parts:
            books.add(part.result())
    for line in books.missing[:20]:
        print("missing:", line)
    print(f"statuses: {dict(books.statuses)}; stretches of the list that passed unseen: {books.gaps}")
    print(
        f"{count} messages of {workspaces} workspaces in {time.monotonic() - began:.0f} s; Octopods took {books.sent}; "
        f"{books.failures} failures of {len(books.reasons)} reasons, {books.hidden} of them nowhere to be read; "
        f"missing {len(books.missing)}, wrong {dict(books.wrong)}, told twice {books.doubled}; "
        f"{books.questions} questions, {books.too_close} less than a second apart"
    )
    return 0 if books.good else 1


if __name__ == "__main__":
    sys.exit(main())
