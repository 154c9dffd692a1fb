"""Who asked not to be messaged: by whatever number of their line, and only for as long as it is true."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text

from canvas.flows import diagnosing, erase
from canvas.sandbox.octopods import keys
from canvas.store import migrate, tables
from canvas.store.database import reading, writing
from tests.desk import WORKSPACE, Desk, Screen

PIA = "+46701740690"
ODD = "Zorblax quibble refrangible"
STOPPED = {"code": 131050, "title": "User has stopped marketing messages"}
PASSING = {"code": 131000, "title": "Something went wrong"}
# Two numbers of one mobile in Brazil, Mexico and Argentina.
LINES = [
    ("+5511987654321", "+551187654321"),
    ("+525512345678", "+5215512345678"),
    ("+5491123456789", "+541123456789"),
]
both_ways = pytest.mark.parametrize(("one", "other"), [*LINES, *((b, a) for a, b in LINES)])


def fails(
    desk: Desk, number: int, to: str, reason: object, contact: str = "c1", kind: str = "whatsapp"
) -> None:
    """A message that was sent elsewhere and failed; a little later an agent looks."""
    sent = (
        {"body": "Hi"} if kind == "sms" else {"template_id": 90001, "message_variables": ["Pia", "Tuesday"]}
    )
    told = {"message_id": number, "destination_phone": to, "contact_id": contact, "failure_reason": reason}
    key = keys.SMS if kind == "sms" else keys.WHATSAPP
    answer = desk.gateway("/track", {**sent, **told, "status": "failed", "channel": kind}, key)
    assert answer.status_code == 201
    desk.clock.advance(120)


def sending(screen: Screen) -> list[str]:
    return [label for label in screen.buttons if "Send" in label or "Correct" in label]


def may_be_sent(desk: Desk, to: str = PIA) -> bool:
    """Whether Redeliver knows nothing against a send to that number."""
    answer = desk.gateway("/check", {"destination_phone": to, "body": "Hi"}, keys.SMS).get_json()
    found = {finding["id"]: finding for finding in answer["findings"]}
    return bool(found["opt_out"]["ok"])


def name(desk: Desk, reason: str) -> int:
    (row,) = diagnosing.listed(desk.flow, 1)
    return diagnosing.name(desk.flow, 1, row.shape_hash, reason)


def test_the_newest_card_of_somebody_who_opted_out_says_so_instead_of_a_cure_it_cannot_give(
    desk: Desk,
) -> None:
    desk.connect()
    fails(desk, 1, PIA, STOPPED)
    fails(desk, 2, PIA, {"code": 131026, "title": "Message undeliverable"})
    screen = desk.initialize()
    assert screen.buttons == ["Mark as handled", "Details"]
    for words in (screen.words, desk.click(screen, "Details").words):
        assert "asked not to be messaged, so nothing will be sent to them" in words
        assert "Respect it: do not send." in words
        assert "another way" not in words


def test_a_wrong_name_put_right_reads_the_old_messages_again(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    fails(desk, 1, PIA, ODD, kind="sms")
    assert name(desk, "provider_outage") == 1
    assert sending(desk.initialize()) == ["Send again"]
    assert name(desk, "recipient_opted_out") == 1
    assert sending(desk.initialize()) == []
    assert not may_be_sent(desk)
    assert name(desk, "provider_outage") == 1
    assert sending(desk.initialize()) == ["Send again"]
    assert may_be_sent(desk)


def test_a_name_taken_back_is_no_opt_out_any_more(desk: Desk) -> None:
    desk.connect()
    fails(desk, 1, PIA, ODD, kind="sms")
    fails(desk, 2, PIA, ODD, kind="sms")
    name(desk, "recipient_opted_out")
    assert name(desk, "unknown") == 2
    assert may_be_sent(desk)


@pytest.mark.parametrize("true_one_first", [True, False])
def test_what_another_message_told_stays_when_a_name_is_taken_back(desk: Desk, true_one_first: bool) -> None:
    desk.connect()
    told = ["Attempt to send to unsubscribed recipient", ODD]
    for number, reason in enumerate(told if true_one_first else reversed(told)):
        fails(desk, number + 1, PIA, reason, kind="sms")
    name(desk, "recipient_opted_out")
    name(desk, "provider_outage")
    assert not may_be_sent(desk)


def test_a_send_held_back_for_a_wrong_name_does_not_keep_the_opt_out_alive(desk: Desk) -> None:
    desk.connect(undo_seconds=10)
    fails(desk, 1, PIA, PASSING)
    desk.click(desk.initialize(), "Send again")
    fails(desk, 2, PIA, ODD, kind="sms")
    name(desk, "recipient_opted_out")
    desk.pass_time(15)
    assert desk.octopods.sends() == []
    name(desk, "provider_outage")
    assert may_be_sent(desk)


def test_reading_all_again_leaves_who_opted_in_again_alone(desk: Desk) -> None:
    desk.connect()
    fails(desk, 1, PIA, "Attempt to send to unsubscribed recipient", kind="sms")
    desk.clock.advance(3600)
    desk.octopods.advance(3600)
    desk.send_sms(PIA, "Welcome back")
    desk.pass_time(30)
    assert may_be_sent(desk)
    assert diagnosing.rediagnose(desk.flow, 1) == 0
    assert may_be_sent(desk)


def test_an_opt_out_that_is_understood_late_counts_from_when_it_was_told(desk: Desk) -> None:
    desk.connect()
    fails(desk, 1, PIA, ODD, kind="sms")
    desk.send_sms(PIA, "Welcome back")
    desk.pass_time(30)
    assert name(desk, "recipient_opted_out") == 1
    assert may_be_sent(desk)
    fails(desk, 2, PIA, ODD, kind="sms")
    assert not may_be_sent(desk)


@both_ways
def test_an_opt_out_holds_for_the_other_number_of_the_line(both_desk: Desk, one: str, other: str) -> None:
    desk = both_desk
    desk.connect(country="BR")
    fails(desk, 1, other, PASSING, "c2")
    assert sending(desk.initialize("c2"))
    fails(desk, 2, one, STOPPED)
    assert not may_be_sent(desk, other)
    for contact in ("c1", "c2"):
        screen = desk.initialize(contact)
        assert sending(screen) == sending(desk.click(screen, "Details")) == []


@both_ways
def test_opting_in_by_the_other_number_counts_as_well(desk: Desk, one: str, other: str) -> None:
    desk.connect()
    fails(desk, 1, one, "Attempt to send to unsubscribed recipient", kind="sms")
    desk.clock.advance(3600)
    desk.octopods.advance(3600)
    desk.send_sms(other, "Welcome back")
    desk.pass_time(30)
    assert may_be_sent(desk, one)
    assert may_be_sent(desk, other)


@both_ways
def test_an_opt_out_of_an_erased_person_holds_for_the_other_number(
    both_desk: Desk, one: str, other: str
) -> None:
    desk = both_desk
    desk.connect()
    fails(desk, 1, one, STOPPED)
    done = erase.person(desk.flow, f"intercom:{WORKSPACE}", "c1")
    assert done.left == {}
    with reading(desk.flow.engine) as conn:
        assert not [to for to in conn.execute(select(tables.opt_outs.c.to)).scalars() if to.startswith("+")]
    assert not may_be_sent(desk, other)
    fails(desk, 2, other, PASSING, "c2")
    assert sending(desk.initialize("c2")) == []


@both_ways
def test_the_same_message_does_not_go_to_both_numbers_of_a_line(desk: Desk, one: str, other: str) -> None:
    desk.connect()
    fails(desk, 1, one, PASSING, "c1")
    fails(desk, 2, other, PASSING, "c2")
    first, second = desk.initialize("c1"), desk.initialize("c2")
    desk.click(first, "Send again")
    assert "The same message" in desk.click(second, "Send again").words
    assert len(desk.octopods.sends()) == 1


def test_what_was_remembered_before_gets_its_other_number(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    one, other = LINES[0]
    fails(desk, 1, one, STOPPED)
    fails(desk, 2, PIA, STOPPED, "c2")
    with writing(desk.flow.engine) as conn:
        conn.execute(delete(tables.opt_outs).where(tables.opt_outs.c.to == other))
        tables.erased.drop(conn)  # a later migration makes it
        conn.execute(text("UPDATE alembic_version SET version_num = '0017'"))
    for _ in range(2):
        migrate.upgrade(desk.flow.engine)
        with reading(desk.flow.engine) as conn:
            kept = conn.execute(select(tables.opt_outs.c.to).order_by(tables.opt_outs.c.to)).scalars().all()
        assert kept == [PIA, other, one]
