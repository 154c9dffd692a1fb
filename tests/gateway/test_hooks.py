"""Twilio and Meta tell us directly: only they are believed, and each message is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from werkzeug.test import TestResponse

from canvas.cli.commands import register
from canvas.flows import hooks, installs
from canvas.flows.discovery import keep_looking
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.surfaces.hooks import meta_signature, twilio_signature
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import elsewhere

TO, OURS = "+353871234567", "+46313906000"
TOKEN, SECRET = "twilio-auth-token", "meta-app-secret"
PUBLIC = "https://redeliver.example.com"
TWILIO, META = "/hooks/twilio/intercom:abcd123", "/hooks/whatsapp/intercom:abcd123"


def connect(desk: Desk, *kinds: str) -> None:
    desk.connect(*kinds)
    hooks.set_secret(desk.flow, "intercom:abcd123", "twilio", TOKEN)
    hooks.set_secret(desk.flow, "intercom:abcd123", "whatsapp", SECRET, "verify-me")


def connect_numbered(desk: Desk, number: str = OURS) -> None:
    """As `connect`, and Redeliver knows the number that both channels send from."""
    connect(desk)
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        installs.add_channel(desk.flow, "intercom:abcd123", kind, key, None, number)
    desk.work()


def twilio(
    desk: Desk, form: dict[str, str], signature: str | None = None, path: str = TWILIO
) -> TestResponse:
    given = twilio_signature(TOKEN, PUBLIC + path, {k: [v] for k, v in form.items()})
    headers = {"X-Twilio-Signature": given if signature is None else signature}
    return desk.client.post(path, data=form, headers=headers)


def callback(status: str, sid: str = "SM1", to: str = TO, code: str = "") -> dict[str, str]:
    form = {"MessageSid": sid, "MessageStatus": status, "To": to, "From": OURS, "AccountSid": "AC1"}
    return {**form, "ErrorCode": code} if code else form


def meta(desk: Desk, body: Any, signature: str | None = None) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = meta_signature(SECRET, data) if signature is None else signature
    return desk.client.post(META, data=data, headers={"X-Hub-Signature-256": given})


def webhook(
    status: str, wamid: str = "wamid.1", to: str = TO, code: int = 0, title: str = ""
) -> dict[str, Any]:
    told: dict[str, Any] = {"id": wamid, "status": status, "timestamp": "1795439100", "recipient_id": to[1:]}
    if code:
        told["errors"] = [{"code": code, "title": title, "error_data": {"details": title}}]
    value = {"messaging_product": "whatsapp", "metadata": {}, "statuses": [told]}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "messages", "value": value}]}],
    }


def test_twilios_own_published_signature() -> None:
    """The example of Twilio's page "Security: validating requests"."""
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+14158675310"],
        "Digits": ["1234"],
        "From": ["+14158675310"],
        "To": ["+18005551212"],
    }
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, form) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


def test_a_failure_told_by_twilio_shows_with_its_reason_before_any_poll(both_desk: Desk) -> None:
    desk = both_desk
    connect(desk)
    sid = desk.send_sms(TO).get_json()["channel_message_id"]
    assert twilio(desk, callback("undelivered", sid, code="30006")).status_code == 204
    message = only_message(desk)
    assert (message.status, message.reason, message.failure_raw) == (
        "failed",
        "landline_or_unreachable",
        "30006",
    )
    assert "Octopods said: 30006" in desk.click(desk.initialize(), "Details").words


def test_half_an_emoji_beside_it_does_not_hide_a_failure_told_by_meta(desk: Desk) -> None:
    connect(desk)
    body = webhook("failed", code=131026, title="Message undeliverable")
    body["entry"][0]["changes"][0]["value"]["contacts"] = [{"profile": {"name": "Mara \ud83d"}}]
    assert meta(desk, body).status_code == 200
    assert only_message(desk).reason == "not_on_whatsapp"


def test_repeats_disorder_and_unknown_words_do_no_harm(desk: Desk) -> None:
    connect(desk)
    sid = desk.send_sms(TO).get_json()["channel_message_id"]
    for status in ("delivered", "sent", "queued", "delivered", "failed", "receiving", ""):
        assert (
            twilio(desk, callback(status, sid, code="30003" if status == "failed" else "")).status_code == 204
        )
    assert only_message(desk).status == "delivered"
    for _ in range(3):
        twilio(desk, callback("delivered", "SM-nobody-knows", "+353870000000"))
    assert len(all_messages(desk)) == 1


@pytest.mark.parametrize("number", [OURS, "+46 31-390 60 00"])
def test_news_from_our_own_number_is_believed_of_what_octopods_cannot_be_asked_about(
    desk: Desk, number: str
) -> None:
    connect_numbered(desk, number)
    desk.octopods.shapes(sends="request_id")
    desk.send_sms(TO)
    twilio(desk, callback("sent", "SM9"))
    twilio(desk, callback("failed", "SM9", code="30003"))
    message = only_message(desk)
    assert (message.source, message.provider_id, message.status) == ("gateway", "SM9", "failed")


def test_of_two_to_one_number_nobody_guesses(desk: Desk) -> None:
    connect(desk)
    desk.octopods.shapes(sends="legacy")
    desk.send_sms(TO, "one")
    desk.send_sms(TO, "two")
    twilio(desk, callback("failed", "SM9", code="30003"))
    assert {m.status for m in all_messages(desk)} == {"sent"}


def test_a_failure_sent_from_elsewhere_is_kept_and_found_by_number(desk: Desk) -> None:
    connect(desk)
    for _ in range(2):
        twilio(desk, callback("undelivered", "SM7", code="30006"))
    message = only_message(desk)
    assert (message.source, message.channel, message.provider_id) == ("hook", "sms", "SM7")
    assert desk.initialize("somebody", TO).words != "No failed messages for this person."


def test_meta_tells_a_failure_and_its_code(both_desk: Desk) -> None:
    desk = both_desk
    connect(desk)
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    desk.clock.advance(10)
    desk.work()  # the answer to the send told no provider's id; the one to the first poll does
    wamid = only_message(desk).provider_id or ""
    assert meta(desk, webhook("sent", wamid)).status_code == 200
    assert meta(desk, webhook("failed", wamid, code=131049, title="Healthy ecosystem")).status_code == 200
    message = only_message(desk)
    assert (message.provider_id, message.reason) == (wamid, "marketing_limit_ecosystem")
    assert '"code": 131049' in (message.failure_raw or "")


def test_a_failure_told_by_meta_and_then_listed_is_one_message(desk: Desk) -> None:
    mara = BY_ID["not_on_whatsapp"]
    connect(desk)
    elsewhere(desk, mara.phone)
    meta(desk, webhook("failed", to=mara.phone, code=131026, title="Message undeliverable"))
    keep_looking(desk.flow)
    desk.pass_time(130)
    desk.pass_time(1000)
    message = only_message(desk)
    assert (message.source, message.octopods_id) == ("hook", desk.octopods.sends()[0]["id"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"entry":{"changes":1}}',
        b'{"entry":[{"changes":[{"value":{"statuses":[1,{"id":5}]}}]}]}',
    ],
)
def test_a_signed_body_of_any_shape_is_answered(desk: Desk, body: bytes) -> None:
    connect(desk)
    assert meta(desk, body).status_code == 200
    assert all_messages(desk) == []


def test_the_registration_is_answered_only_to_who_knows_the_token(desk: Desk) -> None:
    connect(desk)
    good = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158201444"}
    answer = desk.client.get(META, query_string=good)
    assert (answer.status_code, answer.data) == (200, b"1158201444")
    for token in ("", "verify-you"):
        assert desk.client.get(META, query_string={**good, "hub.verify_token": token}).status_code == 401


def test_forged_foreign_and_unknown_calls_look_the_same(desk: Desk) -> None:
    connect(desk)
    form = callback("failed", code="30003")
    answers = [
        twilio(desk, form, "AAAA"),
        twilio(desk, form, ""),
        twilio(
            desk,
            {**form, "To": "+1"},
            twilio_signature(TOKEN, PUBLIC + TWILIO, {k: [v] for k, v in form.items()}),
        ),
        twilio(desk, form, path="/hooks/twilio/intercom:nobody"),
        twilio(desk, form, path="/hooks/twilio/%00"),
        meta(desk, webhook("failed"), "sha256=" + "0" * 64),
        meta(desk, webhook("failed"), "ü"),
    ]
    assert {(a.status_code, a.data) for a in answers} == {(401, b"")}
    hooks.remove_secret(desk.flow, "intercom:abcd123", "twilio")
    assert twilio(desk, form).status_code == 401
    assert all_messages(desk) == []


def test_a_hook_is_set_listed_and_removed_by_command(desk: Desk) -> None:
    desk.connect()
    register(desk.app)
    run = desk.app.test_cli_runner().invoke
    where = ["--install", "intercom:abcd123", "--provider", "twilio"]
    made: Result = run(args=["hook", "set", *where, "--secret", "-"], input="twilio-auth-token\n")
    assert (made.exit_code, made.output.strip()) == (0, f"twilio may call {PUBLIC}{TWILIO}")
    assert "twilio\tset 2026-11-23" in run(args=["hook", "list", "--install", "intercom:abcd123"]).output
    assert "twilio-auth-token" not in run(args=["hook", "list", "--install", "intercom:abcd123"]).output
    assert twilio(desk, callback("sent")).status_code == 204
    assert run(args=["hook", "remove", *where]).exit_code == 0
    assert run(args=["hook", "remove", *where]).exit_code == 1
