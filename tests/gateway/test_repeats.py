"""The customer's own retries under an `Idempotency-Key`: one send, whatever happens."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from canvas.clients.octopods import Octopods
from canvas.flows import erase, installs
from canvas.flows.come_in import abandoned
from canvas.sandbox.octopods import keys
from canvas.store import idempotency
from canvas.store.idempotency import IdempotencyRecord
from tests.desk import WORKSPACE, Desk
from tests.gateway.records import all_messages, only_message
from tests.test_never_lost import until_it_waits

TO = "+353871234567"
BODY = {"destination_phone": TO, "body": "Your code is 4711."}


def send(desk: Desk, key: str = "order-1", body: Any = BODY, path: str = "/sms/messages") -> TestResponse:
    return desk.gateway(path, body, keys.SMS, **{"Idempotency-Key": key, "X-Intercom-Contact-Id": "c1"})


def test_a_repeat_gets_the_first_answer_and_sends_nothing(both_desk: Desk) -> None:
    both_desk.connect()
    first, second = send(both_desk), send(both_desk)
    assert (second.status_code, second.data) == (first.status_code, first.data) == (201, first.data)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(both_desk.octopods.sends()) == 1
    assert only_message(both_desk).octopods_id


def test_a_refusal_is_repeated_too(desk: Desk) -> None:
    desk.connect()
    wrong = {**BODY, "destination_phone": "0871"}
    assert send(desk, body=wrong).data == send(desk, body=wrong).data
    assert len(all_messages(desk)) == 1


def test_the_same_key_with_another_body_is_422(desk: Desk) -> None:
    desk.connect()
    send(desk)
    assert send(desk, body={**BODY, "body": "Another text."}).status_code == 422
    assert len(desk.octopods.sends()) == 1


def test_the_same_key_on_another_line_is_422(desk: Desk) -> None:
    """A second SMS channel of the workspace has another sender, so its message is another one."""
    desk.connect()
    desk.octopods.add_key("second-sms-key", "sms")
    installs.add_channel(desk.flow, "intercom:abcd123", "sms", "second-sms-key", "Second SMS", None)
    send(desk)
    other = desk.gateway("/sms/messages", BODY, "second-sms-key", **{"Idempotency-Key": "order-1"})
    assert other.status_code == 422
    assert send(desk).headers["Idempotent-Replayed"] == "true"
    assert len(desk.octopods.sends()) == 1


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 201), ("k" * 256, 400), (" ", 400), ("ключ", 201)])
def test_how_long_a_key_may_be(desk: Desk, key: str, status: int) -> None:
    desk.connect()
    assert send(desk, key.encode().decode("latin-1")).status_code == status
    assert len(desk.octopods.sends()) == (status == 201)


def test_a_key_is_kept_for_a_day(desk: Desk) -> None:
    desk.connect()
    send(desk)
    desk.clock.advance(24 * 3600 - 1)
    send(desk)
    assert len(desk.octopods.sends()) == 1
    desk.clock.advance(2)
    send(desk)
    assert len(desk.octopods.sends()) == 2


def test_another_tenants_key_means_nothing_here(desk: Desk) -> None:
    desk.connect("sms")
    desk.octopods.add_key("other-sms-key", "sms")
    installs.connect(desk.flow, "intercom", "other", "t")
    installs.add_channel(desk.flow, "intercom:other", "sms", "other-sms-key", None, None)
    send(desk)
    answer = desk.gateway(
        "/sms/messages", {**BODY, "body": "Else"}, "other-sms-key", **{"Idempotency-Key": "order-1"}
    )
    assert answer.status_code == 201


def test_ten_at_once_are_one_send(both_desk: Desk) -> None:
    both_desk.connect()
    gate = threading.Barrier(10)

    def press(_: int) -> int:
        gate.wait()
        return send(both_desk).status_code

    with ThreadPoolExecutor(10) as hands:
        statuses = set(hands.map(press, range(10)))
    assert len(both_desk.octopods.sends()) == 1
    assert statuses <= {201, 409}
    assert 201 in statuses


def test_after_a_process_died_a_repeat_says_that_nobody_knows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()

    def killed(self: Octopods, *_: object) -> None:
        raise SystemExit  # as SIGKILL would: nothing after the send is done

    with monkeypatch.context() as patch:
        patch.setattr(Octopods, "forward", killed)
        with pytest.raises(SystemExit):
            send(desk)
    assert send(desk).status_code == 409
    desk.clock.advance(130)
    assert send(desk).status_code == 504
    abandoned(desk.flow)
    answer = send(desk)
    assert (answer.status_code, "not known" in answer.get_json()["error"]) == (504, True)
    assert desk.octopods.sends() == []


def test_a_lost_answer_is_not_sent_again_and_is_told_once_it_is_known(desk: Desk) -> None:
    desk.connect()
    path, body = (
        "/whatsapp/templates/90001/messages",
        {"destination_phone": TO, "message_variables": ["a", "b"]},
    )
    headers = {"Idempotency-Key": "visit-1"}
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    assert desk.gateway(path, body, keys.WHATSAPP, **headers).status_code == 504
    assert desk.gateway(path, body, keys.WHATSAPP, **headers).status_code == 504
    desk.pass_time(30)
    found = desk.gateway(path, body, keys.WHATSAPP, **headers)
    (taken,) = desk.octopods.sends()
    assert (found.status_code, found.get_json()["message_id"]) == (201, int(taken["id"]))


def test_what_certainly_was_not_sent_may_be_tried_again_under_the_same_key(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=1)
    assert send(desk).status_code == 429
    desk.octopods.advance(5)
    assert send(desk).status_code == 201
    assert send(desk).headers["Idempotent-Replayed"] == "true"
    first, second = all_messages(desk)
    assert (second.parent_id, second.attempt, first.open) == (first.id, 2, False)


def test_a_customers_retry_and_an_agents_click_are_one_send(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=1)
    assert send(desk).status_code == 429
    desk.pass_time(65)
    screen = desk.initialize()
    desk.click(screen, next(label for label in screen.buttons if label.startswith("Send again")))
    answer = send(desk)
    assert (answer.status_code, "from Redeliver" in answer.get_json()["error"]) == (409, True)
    assert len(desk.octopods.sends()) == 1


def test_a_backend_that_never_stops_begins_a_new_life_line_and_is_still_sent_once(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=600)
    for _ in range(20):
        assert send(desk).status_code == 429
        desk.clock.advance(1)
    card = desk.initialize()
    details = desk.click(card, "Details").words
    assert "The last 10 of 20 tries" in details
    assert details.count("PM: SMS to +353 87 123 4567") == 10
    send(desk)
    desk.pass_time(1200)
    desk.octopods.control("DELETE", "faults")
    assert send(desk).status_code == 201
    attempts = [m.attempt for m in all_messages(desk)]
    assert attempts == [*range(1, 21), 1, 2]
    stale = next(label for label in card.buttons if label.startswith("Send again"))
    desk.click(card, stale)
    assert len(desk.octopods.sends()) == 1


def test_a_header_that_cannot_be_passed_on_is_a_refusal_and_its_key_stays_free(desk: Desk) -> None:
    desk.connect()
    odd = {"User-Agent": "\xa0backend", "Idempotency-Key": "order-1"}
    refused = desk.gateway("/sms/messages", BODY, keys.SMS, **odd)
    assert refused.status_code == 400
    assert refused.get_json()["error"] == "The request to Octopods could not be written as HTTP."
    assert "Reason not known" in desk.initialize("c2", TO).words
    assert send(desk).status_code == 201
    assert len(desk.octopods.sends()) == 1


def test_erasing_the_person_does_not_let_the_same_key_send_again(both_desk: Desk) -> None:
    both_desk.connect()
    assert send(both_desk).status_code == 201
    done = erase.person(both_desk.flow, f"intercom:{WORKSPACE}", "c1")
    assert (done.gone["messages"], done.left) == (1, {})
    again = send(both_desk)
    assert again.status_code == 504
    assert "It is not sent again" in again.get_json()["error"]
    assert len(both_desk.octopods.sends()) == 1


def test_a_key_that_names_the_person_goes_with_them(both_desk: Desk) -> None:
    both_desk.connect()
    send(both_desk, key=f"reminder {TO} 1")
    done = erase.person(both_desk.flow, f"intercom:{WORKSPACE}", "c1")
    assert (done.gone["idempotency"], done.left) == (1, {})


def test_what_was_never_sent_may_be_sent_after_the_person_was_erased(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/messages", method="POST")
    assert send(desk).status_code == 429
    erase.person(desk.flow, f"intercom:{WORKSPACE}", "c1")
    desk.pass_time(3600)
    assert send(desk).status_code == 201
    assert len(desk.octopods.sends()) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_repeat_and_an_erasing_do_not_wait_for_each_other(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeat closes the attempt before it; the erasing holds that one and empties the key's record."""
    desk = both_desk
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/messages", method="POST")
    assert send(desk).status_code == 429
    desk.pass_time(3600)
    find = idempotency.find
    with ThreadPoolExecutor(1) as other:
        erasing: list[Future[erase.Erased]] = []

        def then_erasing(*given: Any) -> IdempotencyRecord | None:
            found = find(*given)
            erasing.append(other.submit(erase.person, desk.flow, f"intercom:{WORKSPACE}", "c1"))
            until_it_waits(desk)
            return found

        monkeypatch.setattr(idempotency, "find", then_erasing)
        assert send(desk).status_code == 201
        erasing[0].result()
    assert len(desk.octopods.sends()) == 1


def test_what_somebody_sent_again_is_not_sent_for_the_repeat_after_the_person_was_erased(
    both_desk: Desk,
) -> None:
    desk = both_desk
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/messages", method="POST")
    assert send(desk).status_code == 429
    desk.octopods.clear_faults()
    desk.pass_time(3600)
    desk.click(desk.initialize("c1", TO), "Send again")
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == 1
    erase.person(desk.flow, f"intercom:{WORKSPACE}", "c1")
    assert send(desk).status_code == 504
    assert len(desk.octopods.sends()) == 1
