"""What is owed is done in the end: no trouble, however long, makes a standing deed die or a promise go unkept."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, text

from canvas.domain.action_kinds import POLL, action_key
from canvas.domain.message import Message
from canvas.domain.schedule import OTHER_TRIES, backoff
from canvas.flows import outcome
from canvas.flows.carry_out import sweep
from canvas.flows.come_in import Contact, begin, message_from_request
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import actions, channels, messages, opt_outs
from canvas.store.database import reading, writing
from tests.desk import Desk

HOUR = 3600.0


def failed_sms(desk: Desk) -> Message:
    desk.connect()
    desk.send_sms(BY_ID["handset_unreachable"].phone)
    desk.pass_time(15)
    with reading(desk.flow.engine) as conn:
        found, _ = messages.open_for_person(conn, 1, "c1", (), 1)
    return found[0]


def state_of(desk: Desk, key: str) -> str:
    with reading(desk.flow.engine) as conn:
        found = actions.by_key(conn, 1, key)
    assert found is not None
    return found.state


def test_templates_are_listed_again_after_an_outage_of_half_a_day(desk: Desk) -> None:
    desk.connect("whatsapp")
    desk.octopods.set_fault("down", path="/whatsapp/templates", method="GET", times=0)
    for _ in range(48):
        desk.pass_time(900)
    desk.octopods.clear_faults()
    before = len([e for e in desk.octopods.log() if e["path"].endswith("/whatsapp/templates")])
    for _ in range(16):
        desk.pass_time(900)
    after = len([e for e in desk.octopods.log() if e["path"].endswith("/whatsapp/templates")])
    assert after > before
    assert state_of(desk, "templates:1") == actions.DUE


@pytest.mark.parametrize("deed", ["discover", "templates"])
def test_a_standing_deed_outlives_any_number_of_our_own_errors(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    desk.connect("whatsapp")
    with writing(desk.flow.engine) as conn:
        actions.ensure(
            conn, 1, "discover", "discover:1", desk.clock(), desk.clock(), payload={"channel_id": 1}
        )

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(channels, "get", broken)
        for _ in range(OTHER_TRIES + 20):
            desk.pass_time(4 * HOUR)
    assert state_of(desk, f"{deed}:1") == actions.DUE


def test_templates_wait_while_their_key_is_blocked_and_are_not_listed_for_every_failure(desk: Desk) -> None:
    desk.connect()
    desk.octopods.block_key(keys.WHATSAPP, 600)
    before = len(desk.octopods.log())

    def listed() -> int:
        return len([e for e in desk.octopods.log()[before:] if e["path"].endswith("/templates")])

    for number in range(5):
        desk.clock.advance(120)
        with writing(desk.flow.engine) as conn:
            wake = outcome.refresh_templates(conn, 1, 1, desk.clock())
        assert wake, number
        desk.work()
    assert listed() == 1
    with reading(desk.flow.engine) as conn:
        assert channels.of_install(conn, 1)[0].blocked_until


def test_templates_are_listed_as_soon_as_their_key_is_free_again(desk: Desk) -> None:
    desk.connect()
    desk.octopods.block_key(keys.WHATSAPP, 600)
    woken: list[tuple[str, datetime]] = []
    flow = replace(desk.flow, wake=lambda action_id, due: woken.append((action_id, due)))
    with writing(desk.flow.engine) as conn:
        listing = outcome.refresh_templates(conn, 1, 1, desk.clock())
    assert listing
    sweep(flow)  # the answer is a 429
    with reading(desk.flow.engine) as conn:
        blocked = channels.of_install(conn, 1)[0].blocked_until
        assert outcome.refresh_templates(conn, 1, 1, desk.clock()) == listing
    sweep(flow)  # the block is known
    assert blocked
    assert woken == [(listing, blocked)] * 2


def test_asking_about_a_message_that_is_gone_ends(both_desk: Desk) -> None:
    """It was asked for in the moment in which its message was purged."""
    desk = both_desk
    desk.connect()
    now, key = desk.clock(), action_key(POLL, "msg_gone")
    with writing(desk.flow.engine) as conn:
        actions.add(conn, 1, POLL, key, now, now, message_id="msg_gone")
    desk.work()
    with reading(desk.flow.engine) as conn:
        assert actions.by_key(conn, 1, key) is None


def test_even_after_very_many_tries_there_is_a_next_time(desk: Desk) -> None:
    assert backoff(100_000, desk.clock()) > desk.clock()


@pytest.mark.postgres
def test_two_opt_outs_of_one_person_told_at_once_are_both_taken(both_desk: Desk) -> None:
    flow, message = both_desk.flow, failed_sms(both_desk)
    if flow.engine.dialect.name != "postgresql":
        pytest.skip("On SQLite one writes at a time.")
    both_looked = threading.Barrier(2)

    def wait(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO opt_outs"):
            both_looked.wait(10)

    def opt_out(_: int) -> None:
        with writing(flow.engine) as conn:
            opt_outs.add(conn, message, both_desk.clock())

    event.listen(flow.engine, "before_cursor_execute", wait)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(opt_out, range(2)))  # raises what one of them raised
    with reading(flow.engine) as conn:
        assert conn.execute(text("SELECT count(*) FROM opt_outs")).scalar() == 1


def test_a_click_and_the_customers_own_repeat_do_not_wait_for_each_other(both_desk: Desk) -> None:
    """Both make the child of one failed message; whoever comes second is told so, and no database has to step in."""
    flow, parent = both_desk.flow, failed_sms(both_desk)
    told: list[type[BaseException] | None] = []

    def repeat() -> None:
        try:
            with writing(flow.engine) as conn:
                line = channels.of_install(conn, 1)[1]
                body = {"destination_phone": parent.raw_to, "body": "Hi"}
                now = both_desk.clock()
                repeat = message_from_request(conn, flow, line, body, None, Contact(), "gateway", now)
                begin(conn, repeat, now, parent)
            told.append(None)
        except Exception as error:
            told.append(type(error))

    other = threading.Thread(target=repeat)
    with writing(flow.engine) as conn:
        held = messages.locked(conn, 1, parent.id)
        other.start()
        until_it_waits(both_desk)
        messages.add(
            conn, replace(held, id="msg_child", parent_id=held.id, octopods_id=None, provider_id=None)
        )
        messages.close(conn, 1, held.id, both_desk.clock())
    other.join(10)
    assert told == [messages.AlreadySent]


def until_it_waits(desk: Desk) -> None:
    """On PostgreSQL until the other transaction waits for a lock; on SQLite it cannot even begin."""
    if desk.flow.engine.dialect.name != "postgresql":
        return
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with desk.flow.engine.connect() as conn:
        for _ in range(500):
            if conn.execute(waiting).scalar():
                return
            conn.rollback()
            time.sleep(0.01)
    raise AssertionError("nobody waits")


PIA = "+46701740690"
STOPPED = {"status": "failed", "failure_reason": "Attempt to send to unsubscribed recipient"}
TEMPLATE = {"template_id": 90001, "message_variables": ["Pia", "Tuesday"]}


def told(desk: Desk, number: int, key: str, **report: object) -> None:
    news = {"message_id": number, "destination_phone": PIA, "contact_id": "c1", **report}
    assert desk.gateway("/track", news, key).status_code == 201
    desk.clock.advance(60)


def sending(desk: Desk) -> list[str]:
    """The buttons that would send to somebody whose WhatsApp message failed just now for a passing reason."""
    told(desk, 77, keys.WHATSAPP, status="failed", failure_reason="Something went wrong", **TEMPLATE)
    desk.clock.advance(3600)
    screen = desk.click(desk.initialize(), "Details")
    return [label for label in screen.buttons if label.startswith("Send")]


def test_opting_in_on_one_channel_leaves_the_opt_out_of_the_other(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    told(desk, 1, keys.SMS, body="Hi", **STOPPED)
    told(desk, 2, keys.WHATSAPP, **STOPPED, **TEMPLATE)
    told(desk, 3, keys.WHATSAPP, **STOPPED, **TEMPLATE)
    desk.send_sms(PIA, "Welcome back")
    desk.pass_time(30)
    with reading(desk.flow.engine) as conn:
        assert conn.execute(text("SELECT channel FROM opt_outs")).scalars().all() == ["whatsapp"]
    assert sending(desk) == []


def test_what_was_sent_before_an_opt_out_and_arrives_late_is_no_opting_in(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    told(desk, 1, keys.SMS, body="Hi", **STOPPED)
    desk.send_sms(PIA, "On its way")
    desk.clock.advance(60)
    told(desk, 2, keys.SMS, body="Hi", **STOPPED)
    desk.pass_time(30)
    told(desk, 3, keys.SMS, body="Sent who knows when", status="delivered")
    early = {"status": "delivered", "sent_at": "2026-11-23T09:00:00Z"}
    told(desk, 4, keys.SMS, body="Sent in the morning", **early)
    assert sending(desk) == []
