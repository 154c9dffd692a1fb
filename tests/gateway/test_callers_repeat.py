"""Without an `Idempotency-Key`: who repeats what was refused, so that the person gets it once."""

from __future__ import annotations

import pytest

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import Desk, Screen
from tests.gateway.records import all_messages, only_message

TO = "+353871234567"
LENA = BY_ID["handset_unreachable"]


def refused(desk: Desk, text: str = "Your code is 4711.", seconds: int = 60) -> None:
    """Octopods answers 429, and the customer's backend is told so."""
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=seconds)
    assert desk.send_sms(TO, text).status_code == 429


def send_again(desk: Desk, screen: Screen) -> Screen:
    return desk.click(screen, next(label for label in screen.buttons if label.startswith("Send again")))


def test_what_was_refused_to_its_caller_is_never_sent_again_by_itself(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect(auto_trouble=15, auto_reach=15, auto_limit=15, auto_most=3)
    refused(desk)
    desk.pass_time(20 * 60)
    assert desk.send_sms(TO, "Your code is 4711.").status_code == 201
    for _ in range(5):
        desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 1


def test_a_repeat_is_the_next_attempt_and_takes_the_first_off_the_card(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    refused(desk)
    card = desk.initialize()
    desk.pass_time(65)
    assert desk.send_sms(TO, "Your code is 4711.").status_code == 201
    first, second = all_messages(desk)
    assert (second.parent_id, second.thread_id, second.attempt) == (first.id, first.id, 2)
    assert "No failed messages" in desk.initialize().words or not send_buttons(desk.initialize())
    late = send_again(desk, card)  # a card that was drawn before
    assert f"Octopods took it as {second.octopods_id}" in late.words
    assert len(desk.octopods.sends()) == 1


def send_buttons(screen: Screen) -> list[str]:
    return [label for label in screen.buttons if label.startswith("Send")]


@pytest.mark.parametrize(
    "other", [{"text": "Your code is 4712."}, {"contact": "c2"}, {"to": "+353871234568"}]
)
def test_another_message_is_no_repeat(desk: Desk, other: dict[str, str]) -> None:
    desk.connect()
    refused(desk)
    desk.pass_time(65)
    desk.send_sms(**{"to": TO, "text": "Your code is 4711.", **other})
    assert [m.parent_id for m in all_messages(desk)] == [None, None]


def test_after_a_day_it_is_a_message_of_its_own(desk: Desk) -> None:
    desk.connect()
    refused(desk)
    desk.pass_time(24 * 3600 + 1)
    desk.send_sms(TO, "Your code is 4711.")
    assert [m.parent_id for m in all_messages(desk)] == [None, None]


def test_a_backend_that_never_stops_does_not_grow_one_life_line_for_ever(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=600)
    for _ in range(23):
        desk.send_sms(TO)
        desk.clock.advance(1)
    attempts = [m.attempt for m in all_messages(desk)]
    assert sorted(attempts) == sorted([*range(1, 21), 1, 2, 3])


def test_an_agents_send_and_then_the_callers_repeat_are_two_messages_because_both_were_asked_for(
    desk: Desk,
) -> None:
    """Only an Idempotency-Key tells us that the caller means the same message."""
    desk.connect()
    refused(desk)
    desk.pass_time(65)
    send_again(desk, desk.initialize())
    assert desk.send_sms(TO, "Your code is 4711.").status_code == 201
    assert sorted(m.attempt for m in all_messages(desk)) == [1, 1, 2]


def test_the_agent_reads_that_the_caller_was_told(desk: Desk) -> None:
    desk.connect()
    refused(desk)
    detail = desk.click(desk.initialize(), "Details")
    assert "The system that sent it was told, and may send it again itself." in detail.words


def fails_at_delivery(desk: Desk, **settings: int) -> None:
    """Octopods takes it, so that the caller is content, and it fails on its way."""
    desk.connect(**settings)
    desk.send_sms(LENA.phone, "See you Tuesday.")
    desk.pass_time(15)
    assert only_message(desk).reason == LENA.id


def test_a_click_does_not_send_what_has_gone_to_this_person_since(both_desk: Desk) -> None:
    desk = both_desk
    fails_at_delivery(desk)
    desk.pass_time(3600)
    assert desk.send_sms(LENA.phone, "See you Tuesday.").status_code == 201
    clicked = send_again(desk, desk.initialize())
    assert "The same message went to this number at 2:05PM." in clicked.words
    assert len(desk.octopods.sends()) == 2
    assert "Mark as handled" in clicked.buttons


def test_nothing_is_retried_by_itself_when_the_caller_has_sent_it_again(desk: Desk) -> None:
    fails_at_delivery(desk, auto_trouble=15, auto_reach=15, auto_limit=15)
    desk.pass_time(600)
    desk.octopods.control("DELETE", "faults")
    desk.send_sms(LENA.phone, "See you Tuesday.")
    for _ in range(4):
        desk.pass_time(1200)
    assert len([e for e in desk.octopods.sends() if e["body"].get("body") == "See you Tuesday."]) == 2


def test_a_different_message_since_does_not_stand_in_the_way(desk: Desk) -> None:
    fails_at_delivery(desk)
    desk.pass_time(600)
    desk.send_sms(LENA.phone, "We moved: see you Wednesday.")
    assert "Queued until 1:35PM." in send_again(desk, desk.initialize()).words


def test_a_refusal_for_its_form_stays_with_the_caller_too(desk: Desk) -> None:
    desk.connect()
    for _ in range(2):
        assert (
            desk.gateway("/sms/messages", {"destination_phone": "0871", "body": "Hi"}, keys.SMS).status_code
            == 400
        )
    assert len(all_messages(desk)) == 2
