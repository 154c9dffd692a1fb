"""News and answers that cross on the way, and odd texts of vendors: no outcome is lost or taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from canvas.clients.errors import Unsure
from canvas.clients.http import Answer
from canvas.flows import incidents
from canvas.store.database import writing
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import elsewhere
from tests.gateway.test_hooks import TO, callback, connect, connect_numbered, twilio
from tests.test_never_lost import until_it_waits


@contextmanager
def before_the_answer(
    desk: Desk, happens: Callable[[], Any], *, lost: bool = False, answer: Answer | None = None
) -> Iterator[None]:
    """Octopods has taken the send; something happens; then its answer comes, is lost, or is another."""
    forward = desk.flow.octopods.forward

    def crossing(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        real = forward(method, path, headers, body)
        happens()
        if lost:
            raise Unsure("Octopods did not answer in time.")
        return answer or real

    desk.flow.octopods.forward = crossing  # type: ignore[method-assign]
    yield
    desk.flow.octopods.forward = forward  # type: ignore[method-assign]


TAKEN = Answer(201, {}, orjson.dumps({"request_id": "r", "message_id": 5, "channel_message_id": "SM9"}))


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
@pytest.mark.parametrize(("word", "code"), [("delivered", ""), ("failed", "30006")])
def test_what_the_provider_told_before_octopods_answered_stays(
    both_desk: Desk, word: str, code: str, lost: bool
) -> None:
    desk = both_desk
    connect_numbered(desk)
    told = callback(word, "SM9", code=code)
    with before_the_answer(desk, lambda: twilio(desk, told), lost=lost, answer=TAKEN):
        status = desk.send_sms(TO).status_code
    message = only_message(desk)
    assert (status, str(message.status)) == (504 if lost else 201, word)
    assert (message.failure_raw or "") == code
    assert message.octopods_id == (None if lost else "5")
    assert message.open == (word == "failed")


def test_a_lost_send_is_not_found_in_the_entry_of_another_that_is_still_under_way(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("down", path="/messages", method="POST")
    assert desk.send_whatsapp(TO, variables=["Mara", "Tuesday"]).status_code == 503
    desk.octopods.clear_faults()

    def look_into_the_list() -> None:
        desk.clock.advance(11)
        desk.work()

    with before_the_answer(desk, look_into_the_list):
        desk.send_whatsapp(TO, variables=["Mara", "Friday"])
    lost, taken = all_messages(desk)
    assert (lost.status, lost.octopods_id) == ("unsure", None)
    assert (taken.status, taken.octopods_id) == ("sent", desk.octopods.sends()[0]["id"])


def test_a_lost_send_is_not_found_in_an_entry_with_other_words(desk: Desk) -> None:
    """Another app of the customer sends with the same key; the list that shows texts tells the two apart."""
    desk.connect()
    desk.octopods.shapes(listing="guide")
    desk.octopods.set_fault("down", path="/messages", method="POST")
    desk.send_whatsapp(TO, variables=["Mara", "Tuesday"])
    desk.octopods.clear_faults()
    elsewhere(desk, day="Friday")
    desk.clock.advance(11)
    desk.work()
    assert (all_messages(desk)[0].status, all_messages(desk)[0].octopods_id) == ("unsure", None)
    elsewhere(desk)
    desk.clock.advance(31)
    desk.work()
    assert all_messages(desk)[0].octopods_id == desk.octopods.sends()[-1]["id"]


def test_a_provider_id_that_only_a_status_names_keeps_others_news_away(desk: Desk) -> None:
    """An agent's own reply to the same number is delivered; our message must not be told so."""
    connect(desk)
    desk.octopods.shapes(sends="legacy")
    desk.send_sms(TO)
    assert only_message(desk).provider_id is None
    desk.clock.advance(10)
    desk.work()
    assert only_message(desk).status == "sent"
    assert only_message(desk).provider_id
    twilio(desk, callback("delivered", "SM-the-agents-reply"))
    assert [m.status for m in all_messages(desk) if m.octopods_id] == ["sent"]


def test_a_failure_tied_by_its_number_alone_makes_us_ask_octopods_instead_of_believing_it(desk: Desk) -> None:
    """An agent's own reply to that number fails, while our message, of which Octopods told no provider id, arrives."""
    connect(desk)
    desk.octopods.shapes(sends="legacy")
    desk.send_sms(TO)
    twilio(desk, callback("undelivered", "SM-the-agents-reply", code="30003"))
    assert only_message(desk).status == "sent"
    desk.pass_time(60)
    assert only_message(desk).status == "delivered"
    assert "No failed messages" in desk.initialize(phone=TO).words


ODD = {
    "a refusal with NUL": Answer(400, {}, b"Recipient is not a WhatsApp user\x00\n"),
    "a refusal with half a character": Answer(400, {}, b'{"error_code": 4, "error": "No \\ud83d"}'),
    "a long request id": Answer(201, {}, orjson.dumps({"request_id": "r" * 90, "message_id": 5})),
    "a long provider id": Answer(
        201, {}, orjson.dumps({"request_id": "r", "message_id": 7, "channel_message_id": "w" * 200})
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_answer_is_written_down_on_both_databases(both_desk: Desk, what: str) -> None:
    desk, answer = both_desk, ODD[what]
    desk.connect()
    with before_the_answer(desk, lambda: None, answer=answer):
        got = desk.send_sms(TO)
    message = only_message(desk)
    assert (got.status_code, got.data) == (answer.status, answer.body)
    assert message.status == ("sent" if answer.status == 201 else "failed")
    assert bool(message.failure_raw) == (answer.status == 400)


def test_a_408_once_octopods_has_the_message_passes_through_and_leaves_it_unsure(desk: Desk) -> None:
    """A proxy on the way had no patience; Octopods has taken the message, so no button may send it again."""
    desk.connect()
    timed_out = Answer(408, {"Content-Type": "text/plain"}, b"upstream timed out")
    with before_the_answer(desk, lambda: None, answer=timed_out):
        got = desk.send_sms(TO)
    assert (got.status_code, got.data) == (408, b"upstream timed out")
    assert (only_message(desk).status, only_message(desk).doubt) == ("unsure", "upstream timed out")
    assert not [label for label in desk.initialize().buttons if label.startswith("Send")]
    assert len(desk.octopods.sends()) == 1


def test_two_first_failures_at_one_moment_are_both_written_down(both_desk: Desk) -> None:
    """Both have the incident watch looked after, which neither finds there."""
    desk = both_desk
    desk.connect()
    if desk.flow.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one write at a time")
    answers: list[int] = []
    other = threading.Thread(target=lambda: answers.append(desk.send_sms("12").status_code))
    with writing(desk.flow.engine) as conn:
        incidents.look_soon(conn, 1, desk.clock())
        other.start()
        until_it_waits(desk)
    other.join()
    assert answers == [400]
    assert only_message(desk).status == "failed"
