"""When something is wrong: with the body, with Octopods, or with our own database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from canvas.flows.insights import keep_counting
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store.database import reading
from canvas.store.insights import sums
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message

TO = "+353871234567"
TEMPLATE = "/whatsapp/templates/90001/messages"
VIBER = "/vbm/templates/70001/messages"
KEYS = {"/sms": keys.SMS, "/wha": keys.WHATSAPP, "/vbm": keys.VBM}


@pytest.mark.parametrize(
    ("path", "body", "code", "error"),
    [
        ("/sms/messages", b"{not json", 1, "The request payload must be a JSON object."),
        ("/sms/messages", b"", 1, "The request payload must be a JSON object."),
        ("/sms/messages", b"[" * 5000, 1, "The request payload must be a JSON object."),
        ("/sms/messages", b'{"destination_phone":"\xff"}', 1, "The request payload must be a JSON object."),
        (
            TEMPLATE,
            b'{"destination_phone":"+353871234567","message_variables":' + b"[" * 900 + b"]" * 900 + b"}",
            2,
            "The request payload must be a JSON object.",
        ),
        (TEMPLATE, [1, 2], 2, "The request payload must be a JSON object."),
        (VIBER, "text", 2, "The request payload must be a JSON object."),
        ("/sms/messages", {"body": "Hi"}, 1, "Phone number is missing."),
        (TEMPLATE, {"destination_phone": " "}, 1, "Phone number is missing."),
        ("/sms/messages", {"destination_phone": 353871234567, "body": "Hi"}, 3, "Invalid Phone number."),
        (TEMPLATE, {"destination_phone": [TO]}, 5, "Invalid Phone number."),
        ("/sms/messages", {"destination_phone": TO}, 1, "You must supply body in your request payload."),
        ("/sms/messages", {"destination_phone": TO, "body": " \n"}, 2, "Message body is empty."),
        (
            TEMPLATE,
            {"destination_phone": TO, "message_variables": "Mara"},
            2,
            "message_variables must be an array or an object.",
        ),
    ],
)
def test_a_body_octopods_would_refuse_for_its_form_never_reaches_it(
    desk: Desk, path: str, body: Any, code: int, error: str
) -> None:
    desk.connect("whatsapp", "sms", "vbm")
    before = len(desk.octopods.log())
    answer = desk.gateway(path, body, KEYS[path[:4]])
    assert (answer.status_code, answer.get_json()["error_code"], answer.get_json()["error"]) == (
        400,
        code,
        error,
    )
    assert len(desk.octopods.log()) == before
    recorded = [m.failure_raw for m in all_messages(desk)]
    assert recorded == ([answer.text] if isinstance(body, dict) else [])


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"destination_phone":"%s","body":"hi \\ud83d"}', "hi ?"),
        (b'{"destination_phone":"%s","body":"hi","n":123456789012345678901234567890}', "hi"),
        (b'\xef\xbb\xbf{"destination_phone":"%s","body":"hi"}', "hi"),
        (b'{"destination_phone":"%s","body":"hi","open_intercom_conversation":NaN}', "hi"),
    ],
    ids=["half a character", "an endless number", "a byte order mark", "no number"],
)
def test_json_that_other_writers_make_is_passed_on_as_it_came_and_recorded(
    both_desk: Desk, body: bytes, kept: str
) -> None:
    desk, sent = both_desk, body % TO.encode()
    desk.connect()
    desk.gateway("/sms/messages", sent, keys.SMS)
    assert len(desk.octopods.log()) >= 1
    assert only_message(desk).content.text == kept


@pytest.mark.parametrize(
    ("written", "kept"), [(b"NaN", "NaN"), (b"1e999", "Infinity"), (b"-1e999", "-Infinity")]
)
def test_a_number_that_no_database_holds_is_passed_on_as_it_came_and_kept_as_a_word(
    both_desk: Desk, written: bytes, kept: str
) -> None:
    desk = both_desk
    desk.connect()
    body = b'{"destination_phone":"%s","message_variables":["Mara",%s]}' % (TO.encode(), written)
    assert desk.gateway(TEMPLATE, body, keys.WHATSAPP).status_code != 503
    assert only_message(desk).content.variables == ["Mara", kept]
    told = b'{"destination_phone":"%s","body":%s}' % (TO.encode(), written)
    assert desk.gateway("/track", told, keys.SMS).status_code == 201


def test_a_template_id_longer_than_any_is_answered_by_octopods_and_counted(both_desk: Desk) -> None:
    desk, template = both_desk, "9" * 65
    desk.connect()
    path = f"/whatsapp/templates/{template}/messages"
    answer = desk.gateway(path, {"destination_phone": TO}, keys.WHATSAPP)
    assert answer.status_code == 400
    assert only_message(desk).content.template_id == template
    keep_counting(desk.flow)
    desk.pass_time(1)
    with reading(desk.flow.engine) as conn:
        install = only_message(desk).install_id
        (counted,) = sums(conn, install, "template_id", "2026-11-23", "2026-11-23")
    assert (counted.label, counted.total) == (template[:64], 1)


def test_a_missing_number_is_recorded_with_its_reason(desk: Desk) -> None:
    desk.connect()
    desk.gateway("/sms/messages", {"body": "Hi"}, keys.SMS, **{"X-Intercom-Contact-Id": "c1"})
    assert only_message(desk).reason == "missing_phone"
    assert "Add a number" in desk.initialize().buttons


def test_a_body_too_large_for_any_message_is_refused_in_octopods_shape(desk: Desk) -> None:
    desk.connect()
    answer = desk.gateway("/sms/messages", {"destination_phone": TO, "body": "x" * 2_000_000}, keys.SMS)
    told = answer.get_json()
    assert (answer.status_code, told["error_code"]) == (413, 1)
    assert told["error"] == "The body has more than 1 MB. Send a smaller one."
    assert desk.octopods.sends() == []


def test_characters_a_database_cannot_hold_reach_octopods_all_the_same(both_desk: Desk) -> None:
    both_desk.connect()
    answer = both_desk.send_sms(TO, "a\x00b")
    assert answer.status_code == 201
    assert both_desk.octopods.sends()[0]["body"]["body"] == "a\x00b"


@pytest.mark.parametrize("template", ["..", "%2e%2e", "a%2Fb%3Fc", "90001%00"])
def test_an_id_cannot_lead_to_another_address(desk: Desk, template: str) -> None:
    desk.connect()
    before = len(desk.octopods.log())
    answer = desk.gateway(
        f"/whatsapp/templates/{template}/messages", {"destination_phone": TO}, keys.WHATSAPP
    )
    assert answer.status_code in (400, 404)
    assert all("/templates/" in entry["path"] for entry in desk.octopods.log()[before:])
    assert desk.octopods.sends() == []


def test_octopods_that_cannot_be_reached_is_502_and_the_message_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()
    monkeypatch.setattr(desk.flow.octopods, "_base", "http://127.0.0.1:9/api/v1")
    answer = desk.send_sms(TO)
    assert answer.status_code == 502
    assert answer.get_json()["error"] == "Octopods could not be reached. The message was not sent."
    assert only_message(desk).status == "failed"


def test_an_answer_that_never_came_is_504_and_the_message_is_unsure(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("cut_after", path="/sms/messages")
    answer = desk.send_sms(TO)
    assert answer.status_code == 504
    assert answer.get_json()["error"] == "Octopods did not answer. The message may or may not have been sent."
    assert only_message(desk).status == "unsure"


def test_octopods_own_trouble_passes_through_and_leaves_the_message_unsure(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("down", path="/sms/messages")
    answer = desk.send_sms(TO)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "Service temporarily unavailable")
    assert only_message(desk).status == "unsure"


@pytest.mark.parametrize("ends", ["read", "failed"])
def test_what_came_back_while_it_was_unsure_stays_readable(both_desk: Desk, ends: str) -> None:
    """Octopods' 503 is the only trace of why the customer was told nothing: finding the message must not erase it."""
    desk, to = both_desk, BY_ID["not_on_whatsapp"].phone if ends == "failed" else TO
    desk.connect()
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    assert desk.send_whatsapp(to, 90001, ["Mara", "Tuesday"]).status_code == 504
    said = only_message(desk).doubt
    assert said
    desk.pass_time(30)
    desk.pass_time(60)
    message = only_message(desk)
    assert (message.status, message.doubt) == (ends, said)
    if ends == "failed":
        assert message.failure_raw != said
        assert (
            f"At first nobody knew whether it was sent: {said}"
            in desk.click(desk.initialize(), "Details").words
        )


def test_a_429_passes_through_and_stops_our_own_use_of_the_key(desk: Desk) -> None:
    desk.connect()
    desk.send_sms(TO, "first")
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=300)
    answer = desk.send_sms(TO, "second")
    assert (answer.status_code, "retry_at" in answer.get_json()) == (429, True)
    asked = len(desk.octopods.log())
    desk.pass_time(100)
    assert len(desk.octopods.log()) == asked
    desk.pass_time(210)
    assert len(desk.octopods.log()) > asked
    assert [m.reason for m in all_messages(desk)] == [None, "rate_limited_api"]


@contextmanager
def database_down(desk: Desk, verb: str = "") -> Iterator[None]:
    """Every statement that begins with `verb` fails, as when the disk is full or the server is gone."""

    def refuse(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(verb):
            raise OperationalError(statement, {}, Exception("the database is away"))

    event.listen(desk.flow.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(desk.flow.engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize("verb", ["", "INSERT INTO messages"])
def test_nothing_is_sent_that_could_not_be_recorded(desk: Desk, verb: str) -> None:
    desk.connect()
    with database_down(desk, verb):
        answer = desk.send_sms(TO)
    assert answer.status_code == 503
    assert set(answer.get_json()) == {"request_id", "error_code", "error"}
    assert desk.octopods.sends() == []


def test_an_answer_that_could_not_be_recorded_still_reaches_the_customer(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    with database_down(desk, "UPDATE messages"):
        answer = desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    assert answer.status_code == 201
    assert only_message(desk).status == "sending"
    from canvas.flows.come_in import abandoned

    desk.clock.advance(121)
    desk.octopods.advance(121)
    abandoned(desk.flow)
    assert only_message(desk).status == "unsure"
    assert len(desk.octopods.sends()) == 1
