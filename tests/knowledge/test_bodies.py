"""Bodies as they really arrive: objects as programs print them, bodies cut off, receipts, and traces of programs."""

import json

import pytest

from canvas.knowledge import extract
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import Evidence

REPLY = {"status": 400, "code": 21610, "message": "Attempt to send to unsubscribed recipient"}


def as_javascript(body: dict) -> str:
    """As Node.js prints an object."""
    return "{\n" + "".join(f"  {name}: {value!r},\n" for name, value in body.items()) + "}"


def as_ruby(body: dict) -> str:
    """As Ruby prints a hash."""
    return "{" + ", ".join(f'"{name}"=>{json.dumps(value)}' for name, value in body.items()) + "}"


def as_elixir(body: dict) -> str:
    """As Elixir prints a map in a tuple."""
    return (
        "{:error,\n %{\n" + ",\n".join(f'   "{n}" => {json.dumps(v)}' for n, v in body.items()) + "\n }, 400}"
    )


SPELLINGS = {
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
        ("x {to: 'must be a mobile number'}", "to must be a mobile number"),
        ("{'payload': 'ErrorMessage=No+credit&To=%2B353'}", "No credit"),
        ("Template {{1}} in body: 'x' is missing", "Template {{1}} in body: 'x' is missing"),
        ('{"message": "It\'s cut he', '{"message": "It\'s cut he'),
    ],
)
def test_nothing_said_in_a_broken_body_is_lost(text: str, said: str) -> None:
    assert any(said in sentence for sentence in extract.read(text).sentences)


def test_who_it_was_sent_to_is_no_part_of_a_reason() -> None:
    assert extract.read("{from: '30240', to: '3538XXX', error: 'No credit'}").sentences == ["No credit"]


RECEIPT = "id:1 sub:001 dlvrd:000 submit date:2611260102 done date:2611260103 "


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (RECEIPT + "stat:REJECTD err:025 Blacklisted MSISDN", ["Blacklisted MSISDN"]),
        (RECEIPT + "stat:REJECTD err:025 text:Blacklisted", []),
        (RECEIPT + "stat:REJECTD err:025", []),
        ("Number blocked. " + RECEIPT + "stat:REJECTD", ["Number blocked."]),
    ],
)
def test_a_receipt_says_what_stands_around_it_but_the_message(text: str, sentences: list[str]) -> None:
    reading = extract.read(text)
    assert (reading.codes, reading.sentences) == (["REJECTD"], sentences)


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
