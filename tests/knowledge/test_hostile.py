"""Whatever a text is made of, the answer comes quickly and is an honest one."""

import json

import pytest

from canvas.knowledge import codes_table, extract
from canvas.knowledge.catalogue import load
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import OPTED_OUT, Evidence
from canvas.knowledge.tokens import key_of

HUNDRED_KB = 100_000
NESTED = "[" * 50_000 + "]" * 50_000
HOSTILE = {
    "empty": "",
    "spaces": " \t\r\n" * 25_000,
    "one letter": "a" * HUNDRED_KB,
    "words": "not " * 25_000,
    "quotes": "'\"" * 50_000,
    "brackets": "(" * HUNDRED_KB,
    "opening tags": "<" * HUNDRED_KB,
    "half a tag": "<a " * 33_000,
    "open scripts": "<script>" * 12_500,
    "digits": "1" * HUNDRED_KB,
    "numbers": "error code 1 " * 7_000,
    "labels": "code:" * 20_000,
    "a form": "a=b&" * 25_000,
    "half a form": "a=" * 50_000,
    "braces": "{" * HUNDRED_KB,
    "half an object": '{"a":' * 20_000,
    "lists": NESTED,
    "objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "escaped": '\\"' * 50_000,
    "json in json": json.dumps({"error": json.dumps({"error": json.dumps({"error": "x" * HUNDRED_KB})})}),
    "a wide object": json.dumps({f"key {number}": "value" for number in range(5_000)}),
    "entities": "&lt;" * 25_000,
    "underscores": "A_" * 50_000,
    "hyphens": "a-" * 50_000,
    "receipts": "stat:" * 20_000,
    "urls": "http://" * 14_000,
    "NUL": "\x00" * HUNDRED_KB,
    "lone surrogates": "\ud800" * HUNDRED_KB,
    "invalid UTF-8": bytes(range(256)).decode("utf-8", "surrogateescape") * 390,
    "joined scripts": "号码" * 50_000,
    "combining marks": "e\u0301" * 50_000,
    "dots": "." * (HUNDRED_KB // 5 - 1) + "a",
    "an Arabic prefix": "و" * 20_000,
    "bytes as text": r"\xd8" * 25_000,
    "half an escape": r"\u0" * 30_000,
    "open members": '{a:"' * 25_000,
    "members in both quotes": "{a:'b:\"" * 14_000,
    "names without values": "{" + "a-" * 50_000,
    "half a frame": "at a (" * 16_000,
    "frames": "at a.b(C.java:1) " * 6_000,
    "half a Python frame": 'File "a", line 1, in ' * 5_000,
    "half a PHP frame": "#1 /a(1): " * 10_000,
    "a number that is no letter": "&#" + "9" * 5_000 + ";",
    "all the letters of a script": "".join(chr(0x4E00 + n) for n in range(19_000)),
    "an array that only ends": "x] => y\n)\n" * 10_000,
    "arrays in arrays": "[a] => Array\n(\n" * 7_000,
    "elements": "<b>1</b>" * 12_000,
    "names of elements": ("<" + "a" * 59 + ">") * 1_600,
    "prefixes": "user is blocked: " * 6_000,
    "ten megabytes": "zz top " * 1_500_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_made_to_hurt_is_answered(name: str) -> None:
    assert diagnose(Evidence(HOSTILE[name])).confidence <= 1


def test_what_stands_before_a_title_is_looked_through_a_few_times_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def counted(text: str) -> str:
        seen.append(text)
        return key_of(text)

    monkeypatch.setattr(codes_table, "key_of", counted)
    assert load().codes.titled_behind(HOSTILE["prefixes"], "twilio") == []
    assert len(seen) <= 5


@pytest.mark.parametrize(
    "name", ["empty", "spaces", "one letter", "brackets", "braces", "lists", "NUL", "lone surrogates"]
)
def test_a_text_that_says_nothing_is_unknown(name: str) -> None:
    assert diagnose(Evidence(HOSTILE[name])).reason == "unknown"


@pytest.mark.parametrize("text", ["", " \n", "\x00\ufffd", "1234"])
def test_where_nothing_is_said_nothing_is_proposed(text: str) -> None:
    assert diagnose(Evidence(text)).candidates == ()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_is_bounded_by_what_is_read(name: str) -> None:
    reading = extract.read(HOSTILE[name])
    assert len(reading.sentences) <= 200
    assert len(reading.codes) <= 200
    assert sum(map(len, reading.sentences)) <= 5 * extract.LONGEST


def test_what_stands_at_the_beginning_of_a_long_text_is_read() -> None:
    assert (
        diagnose(Evidence("Recipient is not a WhatsApp user." + " trace" * 300_000, "whatsapp")).reason
        == "not_on_whatsapp"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Service unavailable. Recipient opted out.",
        "Try again later: the user has unsubscribed",
        '{"code": 30008, "message": "Unknown error, recipient replied STOP"}',
        "Attempt to send to unsubscribed recipient (rate limit hit)",
    ],
)
def test_a_sign_of_an_opt_out_wins_over_everything(text: str) -> None:
    assert diagnose(Evidence(text, "sms", "twilio")).reason == OPTED_OUT


@pytest.mark.parametrize(
    "text",
    ["30003", "131026", "1", "code 58", "error 500", '{"code": 7}', "(402)"],
)
def test_a_bare_number_is_never_looked_up_without_knowing_whose_it_is(text: str) -> None:
    assert diagnose(Evidence(text, "sms")).reason == "unknown"


def test_a_code_without_end_is_no_number() -> None:
    assert diagnose(Evidence("x", "sms", "smpp", "9" * 5_000)).code == "9" * 64


@pytest.mark.parametrize("letter", ["น", "จ", "ก"])
def test_a_letter_said_again_and_again_says_nothing(letter: str) -> None:
    assert diagnose(Evidence(letter * 12, "sms")).reason == "unknown"


def test_bodies_inside_bodies_may_hold_escaped_letters() -> None:
    inner = json.dumps({"message": "número", "code": 131026})
    for body in (inner, json.dumps({"f": inner}), json.dumps({"f": json.dumps({"g": inner})})):
        assert diagnose(Evidence(body, "whatsapp", "meta")).reason == "not_on_whatsapp"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status: undelivered\nerror_code: 63016\nto: x", "63016"),
        ('[Hook - Twilio] failed: {"code": 63016, "message": "x"}', "63016"),
        ("`63016` | x", "63016"),
        ("Status: 400 - ApiError 21910: x", "21910"),
        ("jsmpp: Negative response 00000058 found", "0x00000058"),
    ],
)
def test_codes_are_found_however_they_are_written(text: str, said: str) -> None:
    assert said in extract.read(text).codes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"error": {"to": "invalid number"}}', "to invalid number"),
        ('<call id="1" answer="No credit left" />', "answer No credit left"),
        (r"b'\xd8\xa7\xd8\xb3\xd8\xaa'", "b'است'"),
        (r"\ud55c\uad6d", "한국"),
        (
            '{"error": {"message": "Nothing said", "stack": "a/throttle.js", "fbtrace_id": "Expired"}}',
            "Nothing said",
        ),
    ],
)
def test_words_are_found_wherever_they_stand(text: str, said: str) -> None:
    assert extract.read(text).sentences == [said]


@pytest.mark.parametrize(
    "text",
    [
        "Recipient has opted out. id:123 sub:001 submit date:2611260102 stat:EXPIRED err:001 text:hi",
        json.dumps(
            {
                "errors": [f"Line {n} is temporarily unavailable" for n in range(14)]
                + ["Recipient has unsubscribed (STOP)"]
            }
        ),
    ],
)
def test_an_opt_out_is_heard_wherever_it_is_said(text: str) -> None:
    assert diagnose(Evidence(text, "sms", "smpp")).reason == OPTED_OUT
