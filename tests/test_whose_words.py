"""Octopods is quoted with its own words alone; what Redeliver itself says about a failure is told as ours."""

from __future__ import annotations

import pytest

from canvas.flows import diagnosing
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import Desk, Screen
from tests.gateway.test_hooks import TO, callback, connect_numbered, twilio

MARA = BY_ID["not_on_whatsapp"]
SMS = "/sms/messages"


def unreachable(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Screen:
    desk.connect()
    monkeypatch.setattr(desk.flow.octopods, "_base", "http://127.0.0.1:9/api/v1")
    assert desk.send_sms(MARA.phone).status_code == 502
    return desk.click(desk.initialize(), "Details")


def test_a_line_that_never_came_about_is_told_in_our_name(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    detail = unreachable(desk, monkeypatch)
    assert "Octopods said" not in detail.words
    assert "Redeliver noted: Octopods could not be reached." in detail.words
    assert diagnosing.listed(desk.flow, 1) == []


def test_support_is_not_given_our_words_as_a_providers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = unreachable(desk, monkeypatch)
    bundle = desk.click(screen, "Copy for support").component("bundle")["value"]
    assert "Reason, word for word: none was given" in bundle
    assert "Redeliver's own note: Octopods could not be reached." in bundle


def test_a_lost_answer_is_no_answer_of_octopods(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("cut_after", path=SMS)
    desk.send_sms(MARA.phone)
    detail = desk.click(desk.initialize(), "Details")
    assert "Octopods said" not in detail.words
    assert "Redeliver noted: The connection to Octopods broke before it answered." in detail.words


def test_what_a_provider_told_itself_is_not_said_by_octopods(desk: Desk) -> None:
    connect_numbered(desk)
    twilio(desk, callback("undelivered", code="30003"))
    assert "Twilio said: 30003" in desk.click(desk.initialize(phone=TO), "Details").words


def test_what_did_come_back_with_an_unsure_send_is_quoted(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("down", path=SMS)
    desk.send_sms(MARA.phone)
    detail = desk.click(desk.initialize(), "Details")
    assert "Service temporarily unavailable" in detail.component("said")["text"]
    assert detail.component("said")["text"].startswith("Octopods said: ")


def test_an_opt_out_that_redeliver_remembers_is_not_said_by_octopods(desk: Desk) -> None:
    desk.connect("whatsapp", "sms", undo_seconds=60)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.click(desk.initialize(), "Send as SMS instead")
    left = {"message_id": 1, "destination_phone": MARA.phone, "channel": "sms"}
    stopped = {**left, "status": "FAILED", "failure_reason": "User has opted out"}
    assert desk.gateway("/track", stopped, keys.SMS).status_code == 201
    desk.pass_time(60)
    shown = [desk.click(desk.initialize(), "Details")]
    shown += [desk.click(desk.initialize(), item["title"]) for item in desk.initialize().items]
    words = " ".join(screen.words for screen in shown)
    assert "Redeliver noted: The recipient has opted out." in words
    assert "Octopods said: The recipient has opted out." not in words
