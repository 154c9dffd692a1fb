"""The Octopods client: every documented shape of request, answer and refusal."""

from datetime import UTC, datetime
from typing import Any

import pytest

from canvas.clients.errors import BrokenAnswer, CallFailed, RateLimited, Refused, Unauthorised, Unsure
from canvas.clients.http import Http
from canvas.clients.octopods import Octopods, Outgoing, Shape
from canvas.clients.octopods_answers import read_status
from tests.clients.scripted import Turn, answer, hang_up_after_reading, raw, scripted

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = "wa-key-1234"
PHONE = "+442079460123"
TEMPLATE = Outgoing("whatsapp", PHONE, template_id="90001", variables={"body": ["Mara", "Tuesday"]})
SMS = Outgoing("sms", PHONE, text="Hi Mara")
VIBER = Outgoing(
    "vbm", PHONE, template_id="7", variables={"body": ["Mara"]}, header_url="https://x.test/a.jpg"
)
HTML = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>Hi</html>")


def client(url: str, shape: Shape = "sections") -> Octopods:
    return Octopods(Http(), url, shape=shape, clock=lambda: NOW)


def refusal(turn: Turn, outgoing: Outgoing = TEMPLATE) -> CallFailed:
    with scripted(turn) as server, pytest.raises(CallFailed) as caught:
        client(server.url).send(KEY, outgoing)
    assert len(server.received) == 1
    return caught.value


def sent_body(outgoing: Outgoing, shape: Shape = "sections") -> tuple[str, dict[str, Any]]:
    with scripted(answer(201, {"request_id": "r", "message_id": 1})) as server:
        client(server.url, shape).send(KEY, outgoing)
    assert server.last.headers["x-octopods-auth"] == KEY
    return server.last.path, server.last.json


def test_a_template_is_sent_with_every_place_named() -> None:
    path, body = sent_body(TEMPLATE)
    assert path == "/api/v1/whatsapp/templates/90001/messages"
    assert body == {
        "destination_phone": PHONE,
        "message_variables": {"header": [], "body": ["Mara", "Tuesday"], "footer": [], "buttons": []},
    }


def test_viber_has_no_buttons_and_its_own_name_for_the_header() -> None:
    path, body = sent_body(VIBER)
    assert path == "/api/v1/vbm/templates/7/messages"
    assert body == {
        "destination_phone": PHONE,
        "message_variables": {"header": [], "body": ["Mara"], "footer": []},
        "header_image_url": "https://x.test/a.jpg",
    }


def test_an_sms_carries_its_text_and_only_options_octopods_knows() -> None:
    options = {"open_intercom_conversation": False, "destination_user_name": "Mara", "private": "no"}
    path, body = sent_body(Outgoing("sms", PHONE, text="Hi", options=options))
    assert path == "/api/v1/sms/messages"
    assert body == {
        "destination_phone": PHONE,
        "body": "Hi",
        "open_intercom_conversation": False,
        "destination_user_name": "Mara",
    }


@pytest.mark.parametrize(
    ("shape", "expected"), [("list", ["Mara", "Tuesday"]), ("numbers", {"1": "Mara", "2": "Tuesday"})]
)
def test_the_other_shapes_can_be_chosen_for_body_values(shape: Shape, expected: object) -> None:
    assert sent_body(TEMPLATE, shape)[1]["message_variables"] == expected
    header = Outgoing("whatsapp", PHONE, template_id="1", variables={"header": ["A"], "body": ["B"]})
    assert sent_body(header, shape)[1]["message_variables"]["header"] == ["A"]


def test_a_template_without_variables_sends_none() -> None:
    assert "message_variables" not in sent_body(Outgoing("whatsapp", PHONE, template_id="1"))[1]


@pytest.mark.parametrize(
    ("body", "message_id", "provider_id"),
    [
        ({"request_id": "r", "message_id": 5120077, "message_status_url": "https://o/x"}, "5120077", None),
        ({"request_id": "r", "message_id": "5120077", "channel_message_id": "SM1"}, "5120077", "SM1"),
        ({"message_id": 6, "phone_number": "442079460123", "request_id": "r"}, "6", None),
        ({"request_id": "r", "message_status_url": "https://o/api/v1/whatsapp/messages/77"}, "77", None),
        ({"request_id": "r"}, None, None),
        ({"request_id": "r", "status": "SENT", "success": True}, None, None),
        ({"request_id": "r", "message_id": None}, None, None),
        ({"request_id": "r", "message_id": 8, "error": "Provider is slow"}, "8", None),
    ],
)
def test_a_receipt_is_read_in_every_shape(
    body: dict[str, Any], message_id: str | None, provider_id: str | None
) -> None:
    with scripted(answer(201, body)) as server:
        sent = client(server.url).send(KEY, SMS)
    assert (sent.message_id, sent.provider_id, sent.raw) == (message_id, provider_id, body)


@pytest.mark.parametrize(
    "turn",
    [
        HTML,
        answer(201, b""),
        answer(200, []),
        answer(200, {}),
        answer(200, b"null"),
        answer(201, {"request_id": "r", "message_id": {"id": 1}}),
        answer(201, {"request_id": "r", "message_id": True}),
        answer(200, {"request_id": "r", "errors": [{"code": 5}]}),
        answer(200, {"request_id": "r", "status": "error", "message": "bad number"}),
        answer(200, {"request_id": "r", "success": False}),
        answer(200, {"request_id": "r", "message_id": None, "failure_reason": "no"}),
        answer(408, b"upstream timed out"),
        answer(500, {"error": "boom"}),
        answer(502, b"<html>Bad gateway</html>"),
        answer(503, b""),
        hang_up_after_reading,
    ],
)
def test_a_send_without_a_readable_receipt_is_unsure(turn: Turn) -> None:
    failure = refusal(turn)
    assert isinstance(failure, Unsure)
    assert failure.may_have_happened
    assert not failure.may_retry


def test_an_error_with_a_message_id_of_zero_is_no_receipt() -> None:
    body = {"request_id": "r", "error_code": 3, "error": "Invalid Phone number.", "message_id": 0}
    assert type(refusal(answer(200, body))) is Refused


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00", "soon", 7]
)
def test_an_impossible_time_is_none(at: object) -> None:
    report = read_status(
        {"message_id": 5, "status": "failed", "sent_at": at, "created_at": "2026-05-06T08:15:21Z"}
    )
    assert report is not None
    assert (report.sent_at, report.created_at) == (None, datetime(2026, 5, 6, 8, 15, 21, tzinfo=UTC))


def test_an_html_answer_is_kept_word_for_word() -> None:
    assert refusal(HTML).body == "<html>Hi</html>"


@pytest.mark.parametrize("status", [200, 400, 404, 422])
def test_an_error_body_is_a_refusal_under_any_status(status: int) -> None:
    body = {"request_id": "4b7d", "error_code": 3, "error": "Message Template does not exist."}
    failure = refusal(answer(status, body))
    assert type(failure) is Refused
    assert not failure.may_have_happened
    assert (failure.status, failure.code, failure.request_id) == (status, "3", "4b7d")
    assert failure.message == "Octopods said: Message Template does not exist."


@pytest.mark.parametrize(
    ("outgoing", "turn"),
    [
        (TEMPLATE, answer(401, b"")),
        (TEMPLATE, answer(403, {"error": "no"})),
        (TEMPLATE, answer(400, {"error_code": 6})),
        (SMS, answer(400, {"error_code": 5})),
        (SMS, answer(400, {"error_code": 5, "error": "This key was replaced."})),
        (SMS, answer(400, {"error_code": 6, "error": "Deprecated API Key. Please go to your Octopods App"})),
        (VIBER, answer(400, {"error_code": 9, "error": "deprecated api key."})),
    ],
)
def test_a_key_that_is_no_longer_good_is_told_apart(outgoing: Outgoing, turn: Turn) -> None:
    assert isinstance(refusal(turn, outgoing), Unauthorised)


@pytest.mark.parametrize("outgoing", [TEMPLATE, VIBER])
def test_code_five_of_a_template_send_is_a_wrong_number_not_a_wrong_key(outgoing: Outgoing) -> None:
    turn = answer(400, {"error_code": 5, "error": "Invalid Phone number."})
    assert type(refusal(turn, outgoing)) is Refused


def test_a_rate_limit_names_the_moment_to_go_on() -> None:
    failure = refusal(answer(429, {"error": "Too many requests", "retry_at": "2026-11-23T12:05:00Z"}))
    assert isinstance(failure, RateLimited)
    assert failure.retry_at == datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "ключ"])
def test_a_key_that_cannot_be_one_is_not_sent(key: str) -> None:
    with scripted(answer(201, {})) as server, pytest.raises(Unauthorised):
        client(server.url).send(key, SMS)
    assert server.received == []


@pytest.mark.parametrize("template_id", ["", "..", "."])
def test_an_id_cannot_lead_to_another_address(template_id: str) -> None:
    with scripted(answer(201, {})) as server, pytest.raises(Refused):
        client(server.url).send(KEY, Outgoing("whatsapp", PHONE, template_id=template_id))
    assert server.received == []


def test_a_slash_in_an_id_stays_in_the_id() -> None:
    path, _ = sent_body(Outgoing("vbm", PHONE, template_id="a/../b?c"))
    assert path == "/api/v1/vbm/templates/a%2F..%2Fb%3Fc/messages"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", "sent"),
        ("SENT", "sent"),
        ("Delivered", "delivered"),
        ("READ", "read"),
        ("failed", "failed"),
        ("undelivered", "failed"),
        ("DELETED", "deleted"),
        ("UNKNOWN", "unknown"),
        ("pondering", "unknown"),
    ],
)
def test_both_vocabularies_of_status_are_read(word: str, status: str) -> None:
    with scripted(answer(200, {"message_id": 7, "status": word})) as server:
        report = client(server.url).message_status(KEY, "sms", "7")
    assert (report.status, report.raw_status, report.message_id) == (status, word, "7")
    assert server.last.path == "/api/v1/sms/messages/7"


@pytest.mark.parametrize(
    "reason",
    [None, "", "Recipient is not a WhatsApp user.", {"code": 470, "title": "Re-engagement window expired"}],
)
def test_a_failure_reason_comes_through_untouched(reason: object) -> None:
    body = {
        "message_id": 5120077,
        "status": "FAILED",
        "channel_message_id": "wamid.X",
        "failure_reason": reason,
        "last_updated": "2026-05-06T08:15:30Z",
    }
    with scripted(answer(200, body)) as server:
        report = client(server.url).message_status(KEY, "whatsapp", "5120077")
    assert report.failure_reason == reason
    assert report.provider_id == "wamid.X"
    assert report.last_updated == datetime(2026, 5, 6, 8, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("turn", [HTML, answer(200, []), answer(200, {}), answer(500, b"")])
def test_a_status_that_says_nothing_may_be_asked_again(turn: Turn) -> None:
    with scripted(turn) as server, pytest.raises(BrokenAnswer) as caught:
        client(server.url).message_status(KEY, "sms", "7")
    assert caught.value.may_retry


LISTED = {"message_id": 5120077, "status": "failed", "phone_number": PHONE, "failure_reason": "Not a user."}
NESTED = {
    "user_phone_number": PHONE,
    "created_at": "2026-05-06T08:15:21Z",
    "message_content": "Hi Mara, your visit is on Tuesday.",
    "message_status": {
        "channel_message_id": 5120077,
        "message_status": "FAILED",
        "failure_reason": "Not a user.",
    },
}


@pytest.mark.parametrize(
    "body", [{"request_id": "r", "messages": [LISTED]}, [NESTED], [NESTED, "junk", None, {}]]
)
def test_both_shapes_of_the_list_name_the_same_message(body: object) -> None:
    with scripted(answer(200, body)) as server:
        (report,) = client(server.url).recent_whatsapp(KEY)
    assert (report.message_id, report.status, report.phone) == ("5120077", "failed", PHONE)
    assert report.failure_reason == "Not a user."
    assert report.provider_id is None
    assert server.last.path == "/api/v1/whatsapp/messages?limit=100"


def test_the_nested_list_brings_the_text_and_the_time() -> None:
    with scripted(answer(200, [NESTED])) as server:
        (report,) = client(server.url).recent_whatsapp(KEY)
    assert report.text == "Hi Mara, your visit is on Tuesday."
    assert report.created_at == datetime(2026, 5, 6, 8, 15, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["No messages found.", "You do not have any message history", "Message history is empty"]
)
def test_a_refusal_for_want_of_history_is_an_empty_list(said: str) -> None:
    with scripted(answer(400, {"error_code": 1, "error": said})) as server:
        assert client(server.url).recent_whatsapp(KEY) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error_code": 6, "error": "Deprecated API Key. No messages for you"}, Unauthorised),
        ({"error_code": 1, "error": "You must supply an API key to list messages; none was found"}, Refused),
        ({"error": "Bad limit"}, Refused),
        (b"", Refused),
    ],
)
def test_any_other_refusal_of_the_list_is_not_an_empty_one(body: object, kind: type[CallFailed]) -> None:
    with scripted(answer(400, body)) as server, pytest.raises(kind):
        client(server.url).recent_whatsapp(KEY)


def test_whatsapp_templates_are_read_with_all_their_parts() -> None:
    item = {
        "template_id": 90001,
        "template_name": "visit",
        "template_body": "Hi {{1}}, your visit is on {{2}}.",
        "template_components": [
            {"type": "HEADER", "format": "TEXT", "text": "Reminder {{1}}"},
            {"type": "BODY", "text": "Hi {{1}}, your visit is on {{2}}."},
            {"type": "FOOTER", "text": "Thanks"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Open", "url": "https://x.test/{{1}}"}]},
        ],
        "template_status": "Accepted",
    }
    with scripted(answer(200, [item, {"template_name": "no id"}, "junk"])) as server:
        (template,) = client(server.url).whatsapp_templates(KEY)
    assert (template.id, template.channel, template.name, template.status) == (
        "90001",
        "whatsapp",
        "visit",
        "Accepted",
    )
    assert (template.header, template.header_format) == ("Reminder {{1}}", "TEXT")
    assert template.body == "Hi {{1}}, your visit is on {{2}}."
    assert template.footer == "Thanks"
    assert [(b.text, b.url) for b in template.buttons] == [("Open", "https://x.test/{{1}}")]


@pytest.mark.parametrize("body", ["Hi {{1}}", {"type": "BODY", "text": "Hi {{1}}"}])
def test_a_viber_body_is_text_or_a_component_and_has_no_status(body: object) -> None:
    item = {"template_id": 7, "template_name": "v", "template_body": body, "template_components": None}
    with scripted(answer(200, [item])) as server:
        (template,) = client(server.url).vbm_templates(KEY)
    assert (template.body, template.status, template.channel) == ("Hi {{1}}", None, "vbm")
    assert server.last.path == "/api/v1/vbm/templates"


def test_a_media_header_is_known_without_words() -> None:
    parts = [{"type": "header", "format": "image"}, {"type": "body", "text": "x"}]
    with scripted(answer(200, [{"template_id": 1, "template_components": parts}])) as server:
        (template,) = client(server.url).whatsapp_templates(KEY)
    assert template.needs_media
    assert template.header == ""
