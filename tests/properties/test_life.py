"""Any order of news, clicks and time: no message moves backwards, no reason is lost, no failure has two children."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import select

from canvas import config as configuration
from canvas.clients.errors import NotReached, RateLimited, Refused, Unsure
from canvas.clients.octopods import Octopods, Outgoing
from canvas.clients.octopods_answers import Sent, StatusReport
from canvas.domain.ids import new_id
from canvas.domain.message import ARRIVED, RANK, Actor, Content, Message, Status
from canvas.domain.phones import normalise
from canvas.factory import build_flow
from canvas.flows import fix as fixing
from canvas.flows import installs as install_flow
from canvas.flows import outcome
from canvas.flows.carry_out import carry_out, sweep
from canvas.flows.fix_tokens import UNDO, FixToken
from canvas.flows.look import MessageContext, Person
from canvas.store import messages, migrate
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.tables import actions as action_table
from canvas.store.tables import messages as table

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
REPORTED = ["sent", "unknown", "delivered", "read", "deleted", "failed"]
TEXTS = ["131026: Message undeliverable", "Service temporarily unavailable", "nobody ever said this"]
ANSWERS = ["taken", "lost", "refused", "not reached", "too many"]
NUMBER = "+353871234567"


class ScriptedOctopods(Octopods):
    """Octopods at the very edge: what becomes of the next send is decided by the machine."""

    def __init__(self) -> None:
        self.answer = "taken"
        self.taken: list[str] = []
        self.now: Callable[[], datetime] = lambda: START

    def send(self, api_key: str, message: Outgoing) -> Sent:
        if self.answer == "too many":
            raise RateLimited("Too many.", status=429, retry_at=self.now() + timedelta(seconds=30))
        if self.answer == "not reached":
            raise NotReached("Octopods could not be reached.")
        if self.answer == "refused":
            raise Refused("No.", status=400, body='{"errors":[{"message":"Deprecated API key."}]}')
        self.taken.append(message.text)
        if self.answer == "lost":
            raise Unsure("The connection broke.")
        return Sent(message_id=f"o{len(self.taken)}", request_id=None, provider_id=None)

    def message_status(self, api_key: str, channel: str, message_id: str) -> StatusReport:
        raise NotReached("Octopods could not be reached.")


class Life(RuleBasedStateMachine):
    """Messages of one install, and all that can happen to them, in any order."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = START
        url = f"sqlite:///{Path(self.folder.name)}/life.db"
        config = configuration.load({"DATABASE_URL": url, "LOG_LEVEL": "CRITICAL"})
        self.octopods = ScriptedOctopods()
        self.octopods.now = lambda: self.now
        built = build_flow(config, lambda _id, _due: None, lambda: self.now)
        self.flow = replace(built, octopods=self.octopods)
        migrate.upgrade(self.flow.engine)
        self.install: Install = install_flow.connect(
            self.flow, "intercom", "w1", None, settings={"country": "IE"}
        )
        self.line = install_flow.add_channel(self.flow, "intercom:w1", "sms", "key-1234", None, None).id
        self.before: dict[str, Message] = {}
        self.count = 0

    def teardown(self) -> None:
        self.flow.counters.flush()
        self.flow.engine.dispose()
        self.folder.cleanup()

    @rule(target=known)
    def a_message_comes_in(self) -> Any:
        self.count += 1
        id_ = new_id("msg", self.now)
        message = Message(
            id=id_, install_id=self.install.id, channel="sms", channel_id=self.line, status=Status.SENT,
            created_at=self.now, updated_at=self.now, raw_to=NUMBER, to=normalise(NUMBER, "IE"),
            content=Content(text=f"m{self.count}"), preview=f"m{self.count}", contact_id="c1",
            octopods_id=f"x{self.count}", sent_at=self.now, thread_id=id_,
        )  # fmt: skip
        with writing(self.flow.engine) as conn:
            messages.add(conn, message)
        return id_

    @rule(message=known, status=st.sampled_from(REPORTED), said=st.sampled_from(TEXTS))
    def news(self, message: str, status: str, said: str) -> None:
        with writing(self.flow.engine) as conn:
            held = messages.locked(conn, self.install.id, message)
            report = StatusReport(
                message_id=held.octopods_id,
                status=status,
                failure_reason=said if status == "failed" else None,
            )
            outcome.reported(conn, self.flow, held, report, self.now)

    @rule(message=known)
    def waiting_was_given_up(self, message: str) -> None:
        with writing(self.flow.engine) as conn:
            outcome.give_up_waiting(conn, messages.locked(conn, self.install.id, message), self.now)

    @rule(target=known, message=known, which=st.integers(0, 5), stale=st.booleans())
    def a_click(self, message: str, which: int, stale: bool) -> Any:
        """Any fix that is drawn, or one drawn long ago; the child, if any, becomes known."""
        person = Person("c1", (NUMBER,), None)
        with reading(self.flow.engine) as conn:
            held = messages.get(conn, self.install.id, message)
            assert held
            context = MessageContext.read(conn, self.flow, self.install, person)
            fixes = context.story(conn, held).fixes
        drawn: tuple[str, int | None] = ("retry_now", self.line)
        if fixes and not stale:
            drawn = fixes[which % len(fixes)].id, fixes[which % len(fixes)].target
        token = FixToken(self.install.id, message, *drawn, held.version)
        values = {"phone": NUMBER, "text": f"changed {which}", "save": "no"}
        with _impatient():
            clicked = fixing.click(self.flow, self.install, token, values, Actor("agent"), person)
        child = clicked.message
        return multiple(child.id) if child and child.id != message else multiple()

    @rule(message=known)
    def undo(self, message: str) -> None:
        token = FixToken(self.install.id, message, UNDO, None, 1)
        fixing.click(self.flow, self.install, token, None, Actor("agent"), Person("c1"))

    @rule(answer=st.sampled_from(ANSWERS), seconds=st.integers(0, 7200))
    def time_passes_and_the_worker_works(self, answer: str, seconds: int) -> None:
        self.octopods.answer = answer
        self.now += timedelta(seconds=seconds)
        sweep(self.flow)

    @rule(seconds=st.integers(1, 600))
    def the_clock_steps_back(self, seconds: int) -> None:
        self.now -= timedelta(seconds=seconds)

    @rule()
    def every_wake_up_comes_twice(self) -> None:
        with reading(self.flow.engine) as conn:
            ids = [str(i) for (i,) in conn.execute(select(action_table.c.id))]
        for action_id in ids + ids:
            carry_out(self.flow, action_id)

    @invariant()
    def no_rule_is_broken(self) -> None:
        with reading(self.flow.engine) as conn:
            rows = [messages.from_row(row) for row in conn.execute(select(table)).mappings()]
        for row in rows:
            if row.id in self.before:
                self._moved_rightly(self.before[row.id], row)
        parents = [row.parent_id for row in rows if row.parent_id]
        assert len(parents) == len(set(parents))
        for row in rows:
            if row.octopods_id is None and row.status in ARRIVED | {Status.SENT}:
                raise AssertionError(f"{row.id} is {row.status} without an id of Octopods")
        texts = self.octopods.taken
        by_text = [t for t in set(texts) if texts.count(t) > 1 and not t.startswith("changed")]
        for text in by_text:
            attempts = [r for r in rows if r.content.text == text]
            assert texts.count(text) <= len(attempts) - 1
        self.before = {row.id: row for row in rows}

    def _moved_rightly(self, old: Message, new: Message) -> None:
        again = (
            old.status is Status.SENDING and new.status is Status.QUEUED
        )  # refused for now: it did not leave
        assert again or RANK[new.status] >= RANK[old.status], f"{old.status} became {new.status}"
        if old.status is Status.FAILED:
            assert (new.status, new.failure, new.failure_raw) == (Status.FAILED, old.failure, old.failure_raw)
            assert new.reason == old.reason
        if old.octopods_id:
            assert new.octopods_id == old.octopods_id
        assert new.created_at == old.created_at
        assert new.version >= old.version


class _impatient:
    """A click does not wait for the worker, because the machine is the worker."""

    def __enter__(self) -> None:
        self.old, fixing.WAIT_SECONDS = fixing.WAIT_SECONDS, 0.0

    def __exit__(self, *_: object) -> None:
        fixing.WAIT_SECONDS = self.old


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
