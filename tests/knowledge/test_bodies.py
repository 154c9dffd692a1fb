"""Bodies as they really arrive: objects as programs print them, bodies cut off, receipts, and traces of programs."""

import json
from collections.abc import Callable, Mapping

import pytest

from canvas.knowledge import extract
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Evidence

REPLY = {"status": 400, "code": 21610, "message": "Attempt to send to unsubscribed recipient"}


def as_javascript(body: Mapping[str, object]) -> str:
    """As Node.js prints an object."""
    return "{\n" + "".join(f"  {name}: {value!r},\n" for name, value in body.items()) + "}"


def as_ruby(body: Mapping[str, object]) -> str:
    """As Ruby prints a hash."""
    return "{" + ", ".join(f'"{name}"=>{json.dumps(value)}' for name, value in body.items()) + "}"


def as_elixir(body: Mapping[str, object]) -> str:
    """As Elixir prints a map in a tuple."""
    return (
        "{:error,\n %{\n" + ",\n".join(f'   "{n}" => {json.dumps(v)}' for n, v in body.items()) + "\n }, 400}"
    )


SPELLINGS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "JSON": json.dumps,
    "Python": repr,
    "Ruby": as_ruby,
    "JavaScript": as_javascript,
    "Elixir": as_elixir,
    "cut": lambda body: json.dumps({"error": body, "more": "x" * 40})[:-9],
    "in a log line": lambda body: f"2026-11-20 10:22:31 ERROR sms.send - Response: {body!r}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_object_is_read_however_a_program_prints_it(spelling: str) -> None:
    reading = extract.read(SPELLINGS[spelling](REPLY))
    assert REPLY["message"] in reading.sentences
    assert "21610" in reading.sure_codes


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_its_code_means_what_its_provider_says(spelling: str) -> None:
    body = {"status": 400, "code": 63016, "message": "Failed"}
    found = diagnose(Evidence(SPELLINGS[spelling](body), "whatsapp", "twilio"))
    assert (found.reason, found.code) == ("reengagement_window_expired", "63016")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ error: Error: '12' is not a valid phone number", "'12' is not a valid phone number"),
        ("{'payload': 'ErrorMessage=No+credit&To=%2B353'}", "No credit"),
        ("Template {{1}} in body: 'x' is missing", "Template {{1}} in body: 'x' is missing"),
        ("Msg{error=Err{text='No credit', n=2}}", "No credit"),
        ("{'error': \"Isn’t it\", 'to': None}", "Isn’t it"),
        ("{error: Recipient isn't here}", "Recipient isn't here"),
        ("{status: 400} Person unsubscribed: 21610", "Person unsubscribed: 21610"),
        ("{text=Person replied 'STOP', cannot send, code=5}", "replied 'STOP', cannot send"),
        ("Array\n(\n    [message] => Failed:\nNo credit\n    [x] => 1\n)\n", "No credit"),
        ('{"error": "No credit", "error": "Try again"}', "No credit"),
        ('{"status": "queued"}\n' * 30 + "No credit", "No credit"),
        ("<r><message><![CDATA[No credit]]></message></r>", "No credit"),
    ],
)
def test_nothing_said_in_a_broken_body_is_lost(text: str, said: str) -> None:
    assert any(said in sentence for sentence in extract.read(text).sentences)


@pytest.mark.parametrize(
    "text",
    [
        "Message not delivered: rejected at carrier (recipient opted out, error:21610)",
        "look at the (unsubscribed list:2)",
        "{status: 400} Recipient unsubscribed: message was not delivered to this number",
        '{"status": 400, "message": "Recipient unsubscribed: cannot deliver messages to this number',
        "[warn: x] Message blocked by sender: opted-out {}",
        "{code: 1} reply from: unsubscribed",
        "{message=User replied 'STOP', cannot send, code=5}",
        'Traceback\n    File "/a/b.py", line 3, in send\n    TwilioException: recipient unsubscribed',
        '{"errors": [{"code": 30008}, {"code": 21610}]}',
        '{"errors": [{"code": 30001, "message": "Queue overflow"}, {"code": "21610"}]}',
        '{"eventType": "OPT_OUT", "status": "failed"}',
        "<r><status>failed</status><optedOut>true</optedOut></r>",
        '{"deliveryErrorCode": "SMS-RC-413", "to": [{"phoneNumber": "+1650513XXXX"}], "messageStatus": "x", ...',
    ],
)
def test_an_opt_out_is_heard_in_any_body(text: str) -> None:
    assert (
        diagnose(Evidence(text, "sms", "ringcentral" if "SMS-RC" in text else "twilio")).reason == OPTED_OUT
    )


@pytest.mark.parametrize("flag", ["false", '"false"', "0", '"No"'])
def test_who_did_not_opt_out_is_not_heard_as_one(flag: str) -> None:
    body = f'{{"opted_out": {flag}, "is_unsubscribed": {flag}, "status": "failed"}}'
    assert diagnose(Evidence(body, "sms", "twilio")).reason != OPTED_OUT


def test_whatsapps_answer_about_a_contact_is_read() -> None:
    """Of the on-premises API: a contact that is "invalid" has no WhatsApp (its reference, "Check Contacts")."""
    text = '{"contacts": [{"input": "+49 1511 2345678", "status": "invalid"}]}'
    assert diagnose(Evidence(text, "whatsapp")).reason == "not_on_whatsapp"
    assert diagnose(Evidence(text.replace("invalid", "valid"), "whatsapp")).reason == "unknown"
    assert diagnose(Evidence(text.replace("invalid", "processing"), "whatsapp")).reason == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        '{"message": "Validation failed", "errors": [{"input": "template_id", "status": "invalid"}]}',
        '{"field": "header", "input": "image", "status": "invalid"}',
        '{"input": "invalid", "status": "error", "message": "x"}',
    ],
)
def test_another_input_that_is_invalid_says_nothing_of_the_contact(text: str) -> None:
    assert diagnose(Evidence(text, "whatsapp")).reason != "not_on_whatsapp"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{status: 400, message: '(#131026) Message undeliverable'}", "not_on_whatsapp"),
        (
            '{"status": 400, "error": {"message": "(#131047) x", "code": 131047}}',
            "reengagement_window_expired",
        ),
        ('{"status": 200, "data": {"error": {"code": 131026}}}', "not_on_whatsapp"),
        ('ClientDeliveryError: 400 {"error": {"code": 131031, "message": "locked"}}', "account_suspended"),
    ],
)
def test_what_a_web_server_thought_comes_after_what_the_provider_says(text: str, reason: str) -> None:
    assert diagnose(Evidence(text, "whatsapp", "meta")).reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "Expired",
        '{"status": "EXPIRED"}',
        "id=ATXid_dda018a640edfcc5d2ce455de3e4a6e7&status=Expired",
        '{"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "deliveryStatus": "expired"}',
    ],
)
def test_a_state_that_is_all_there_is_means_what_providers_agree_on(text: str) -> None:
    assert diagnose(Evidence(text, "sms")).reason == "message_expired"
    assert (
        diagnose(Evidence(text.replace("xpired", "rror").replace("XPIRED", "RROR"), "sms")).reason
        == "unknown"
    )


def test_a_list_that_is_none_keeps_its_code() -> None:
    text = '{"status": [ "code": 401, "description": "x" ] }'
    assert diagnose(Evidence(text, "vbm", "viber_business")).code == "401"


def test_a_body_with_much_in_it_is_read_to_its_error() -> None:
    status = {
        "id": "wamid.X",
        "status": "failed",
        "conversation": {"id": "c", "origin": {"type": "utility"}},
        "pricing": {"billable": True, "pricing_model": "CBP", "category": "utility"},
        "errors": [{"title": "x", "message": "x", "error_data": {"details": "Recipient is not on WhatsApp"}}],
    }
    value = {"messaging_product": "whatsapp", "contacts": [{"profile": {"name": "A"}}], "statuses": [status]}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"value": value}]}]}
    for text in (json.dumps(body), repr(body), json.dumps(body)[:-6]):
        assert diagnose(Evidence(text, "whatsapp")).reason == "not_on_whatsapp"


def test_who_it_was_sent_to_is_no_part_of_a_reason() -> None:
    assert extract.read("{from: '30240', to: '3538XXX', error: 'No credit'}").sentences == ["No credit"]


RECEIPT = "id:1 sub:001 dlvrd:000 submit date:2611260102 done date:2611260103 "


@pytest.mark.parametrize(
    ("text", "error", "sentences"),
    [
        (RECEIPT + "stat:REJECTD err:025 Blacklisted MSISDN", "025", ["Blacklisted MSISDN"]),
        (RECEIPT + "stat:REJECTD err:025 text:Blacklisted", "025", []),
        (RECEIPT + "stat:REJECTD err:025", "025", []),
        (RECEIPT + "stat:REJECTD err:-1 text:Reply STOP", "-1", []),
        (RECEIPT + "stat:REJECTD, err:001, text:You have unsubscribed", "001", []),
        (RECEIPT + "stat:REJECTD error:001 text:Reply STOP", "001", []),
        ("Number blocked. " + RECEIPT + "stat:REJECTD", "", ["Number blocked."]),
    ],
)
def test_a_receipt_says_what_stands_around_it_but_the_message(
    text: str, error: str, sentences: list[str]
) -> None:
    reading = extract.read(text)
    assert (reading.codes, reading.receipt_error, reading.sentences) == (["REJECTD"], error, sentences)


@pytest.mark.parametrize(
    ("provider", "state", "error", "reason"),
    [
        ("8x8", "UNDELIV", "024", "recipient_account_restricted"),
        ("vonage", "UNDELIV", "006", "carrier_filtered"),
        ("infobip", "UNDELIV", "027", "handset_unreachable"),
        ("smpp", "UNDELIV", "011", "landline_or_unreachable"),
        ("smpp", "FAILED", "011", UNKNOWN),
        (None, "FAILED", "011", UNKNOWN),
    ],
)
def test_the_error_of_a_receipt_is_a_number_of_whoever_sent_it(
    provider: str | None, state: str, error: str, reason: str
) -> None:
    found = diagnose(Evidence(f"{RECEIPT}stat:{state} err:{error} text:Hello", "sms", provider))
    assert found.reason == reason


TRACES = {
    "JavaScript": "Error: rate limit reached\n    at Object.send (/app/lib/wa.js:56:15)\n    at async /app/i.js:1:2",
    "one line of it": "rate limit reached at new Foo (file:///x/y.js:9:1) at process.tick (node:internal/x:105:5)",
    "Java": "rate limit reached\n\tat com.example.sms.Util.send(Util.java:282)\n\tat x.y.Z.<init>(Native Method)",
    "Python": 'File "/opt/app/tasks.py", line 498, in send\n    api.send(number)\nrate limit reached',
    "PHP": "rate limit reached #0 /var/www/sms.php(12): Sms->send('x') #1 /var/www/i.php(3): main()",
}


@pytest.mark.parametrize("language", TRACES)
def test_where_a_program_stood_is_no_part_of_a_reason(language: str) -> None:
    (said,) = extract.read(TRACES[language]).sentences
    assert "rate limit reached" in said
    assert not any(part in said for part in ("at ", "send", "/", "#"))


def test_where_nothing_but_places_is_said_they_are_kept() -> None:
    assert extract.read("at Object.send (/app/lib/wa.js:56:15)").sentences == [
        "at Object.send (/app/lib/wa.js:56:15)"
    ]


def test_a_code_may_end_a_name() -> None:
    assert diagnose(Evidence("WHATSAPP_API_REJECTED_131026", "whatsapp", "meta")).reason == "not_on_whatsapp"
