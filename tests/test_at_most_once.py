"""Rule 1 and 2: a failed message is sent again at most once, and "sent" is said only with an id in hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from canvas.clients.errors import NotReached
from canvas.clients.octopods import Octopods
from canvas.clients.octopods_answers import Sent
from canvas.domain.action_kinds import send_key
from canvas.flows import fix, sending
from canvas.flows.carry_out import carry_out
from canvas.flows.checking import check_fix
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import actions
from canvas.store.database import reading, writing
from tests.away import database_leaves_after_the_next_send
from tests.desk import Desk, Screen
from tests.gateway.test_trouble import database_down

MARA = BY_ID["not_on_whatsapp"]
AS_SMS = "Send as SMS instead"


def failed_whatsapp(desk: Desk, contact: str = "c1") -> Screen:
    """Mara's message has failed and her card is on the screen; the log of the fake begins here."""
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact=contact)
    desk.pass_time(15)
    return desk.initialize(contact)


def failed_twice(desk: Desk) -> tuple[Screen, Screen]:
    """The same message to Mara has failed twice; the card of each."""
    failed_whatsapp(desk)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    newest = desk.initialize()
    [other] = [item["id"] for item in newest.items if item["id"].startswith("open:")]
    return newest, desk.submit(newest, other)


def resent(desk: Desk) -> int:
    return len([s for s in desk.octopods.sends() if s["path"].endswith("/sms/messages")])


def simultaneous_clicks(desk: Desk, screen: Screen, how_many: int) -> list[str]:
    gate = threading.Barrier(how_many)

    def press(_: int) -> str:
        gate.wait()
        return desk.click(screen, AS_SMS).words

    with ThreadPoolExecutor(how_many) as hands:
        return list(hands.map(press, range(how_many)))


def test_twenty_simultaneous_clicks_are_one_send(both_desk: Desk) -> None:
    screen = failed_whatsapp(both_desk)
    simultaneous_clicks(both_desk, screen, 20)
    both_desk.work()
    assert resent(both_desk) == 1
    assert "Octopods took it as" in both_desk.click(screen, AS_SMS).words


def test_clicks_on_two_failures_of_the_same_message_are_one_send_however_close(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure may have a child of its own, so that only the look at the number keeps them from two sends."""
    desk = both_desk
    cards = failed_twice(desk)
    looked = threading.Barrier(8)

    def check_then_wait(*given: Any) -> Any:
        found = check_fix(*given)
        looked.wait(timeout=30)  # every click has looked before any of them stores its send
        return found

    monkeypatch.setattr(fix, "check_fix", check_then_wait)
    with ThreadPoolExecutor(8) as hands:
        said = list(hands.map(lambda n: desk.click(cards[n % 2], AS_SMS).words, range(8)))
    desk.work()
    assert resent(desk) == 1
    assert any("The same message" in words for words in said)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("rate_limited", "The same message is queued for this number and goes at 1:07PM."),
        ("cut_after", "The same message may have gone to this number at 1:05PM."),
        (None, "The same message went to this number at 1:05PM."),
    ],
)
def test_only_what_has_left_for_certain_is_said_to_have_gone(
    desk: Desk, fault: str | None, words: str
) -> None:
    newest, other = failed_twice(desk)
    if fault:
        desk.octopods.set_fault(fault, path="/sms/messages", seconds=120)
    desk.click(newest, AS_SMS)
    assert words in desk.click(other, AS_SMS).words
    assert resent(desk) == (0 if fault == "rate_limited" else 1)


def test_what_arrived_and_was_deleted_has_gone_as_well(desk: Desk) -> None:
    newest, other = failed_twice(desk)
    desk.click(newest, AS_SMS)
    [sent] = [send for send in desk.octopods.sends() if send["path"].endswith("/sms/messages")]
    news = {"message_id": sent["id"], "destination_phone": MARA.phone, "status": "deleted"}
    assert desk.gateway("/track", news, keys.SMS).status_code == 201
    assert "The same message went to this number" in desk.click(other, AS_SMS).words
    assert resent(desk) == 1


def test_what_has_gone_is_found_behind_any_number_of_other_messages(both_desk: Desk) -> None:
    desk = both_desk
    newest, other = failed_twice(desk)
    desk.click(newest, AS_SMS)
    for number in range(25):
        desk.pass_time(1)
        desk.send_sms(MARA.phone, f"Your code is {number}.")
    assert resent(desk) == 26
    assert "The same message went to this number" in desk.click(other, AS_SMS).words
    desk.work()
    assert resent(desk) == 26


def test_without_the_unique_parent_the_same_clicks_send_more_than_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above can fail: take the database's rule and every look before it away, and there are two."""
    monkeypatch.setattr(fix, "blocking", lambda findings: None)
    monkeypatch.setattr(fix, "_twin", lambda *_: None)
    screen = failed_whatsapp(desk)
    desk.click(screen, AS_SMS)
    with writing(desk.flow.engine) as conn:
        conn.execute(text("UPDATE messages SET parent_id = NULL, open = 0 WHERE parent_id IS NOT NULL"))
        conn.execute(text("UPDATE messages SET open = 1, version = 2 WHERE status = 'failed'"))
    desk.click(desk.initialize(), AS_SMS)
    assert resent(desk) == 2


def test_a_click_an_hour_later_gets_the_first_receipt(desk: Desk) -> None:
    screen = failed_whatsapp(desk)
    first = desk.click(screen, AS_SMS)
    desk.pass_time(3600)
    again = desk.click(screen, AS_SMS)
    assert resent(desk) == 1
    assert first.words.split("Octopods took it as ")[1][:7] in again.words


def test_a_receipt_that_cannot_be_drawn_says_that_it_may_have_been_done(both_desk: Desk) -> None:
    desk = both_desk
    screen = failed_whatsapp(desk)
    with database_leaves_after_the_next_send(desk):
        shown = desk.click(screen, AS_SMS)
    assert resent(desk) == 1
    assert "may have been done" in shown.words
    assert "Nothing was changed" not in shown.words
    assert "Waiting for delivery" in desk.click(shown, "Try again").words
    assert "Octopods took it as" in desk.click(screen, AS_SMS).words
    assert resent(desk) == 1


def test_a_click_that_could_not_begin_says_that_nothing_was_changed(desk: Desk) -> None:
    screen = failed_whatsapp(desk)
    with database_down(desk):
        shown = desk.click(screen, AS_SMS)
    assert "Nothing was changed" in shown.words
    assert resent(desk) == 0


def test_an_answer_lost_after_octopods_took_it_is_unsure_and_never_repeated(desk: Desk) -> None:
    screen = failed_whatsapp(desk)
    desk.octopods.set_fault("cut_after", path="/sms/messages")
    shown = desk.click(screen, AS_SMS)
    assert "Not sure it was sent" in shown.words
    assert "It is not sent again by itself." in shown.words
    assert "Ask the person whether it arrived; if it did not, write a new message." in shown.words
    assert "Octopods took it as" not in shown.words
    assert not [label for label in shown.buttons if "Send" in label]
    for _ in range(5):
        desk.pass_time(1800)
    assert resent(desk) == 1
    assert "Not sure it was sent" in desk.initialize().words


@pytest.mark.parametrize("fault", ["html", "down", "empty", "error_200", "cut_before", "cut_after"])
def test_whatever_octopods_answers_nothing_is_called_sent_without_its_id(desk: Desk, fault: str) -> None:
    screen = failed_whatsapp(desk)
    desk.octopods.set_fault(fault, path="/sms/messages")
    shown = desk.click(screen, AS_SMS)
    assert "Octopods took it as" not in shown.words
    assert "✓" not in shown.words
    for _ in range(4):
        desk.pass_time(600)
    assert len([e for e in desk.octopods.log() if e["path"].endswith("/sms/messages")]) == 1


def test_a_connection_that_never_came_about_is_tried_again_and_sent_once(desk: Desk) -> None:
    screen = failed_whatsapp(desk)
    desk.octopods.set_fault("rate_limited", path="/sms/messages", seconds=120)
    waiting = desk.click(screen, AS_SMS)
    assert "Queued until 1:07PM." in waiting.words
    assert resent(desk) == 0
    desk.pass_time(125)
    assert resent(desk) == 1


def test_a_worker_that_died_between_the_send_and_its_outcome_leaves_it_unsure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = failed_whatsapp(desk)

    def killed(self: Octopods, *_: object) -> Sent:
        raise SystemExit  # as SIGKILL would: nothing after the send is done

    with monkeypatch.context() as patch:
        patch.setattr(Octopods, "send", killed)
        with pytest.raises(SystemExit):
            desk.click(screen, AS_SMS)
    desk.clock.advance(200)
    desk.work()
    assert resent(desk) == 0
    assert "Not sure it was sent" in desk.initialize().words


def test_two_workers_cannot_both_claim_one_action(both_desk: Desk) -> None:
    both_desk.connect()
    now = both_desk.clock()
    with writing(both_desk.flow.engine) as conn:
        action = actions.add(conn, 1, "templates", "k", now, now, payload={"channel_id": 1})
    gate = threading.Barrier(8)

    def claim(_: int) -> bool:
        gate.wait()
        with writing(both_desk.flow.engine) as conn:
            return actions.claim(conn, action.id, now) is not None

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(claim, range(8))) == 1


def test_a_doubled_wake_up_changes_nothing(desk: Desk) -> None:
    screen = failed_whatsapp(desk)
    desk.click(screen, AS_SMS)
    with reading(desk.flow.engine) as conn:
        child = conn.execute(text("SELECT id FROM messages WHERE parent_id IS NOT NULL")).scalar_one()
        action = actions.by_key(conn, 1, send_key(child))
    assert action is not None
    assert carry_out(desk.flow, action.id) is False
    assert resent(desk) == 1


@pytest.mark.parametrize("first", ["rate_limited", "not_reached"])
def test_what_a_worker_writes_twice_does_not_touch_the_send_of_the_one_that_took_over(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Nothing happened, and it is to be tried again. The commit that says so is made, but its answer is lost; before
    it is repeated, another worker takes the send over and dies once its request has left."""
    desk = both_desk
    screen = failed_whatsapp(desk)
    really = Octopods.send

    def not_reached(self: Octopods, *given: Any) -> Sent:
        raise NotReached("Octopods could not be reached.")

    def killed(self: Octopods, *given: Any) -> Sent:
        really(self, *given)
        raise SystemExit  # as SIGKILL would

    def write_twice(write: Callable[[], None]) -> None:
        write()
        monkeypatch.setattr(Octopods, "send", killed)
        with pytest.raises(SystemExit):
            desk.pass_time(30)
        write()

    if first == "rate_limited":
        desk.octopods.set_fault("rate_limited", path="/sms/messages", seconds=1)
    else:
        monkeypatch.setattr(Octopods, "send", not_reached)
    monkeypatch.setattr(sending, "retry_write", write_twice)
    desk.click(screen, AS_SMS)
    monkeypatch.undo()
    for _ in range(3):
        desk.pass_time(200)
    assert resent(desk) == 1
    assert "Not sure it was sent" in desk.initialize().words


def test_an_unsure_whatsapp_send_is_found_in_the_list_and_becomes_certain(desk: Desk) -> None:
    desk.connect()
    person = BY_ID["provider_outage"]
    desk.send_whatsapp(person.phone, 90001, ["Kim", "Tuesday"])
    desk.pass_time(15)
    desk.pass_time(120)
    screen = desk.initialize()
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    shown = desk.click(screen, next(label for label in screen.buttons if label.startswith("Send again")))
    assert "Not sure it was sent" in shown.words
    desk.pass_time(15)
    assert len(desk.octopods.sends()) == 2
    found = desk.initialize()
    assert "Not sure" not in found.words
    assert len(desk.octopods.sends()) == 2


def test_a_send_whose_outcome_could_not_be_written_down_cannot_be_undone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = failed_whatsapp(desk)
    desk.octopods.set_fault("rate_limited", path="/sms/messages", seconds=120)
    waiting = desk.click(screen, AS_SMS)
    assert "Undo" in waiting.buttons
    really = Octopods.send

    def broken(self: Octopods, *given: Any) -> Sent:
        really(self, *given)
        raise RuntimeError  # as a database that cannot take the outcome would

    with monkeypatch.context() as patch:
        patch.setattr(Octopods, "send", broken)
        desk.pass_time(125)
    assert resent(desk) == 1
    assert "Too late to undo" in desk.click(waiting, "Undo").words
    desk.pass_time(60)
    assert "Not sure it was sent" in desk.initialize().words
    assert resent(desk) == 1


def test_a_whatsapp_send_whose_worker_died_is_found_in_the_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()
    desk.send_whatsapp(BY_ID["provider_outage"].phone, 90001, ["Kim", "Tuesday"])
    desk.pass_time(15)
    desk.pass_time(120)
    screen = desk.initialize()
    really = Octopods.send

    def killed(self: Octopods, *given: Any) -> Sent:
        really(self, *given)
        raise SystemExit  # as SIGKILL would

    with monkeypatch.context() as patch:
        patch.setattr(Octopods, "send", killed)
        with pytest.raises(SystemExit):
            desk.click(screen, next(label for label in screen.buttons if label.startswith("Send again")))
    desk.pass_time(200)
    desk.pass_time(15)
    assert "Not sure" not in desk.initialize().words
    assert len(desk.octopods.sends()) == 2
