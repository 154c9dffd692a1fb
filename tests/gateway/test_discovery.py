"""Messages that were sent from elsewhere, as far as Octopods' list tells; and the budget of a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from canvas.clients.octopods import Octopods
from canvas.clients.octopods_answers import StatusReport, read_status
from canvas.domain.message import Status
from canvas.domain.schedule import poll_spacing
from canvas.flows import erase, installs, retention
from canvas.flows.breaker import broken
from canvas.flows.discovery import gap_words, gaps_of, keep_looking, take
from canvas.flows.polling import fits
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import channels, incidents, listing, messages, opt_outs
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.tables import channels as channel_table
from canvas.store.tables import erased, key_limits
from tests.desk import WORKSPACE, Desk
from tests.gateway.records import all_messages, only_message

MARA = BY_ID["not_on_whatsapp"]
TO = "+353871234567"
PUBLIC = f"intercom:{WORKSPACE}"
AS_SMS = "Send as SMS instead"


def elsewhere(
    desk: Desk, to: str = TO, times: int = 1, key: str = keys.WHATSAPP, day: str = "Tuesday"
) -> None:
    """The customer's backend sends with Octopods itself, past us."""
    path = f"{desk.octopods.url}/api/v1/whatsapp/templates/90001/messages"
    body = {"destination_phone": to, "message_variables": ["Mara", day]}
    with requests.Session() as session:
        for _ in range(times):
            session.post(path, json=body, headers={"X-Octopods-Auth": key}, timeout=5).raise_for_status()


def look(desk: Desk, seconds: float = 0) -> None:
    """Time passes, and the worker looks at whatever is due."""
    keep_looking(desk.flow)
    desk.pass_time(seconds)


@pytest.mark.parametrize("shape", ["reference", "guide"])
def test_a_failure_sent_from_elsewhere_is_found_by_the_persons_number(both_desk: Desk, shape: str) -> None:
    desk = both_desk
    desk.connect()
    desk.octopods.shapes(listing=shape)
    elsewhere(desk, MARA.phone)
    look(desk, 130)
    message = only_message(desk)
    assert (message.source, message.to, message.reason) == ("list", MARA.phone, "not_on_whatsapp")
    assert "Not on WhatsApp" in desk.initialize("anybody", MARA.phone).words


def test_an_empty_list_is_no_trouble_and_is_looked_at_again(desk: Desk) -> None:
    desk.connect()
    look(desk)
    elsewhere(desk)
    look(desk, 1000)
    assert only_message(desk).status == "read"


def test_what_came_through_the_gateway_is_not_told_twice(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    look(desk, 130)
    assert only_message(desk).source == "gateway"


def test_delivered_becomes_read_through_the_list(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    desk.clock.advance(20)
    desk.octopods.advance(4)
    desk.work()
    assert only_message(desk).status == "delivered"
    look(desk, 60)
    assert only_message(desk).status == "read"


def test_a_lost_answer_is_not_told_twice_by_the_list(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    assert desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"]).status_code == 504
    keep_looking(desk.flow)
    desk.octopods.set_fault("down", path="/whatsapp/messages", times=3)
    desk.pass_time(600)
    desk.pass_time(1900)
    assert only_message(desk).octopods_id == desk.octopods.sends()[0]["id"]


def test_messages_that_left_the_list_unseen_are_said_to_be(desk: Desk) -> None:
    desk.connect()
    elsewhere(desk)
    look(desk, 130)
    elsewhere(desk, times=104)
    desk.pass_time(2000)
    (gap,) = gaps_of(desk.flow, 1)
    assert gap.at_most == 4
    assert gap_words(gap, "Europe/Dublin").startswith("Up to 4 messages between Nov 23, 2026 at 1:0")
    assert len(all_messages(desk)) == 101
    desk.pass_time(2000)
    assert len(gaps_of(desk.flow, 1)) == 1


def test_a_429_stops_looking_until_its_time(desk: Desk) -> None:
    desk.connect()
    desk.octopods.block_key(keys.WHATSAPP, 900)
    look(desk)
    asked = len(desk.octopods.log())
    desk.pass_time(850)
    assert len(desk.octopods.log()) == asked
    desk.pass_time(60)
    assert len(desk.octopods.log()) > asked


def polled(desk: Desk) -> list[Any]:
    return [e["at"] for e in desk.octopods.log() if e["method"] == "GET" and "/messages" in e["path"]]


def test_questions_on_one_key_keep_their_distance(both_desk: Desk) -> None:
    both_desk.connect()
    slow = replace(both_desk, flow=replace(both_desk.flow, poll_spacing=timedelta(seconds=1)))
    for number in range(8):
        slow.send_sms(TO, f"Code {number}")
    slow.clock.advance(10)
    slow.octopods.advance(10)
    for expected in range(1, 9):
        slow.work()
        slow.work()
        assert len(polled(slow)) == expected
        slow.clock.advance(1)


def test_once_a_429_was_seen_a_twentieth_of_what_the_key_bore_is_taken() -> None:
    second = timedelta(seconds=1)
    assert poll_spacing(second, None) == second
    assert poll_spacing(second, 6000) == second
    assert poll_spacing(second, 200) == timedelta(seconds=6)
    assert poll_spacing(second, 1) == timedelta(seconds=10)


def test_what_a_key_bears_is_learned_from_its_429(both_desk: Desk) -> None:
    both_desk.connect()
    now, key = both_desk.clock(), "k"
    with writing(both_desk.flow.engine) as conn:
        for _ in range(200):
            channels.note_use(conn, key, now)
        channels.block(conn, key, now)
        assert channels.take_poll_turn(conn, key, now, timedelta(seconds=1)) is None
        turn = channels.take_poll_turn(conn, key, now, timedelta(seconds=1))
        assert turn == now + timedelta(seconds=6)
        # Those who wait get turns one after the other.
        assert channels.take_poll_turn(conn, key, now, timedelta(seconds=1)) == now + timedelta(seconds=12)
        # A day later the lesson is forgotten.
        later = now + timedelta(hours=25)
        assert channels.take_poll_turn(conn, key, later, timedelta(seconds=1)) is None
        turn = channels.take_poll_turn(conn, key, later, timedelta(seconds=1))
        assert turn == later + timedelta(seconds=1)


def test_what_a_fix_sends_is_use_of_its_key_like_what_the_customer_sends(desk: Desk) -> None:
    desk.connect()
    desk.send_sms("+353871234567")
    desk.send_whatsapp(MARA.phone, variables=["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.clock.advance(60)  # a minute in which nothing was polled
    desk.click(desk.initialize(), "Send as SMS instead")
    with reading(desk.flow.engine) as conn:
        used = select(key_limits.c.used).join(
            channel_table, channel_table.c.key_hash == key_limits.c.key_hash
        )
        assert conn.execute(used.where(channel_table.c.kind == "sms")).scalar_one() == 1


def test_a_look_cut_off_in_the_middle_keeps_what_it_wrote_and_the_next_finds_the_rest(
    both_desk: Desk,
) -> None:
    """No look holds all its messages at once, so one that breaks costs the others nothing."""
    desk = both_desk
    desk.connect()
    for number in range(4):
        elsewhere(desk, f"+35387123456{number}")
    with refusing(desk, "+353871234562"):
        look(desk, 130)
    assert {m.to for m in all_messages(desk)} == {"+353871234560", "+353871234561"}
    look(desk, 1000)
    assert sorted(m.to or "" for m in all_messages(desk)) == [f"+35387123456{n}" for n in range(4)]


@contextmanager
def refusing(desk: Desk, number: str) -> Iterator[None]:
    """The database takes no message to that number."""

    def refuse(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO messages") and number in str(parameters):
            raise OperationalError(statement, {}, Exception("the database is away"))

    event.listen(desk.flow.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(desk.flow.engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize(
    ("listed", "same"),
    [("👍", True), (" 👍\n", True), ("Your invoice 4711 is overdue", False), ("🎉", False), (None, True)],
)
def test_a_lost_send_of_emoji_alone_is_known_again_by_just_them(
    desk: Desk, listed: str | None, same: bool
) -> None:
    desk.connect()
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    lost = replace(only_message(desk), preview="👍")
    assert fits(lost, StatusReport("777", "delivered", phone=TO, text=listed, sent_at=desk.clock())) is same


def later(desk: Desk, days: float) -> None:
    """Days in which no worker runs."""
    for clock in (desk.clock, desk.octopods):
        clock.advance(days * 86400)


def looks(desk: Desk, times: int = 3) -> None:
    for _ in range(times):
        look(desk, 1000)


def sms_sent(desk: Desk) -> int:
    return sum(1 for sent in desk.octopods.sends() if sent["path"].endswith("/sms/messages"))


def fixed_mara(desk: Desk, **settings: Any) -> None:
    """Her WhatsApp message failed, and one click sent it as SMS."""
    desk.connect(**settings)
    desk.octopods.shapes(listing="guide")
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    looks(desk, 1)
    desk.click(desk.initialize(), AS_SMS)
    desk.pass_time(400)
    assert sms_sent(desk) == 1


def test_what_was_purged_is_not_brought_back_by_the_list(both_desk: Desk) -> None:
    """Its fix is gone as well, so nothing would keep a second one from being sent."""
    desk = both_desk
    fixed_mara(desk, retention_days=1)
    later(desk, 1.1)
    assert retention.purge(desk.flow).messages == 2
    looks(desk)
    assert all_messages(desk) == []
    assert AS_SMS not in desk.initialize(phone=MARA.phone).buttons


def test_what_was_purged_stays_away_also_when_messages_are_to_be_kept_longer_from_now_on(desk: Desk) -> None:
    fixed_mara(desk, retention_days=1)
    later(desk, 1.1)
    retention.purge(desk.flow)
    installs.choose(desk.flow, PUBLIC, {"retention_days": 30})
    looks(desk)
    assert all_messages(desk) == []


def test_who_was_erased_is_not_brought_back_by_the_list(both_desk: Desk) -> None:
    desk = both_desk
    fixed_mara(desk)
    assert erase.person(desk.flow, PUBLIC, "c1").left == {}
    looks(desk)
    assert all_messages(desk) == []
    assert AS_SMS not in desk.initialize(phone=MARA.phone).buttons


@pytest.mark.parametrize("by", ["c1", MARA.phone])
def test_who_was_erased_before_the_list_was_read_stays_erased_and_the_others_come_in(
    both_desk: Desk, by: str
) -> None:
    desk = both_desk
    desk.connect()
    elsewhere(desk)
    elsewhere(desk, MARA.phone)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    erase.person(desk.flow, PUBLIC, by)
    looks(desk)
    assert only_message(desk).to == TO
    elsewhere(desk, MARA.phone)
    looks(desk)
    assert [m.to for m in all_messages(desk)] == [TO, MARA.phone]


def test_an_erased_message_whose_number_could_not_be_read_does_not_come_back(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp("+999123456789", 90001, ["Mara", "Tuesday"])
    assert only_message(desk).to is None
    erase.person(desk.flow, PUBLIC, "c1")
    looks(desk)
    assert all_messages(desk) == []


def test_an_erased_person_is_remembered_as_a_hash_and_no_longer_than_messages_are_kept(
    both_desk: Desk,
) -> None:
    desk = both_desk
    fixed_mara(desk)
    erase.person(desk.flow, PUBLIC, "c1")
    with reading(desk.flow.engine) as conn:
        kept = {row.name_hash for row in conn.execute(select(erased))}
    assert desk.flow.sealer.fingerprint(MARA.phone) in kept
    later(desk, 91)
    retention.purge(desk.flow)
    with reading(desk.flow.engine) as conn:
        assert conn.execute(select(erased)).all() == []


def test_what_is_older_than_messages_are_kept_is_not_taken_in_at_all(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect(retention_days=1)
    elsewhere(desk, MARA.phone)
    later(desk, 1.1)
    elsewhere(desk)
    looks(desk)
    assert only_message(desk).to == TO


def test_what_another_key_sent_is_found_once_the_channel_has_that_key(desk: Desk) -> None:
    """Its list is another one: how far the first was read says nothing of it."""
    desk.connect()
    desk.octopods.add_key("another-key-1234", "whatsapp")
    elsewhere(desk, MARA.phone, key="another-key-1234")
    desk.pass_time(60)
    elsewhere(desk)
    looks(desk)
    assert only_message(desk).to == TO
    installs.add_channel(desk.flow, PUBLIC, "whatsapp", "another-key-1234", None, None)
    looks(desk)
    assert {m.to for m in all_messages(desk)} == {TO, MARA.phone}


def test_a_key_that_is_changed_while_the_list_is_read_has_its_own_list_read(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = both_desk
    desk.connect()
    desk.octopods.add_key("another-key-1234", "whatsapp")
    elsewhere(desk, MARA.phone, key="another-key-1234")
    desk.pass_time(60)
    elsewhere(desk)
    desk.pass_time(200)
    asked = Octopods.recent_whatsapp

    def change_then_answer(client: Octopods, key: str) -> list[StatusReport]:
        if key == keys.WHATSAPP:
            installs.add_channel(desk.flow, PUBLIC, "whatsapp", "another-key-1234", None, None)
        return asked(client, key)

    monkeypatch.setattr(Octopods, "recent_whatsapp", change_then_answer)
    looks(desk)
    assert {m.to for m in all_messages(desk)} == {TO, MARA.phone}


def test_what_may_be_a_message_that_is_being_sent_is_looked_at_again(both_desk: Desk) -> None:
    """It was sent from elsewhere, a little before ours to the same person, and the mark would have passed it."""
    desk = both_desk
    desk.connect()
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    ours, now = only_message(desk), desk.clock()
    channel = listed_channel(desk)
    other = listed("900001", now - timedelta(seconds=85), "failed")
    being_sent = replace(ours, status=Status.SENDING, octopods_id=None, sent_at=None)
    with writing(desk.flow.engine) as conn:
        messages.save(conn, being_sent, now)
    later(desk, 40 / 86400)
    assert take(desk.flow, channel, [other]) == 0
    with writing(desk.flow.engine) as conn:
        messages.save(conn, replace(ours, version=ours.version + 1), now)
    later(desk, 300 / 86400)
    assert take(desk.flow, channel, [listed(str(ours.octopods_id), now, "sent"), other]) == 1


def listed(number: str, at: datetime, status: str) -> StatusReport:
    return StatusReport(number, status, failure_reason=NO_CREDIT, phone=TO, sent_at=at)


def test_how_far_a_list_was_read_never_goes_back(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    now = desk.clock()
    with writing(desk.flow.engine) as conn:
        for number, at in (("7", now), ("6", now - timedelta(days=1)), ("8", now + timedelta(days=1))):
            listing.put_mark(conn, 1, 1, listing.Mark(number, at))
            assert listing.mark_of(conn, 1, 1) == listing.Mark("8" if number == "8" else "7", max(at, now))


def test_a_failure_found_late_is_dated_when_it_happened(desk: Desk) -> None:
    desk.connect()
    elsewhere(desk, MARA.phone)
    later(desk, 20)
    looks(desk, 1)
    assert "Nov 23, 2026 at" in desk.initialize(phone=MARA.phone).words


NO_CREDIT = {"code": 131042, "title": "Business eligibility payment issue"}
STOPPED = {"code": 131050, "title": "User has stopped marketing messages from this business"}


def listed_channel(desk: Desk) -> Channel:
    with reading(desk.flow.engine) as conn:
        return next(c for c in channels.listed(conn) if c.install_id == 1)


def shows(desk: Desk, *entries: tuple[float, str, str, Any]) -> None:
    """Octopods' list shows these: days ago, number, status, failure; oldest first."""
    now = desk.clock()
    items = [
        {
            "message_id": str(number),
            "status": status,
            "phone_number": to,
            "sent_at": (now - timedelta(days=ago)).isoformat(),
            "failure_reason": failure,
        }
        for number, (ago, to, status, failure) in enumerate(entries, start=500)
    ]
    reports = [report for item in reversed(items) if (report := read_status(item))]
    take(desk.flow, listed_channel(desk), reports)
    desk.pass_time(5)


@pytest.mark.parametrize(("ago", "opened"), [(20, 0), (0.1, 1)])
def test_old_failures_found_at_last_open_no_incident(both_desk: Desk, ago: float, opened: int) -> None:
    desk = both_desk
    desk.connect()
    shows(desk, *((ago - n / 10000, f"+46701740{610 + n}", "failed", NO_CREDIT) for n in range(6)))
    with reading(desk.flow.engine) as conn:
        assert len(incidents.open_ones(conn, 1)) == opened
        (channel,) = channels.listed(conn)
        # It was connected after the old ones.
        assert broken(conn, desk.flow, 1, channel.id) is None or opened
    assert len(all_messages(desk)) == 6


@pytest.mark.parametrize("known", [True, False])
def test_an_opt_out_found_late_does_not_outlive_what_arrived_since(both_desk: Desk, known: bool) -> None:
    desk = both_desk
    desk.connect()
    if known:
        desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
        desk.pass_time(15)
        later(desk, 1)
        assert only_message(desk).status == "read"
    arrived = [] if known else [(2, TO, "read", None)]
    shows(desk, (40, TO, "failed", STOPPED), *arrived, (1, "+46701740699", "failed", STOPPED))
    with reading(desk.flow.engine) as conn:
        assert not opt_outs.exists(conn, 1, TO, desk.flow.sealer)
        assert opt_outs.exists(conn, 1, "+46701740699", desk.flow.sealer)


def test_what_was_sent_in_the_moment_of_the_mark_is_still_found(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    shows(desk, (1, TO, "failed", NO_CREDIT))
    moment = 1 + 5 / 86400
    shows(desk, (moment, TO, "failed", NO_CREDIT), (moment, "+46701740699", "failed", NO_CREDIT))
    assert {message.to for message in all_messages(desk)} == {TO, "+46701740699"}


@pytest.mark.parametrize("shape", ["reference", "guide"])
def test_half_an_emoji_in_one_message_does_not_hide_the_others(desk: Desk, shape: str) -> None:
    """A text that was cut in the middle of a character is legal JSON all the same."""
    desk.connect()
    desk.octopods.shapes(listing=shape)
    elsewhere(desk, TO, day="Tuesday \ud83d")
    elsewhere(desk, MARA.phone)
    look(desk, 130)
    assert {m.to for m in all_messages(desk)} == {TO, MARA.phone}
    assert "Not on WhatsApp" in desk.initialize("anybody", MARA.phone).words
