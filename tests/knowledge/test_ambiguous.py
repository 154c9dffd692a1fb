"""Where a code or a text stands for several causes, they are told in order, each with a cheap test."""

import pytest

from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Evidence


@pytest.mark.parametrize(
    ("evidence", "first", "second"),
    [
        (
            Evidence("(#131026) Message undeliverable", "whatsapp"),
            "not_on_whatsapp",
            "recipient_device_unsupported",
        ),
        (
            Evidence("Unreachable destination handset", "sms", "twilio", "30003"),
            "handset_unreachable",
            "landline_or_unreachable",
        ),
        (Evidence("unreachable", "sms"), "landline_or_unreachable", "handset_unreachable"),
        (Evidence("(#132012) Mismatch", "whatsapp"), "template_parameter_invalid", "invalid_header_media"),
        (
            Evidence("(#131053) Media upload error", "whatsapp"),
            "invalid_header_media",
            "media_unsupported_type",
        ),
    ],
)
def test_the_likeliest_comes_first_and_each_candidate_has_its_test(
    evidence: Evidence, first: str, second: str
) -> None:
    found = diagnose(evidence)
    assert found.reason == first
    assert found.candidates[0].reason == first
    assert second in [candidate.reason for candidate in found.candidates[1:]]
    assert all(candidate.test for candidate in found.candidates)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"error":{"code":132012,"message":"(#132012) Parameter format does not match format in the created '
            'template",'
            '"error_data":{"details":"header: Format mismatch, expected IMAGE, received UNKNOWN"}}}',
            "invalid_header_media",
        ),
        (
            '{"error":{"code":131053,"message":"(#131053) Media upload error",'
            '"error_data":{"details":"Unsupported Image mime type image/webp"}}}',
            "media_unsupported_type",
        ),
        (
            '{"error":{"message":"(#100) Invalid parameter","code":100,"error_data":{"messaging_product":"whatsapp",'
            '"details":"Parameter of type text is missing text value"}}}',
            "template_variable_blank",
        ),
        ("(#10) This message is sent outside of allowed window.", "reengagement_window_expired"),
    ],
)
def test_the_details_beat_the_title(text: str, reason: str) -> None:
    assert diagnose(Evidence(text, "whatsapp")).reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("error 12", "duplicate_message"),
        ("error 4", "unsupported_message_type"),
        ("14 rejected", "insufficient_balance"),
        ("SRVC error 8", "recipient_blocked_business"),
        ("12 Rate limit exceeded", "rate_limited_api"),
        ("error 8", "recipient_blocked_business"),
        ("status 8: public account not found", "unknown_channel"),
    ],
)
def test_where_two_services_use_a_number_the_words_tell_whose_it_is(text: str, reason: str) -> None:
    assert diagnose(Evidence(text, "vbm", "viber")).reason == reason


@pytest.mark.parametrize(
    ("text", "channel", "provider", "impossible"),
    [
        ("Message undeliverable", "sms", "twilio", "not_on_whatsapp"),
        ("102 Absent Subscriber", "sms", "firetext", "not_on_whatsapp"),
        ("The number has no account here", "sms", None, "not_on_viber"),
        ("Too many marketing messages for this person", "sms", None, "marketing_limit_ecosystem"),
        ("The window for free messages is closed", "sms", None, "reengagement_window_expired"),
    ],
)
def test_what_cannot_be_on_a_channel_is_not_told_of_it(
    text: str, channel: str, provider: str | None, impossible: str
) -> None:
    found = diagnose(Evidence(text, channel, provider))
    assert impossible not in [found.reason, *(candidate.reason for candidate in found.candidates)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Sending messages to this user is blocked.", "recipient_blocked_business"),
        ("Failed", "unknown_channel"),
    ],
)
def test_a_strange_provider_may_count_for_itself(message: str, reason: str) -> None:
    """Its number is looked up in the table of the service its text names, unless its words clearly differ."""
    body = f'{{"type": "viber", "error": {{"code": 2, "message": "{message}"}}}}'
    assert diagnose(Evidence(body, "vbm", "somebody")).reason == reason


def test_the_names_of_fields_do_not_overrule_a_code() -> None:
    to = '"to":[{"phoneNumber":"+1650513XXXX"}]'
    body = f'{{{to},"messageStatus":"SendingFailed","deliveryErrorCode":"SMS-CAR-412"}}'
    assert diagnose(Evidence(body, "sms", "ringcentral")).reason == "handset_unreachable"


@pytest.mark.parametrize(
    "text",
    [
        "There is no known subscriber assigned to that mobile number, or it is no longer assigned to a user.",
        "isv.PRODUCT_UNSUBSCRIBE Product not activated.",
        "Rejected because of DND hours",
    ],
)
def test_not_every_subscriber_or_dnd_is_an_opt_out(text: str) -> None:
    assert diagnose(Evidence(text, "sms")).reason != OPTED_OUT


@pytest.mark.parametrize(
    ("text", "channel", "provider", "reason"),
    [
        ('{"errors": [{"code": 131016}, {"code": 131026}]}', "whatsapp", "meta", "not_on_whatsapp"),
        ('{"errors": [{"code": 131026}, {"code": 131016}]}', "whatsapp", "meta", "not_on_whatsapp"),
        ('{"errors": [{"code": 80007}, {"code": 131031}]}', "whatsapp", "meta", "account_suspended"),
        ('{"errors": [{"code": 30001}, {"code": 21211}]}', "sms", "twilio", "invalid_phone"),
    ],
)
def test_of_two_codes_the_one_that_lasts_is_told(text: str, channel: str, provider: str, reason: str) -> None:
    """The other one would open a plain retry, which cannot help."""
    assert diagnose(Evidence(text, channel, provider)).reason == reason


def test_a_number_alone_is_a_code_where_its_provider_is_known() -> None:
    assert diagnose(Evidence("131026", "whatsapp", "meta")).code == "131026"
    assert diagnose(Evidence(" 30005\n", "sms", "twilio")).code == "30005"
    assert diagnose(Evidence("30005", "sms")).reason == UNKNOWN
    assert diagnose(Evidence("0", "whatsapp", "meta")).reason == UNKNOWN
    assert diagnose(Evidence("30005", "sms", "somebody")).reason == UNKNOWN
