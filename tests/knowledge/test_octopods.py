"""Every text and code Octopods documents finds its reason, in every shape and spelling."""

import json
from collections.abc import Callable

import pytest

from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.evidence import error_name, from_error_body, from_failure_reason
from canvas.knowledge.model import Evidence

# Octopods help, "Troubleshooting failed proactive messages", and API reference, "Message status", "Errors".
TEXTS = [
    (None, "Phone number is missing.", "missing_phone"),
    (None, "Invalid Phone number.", "invalid_phone"),
    (None, "Your Lead or User does not have a Phone Number associated with them.", "no_contact_phone"),
    (None, "Your origin sending Channel / Number is unknown to us.", "unknown_channel"),
    (None, "Deprecated API key.", "deprecated_api_key"),
    (
        None,
        "Deprecated API Key. Please go to your Octopods App, and get your new API Key",
        "deprecated_api_key",
    ),
    (None, "You must supply message_id in your request payload.", "invalid_request"),
    ("whatsapp", "recipient not on WhatsApp", "not_on_whatsapp"),
    ("whatsapp", "Recipient is not a WhatsApp user.", "not_on_whatsapp"),
    ("whatsapp", "Recipient’s phone number is not a valid WhatsApp user.", "not_on_whatsapp"),
    ("whatsapp", "Template does not exist or is not approved", "template_not_approved"),
    ("whatsapp", "Message Template does not exist.", "template_not_approved"),
    ("whatsapp", "The template is not approved for the recipient’s country.", "template_not_approved"),
    ("whatsapp", "The template was deactivated after the send was queued.", "template_paused"),
    (
        "whatsapp",
        "The 24-hour messaging window has closed (for non-template sends).",
        "reengagement_window_expired",
    ),
    ("whatsapp", "Re-engagement window expired", "reengagement_window_expired"),
    ("whatsapp", "too many requests", "rate_limited_api"),
    ("sms", "landline", "landline_or_unreachable"),
    ("sms", "unreachable", "landline_or_unreachable"),
    ("sms", "The phone number is not a valid mobile subscriber.", "landline_or_unreachable"),
    ("sms", "The carrier blocked the message for content or sender reputation reasons.", "carrier_filtered"),
    ("sms", "The recipient’s handset is out of coverage or powered off for too long.", "handset_unreachable"),
    (
        "sms",
        "The sender number is not approved to deliver to the recipient’s country.",
        "sender_id_not_allowed",
    ),
    ("sms", "Message body is empty.", "missing_content"),
    ("whatsapp", "Invalid header media URL.", "invalid_header_media"),
    ("vbm", "Invalid header media URL.", "invalid_header_media"),
    (
        "vbm",
        "The number of variables you supplied does not match the template.",
        "template_variables_mismatch",
    ),
    (None, "Variables show as {{1}}", "template_variable_blank"),
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as written": str,
    "in capitals": str.upper,
    "with straight quotes": lambda text: text.replace("’", "'"),
    "with typographic quotes": lambda text: text.replace("'", "’"),
    "without the full stop": lambda text: text.rstrip("."),
    "with spaces around": lambda text: f"  {text}\n",
    "as entities": lambda text: text.replace("’", "&rsquo;"),
    "in a body": lambda text: json.dumps({"request_id": "4b7d9e10", "error": text}),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("channel", "text", "reason"), TEXTS)
def test_a_documented_text_finds_its_reason(
    channel: str | None, text: str, reason: str, spelling: str
) -> None:
    assert diagnose(Evidence(SPELLINGS[spelling](text), channel)).reason == reason


@pytest.mark.parametrize("nothing", [None, "", {}])
def test_a_failure_reason_that_says_nothing_is_no_evidence(nothing: object) -> None:
    assert from_failure_reason(nothing, "whatsapp") is None


@pytest.mark.parametrize(
    ("channel", "value", "reason"),
    [
        ("whatsapp", "Recipient is not a WhatsApp user.", "not_on_whatsapp"),
        ("whatsapp", {"code": 470, "title": "Re-engagement window expired"}, "reengagement_window_expired"),
        ("whatsapp", {"code": "131056", "title": ""}, "pair_rate_limited"),
        ("whatsapp", {"code": 131049}, "marketing_limit_ecosystem"),
        ("sms", {"code": 21610, "title": "Attempt to send to unsubscribed recipient"}, "recipient_opted_out"),
        ("whatsapp", {"title": "Something nobody has ever seen"}, "unknown"),
        ("whatsapp", ["odd"], "unknown"),
        ("whatsapp", 7, "unknown"),
    ],
)
def test_every_shape_of_a_failure_reason_is_read(channel: str, value: object, reason: str) -> None:
    evidence = from_failure_reason(value, channel)
    assert evidence is not None
    assert diagnose(evidence).reason == reason


@pytest.mark.parametrize(
    ("channel", "code", "error", "reason"),
    [
        ("whatsapp", 1, "You must supply message_id in your request payload.", "invalid_request"),
        ("whatsapp", 1, "You must supply destination_phone in your request payload.", "missing_phone"),
        ("whatsapp", 2, "Wrong type.", "invalid_request"),
        ("sms", 2, "Message body is empty.", "missing_content"),
        ("sms", 2, "Nothing we know.", "missing_content"),
        ("whatsapp", 3, "Message Template does not exist.", "template_not_approved"),
        ("vbm", 3, "?", "template_not_approved"),
        ("whatsapp", 4, "?", "template_variables_mismatch"),
        ("whatsapp", 5, "?", "invalid_phone"),
        ("sms", 3, "?", "invalid_phone"),
        ("vbm", 5, "?", "invalid_phone"),
        (
            "whatsapp",
            6,
            "Deprecated API Key. Please go to your Octopods App, and get your new API Key",
            "deprecated_api_key",
        ),
        ("sms", 5, "Deprecated API key.", "deprecated_api_key"),
        ("sms", 4, "The message From/To pair violates a blacklist rule.", "recipient_opted_out"),
        (
            "sms",
            4,
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
            "region_not_enabled",
        ),
        ("whatsapp", 7, "(#131047) Re-engagement message", "reengagement_window_expired"),
        ("whatsapp", 8, "?", "invalid_header_media"),
        ("vbm", 8, "?", "invalid_header_media"),
        ("whatsapp", 9, "?", "template_variables_mismatch"),
        ("whatsapp", 10, "?", "invalid_request"),
        ("telegram", 3, "?", "unknown"),
    ],
)
def test_an_error_code_means_what_its_family_says(channel: str, code: int, error: str, reason: str) -> None:
    body = json.dumps(
        {"request_id": "4b7d9e10-0000-4000-8000-abcdefabcdef", "error_code": code, "error": error}
    )
    assert diagnose(from_error_body(body, channel, 400)).reason == reason


def test_the_same_number_has_another_name_in_another_family() -> None:
    assert error_name("sms", 3) == "PHONE_INVALID"
    assert error_name("whatsapp", 3) == "TEMPLATE_NOT_EXIST"
    assert error_name("telegram", 3) is None


@pytest.mark.parametrize(
    "body", ["", "<html><h1>Oops</h1></html>", "null", "[1]", '{"error_code": true}', "\x00"]
)
def test_an_error_body_of_no_known_shape_is_kept_and_unknown(body: str) -> None:
    evidence = from_error_body(body, "whatsapp", 500)
    assert evidence.text == body
    assert diagnose(evidence).reason == "unknown"


def test_the_sentence_of_an_error_is_taken_out_of_its_envelope_whatever_its_number() -> None:
    body = '{"error":"SRVC_NOT_VIBER_USER","error_code":7,"request_id":"4b7d9e10"}'
    evidence = from_error_body(body, "vbm", 400)
    assert evidence.text == "SRVC_NOT_VIBER_USER"
    assert diagnose(evidence).reason == "not_on_viber"


def test_too_many_requests_is_known_by_its_status_alone() -> None:
    assert diagnose(from_error_body("", "sms", 429)).reason == "rate_limited_api"
    assert diagnose(Evidence(text="Computer says no", http_status=429)).reason == "rate_limited_api"
    assert (
        diagnose(Evidence(text="Not enough credit on the account", http_status=429)).reason
        == "insufficient_balance"
    )
