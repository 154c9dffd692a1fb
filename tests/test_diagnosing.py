"""What the install's own messages tell, and what its admin may teach it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from canvas.flows import diagnosing
from canvas.knowledge.shape import shape
from canvas.sandbox.octopods import keys
from canvas.store import unknown
from canvas.store.database import reading
from tests.desk import Desk

OUTAGE = "The recipient’s handset is out of coverage or powered off for too long."


def track(desk: Desk, number: int, to: str, **report: Any) -> None:
    body = {
        "channel": "sms",
        "message_id": number,
        "destination_phone": to,
        "body": "Hi",
        "contact_id": to,
        **report,
    }
    assert desk.gateway("/track", body, keys.SMS).status_code == 201


def fails(desk: Desk, number: int, to: str, reason: Any) -> None:
    track(desk, number, to, status="failed", failure_reason=reason)
    desk.clock.advance(60)


REFUSED_ON_WHATSAPP = {"code": 131050, "title": "User has stopped marketing messages"}
# The two shapes in which Octopods lists a sent message ("Listing Sent Messages").
LISTED = [
    {
        "message_id": 5120077,
        "status": "failed",
        "phone_number": "46701740690",
        "failure_reason": REFUSED_ON_WHATSAPP,
    },
    {
        "user_phone_number": "46701740690",
        "created_at": "2026-11-23T13:00:00Z",
        "message_content": "Hi",
        "message_status": {
            "channel_message_id": 5120077,
            "message_status": "FAILED",
            "failure_reason": REFUSED_ON_WHATSAPP,
        },
    },
]


@pytest.mark.parametrize("item", LISTED)
def test_an_item_of_octopods_list_is_tracked_as_it_came(desk: Desk, item: dict[str, Any]) -> None:
    desk.connect()
    told = desk.gateway("/track", item, keys.WHATSAPP).get_json()
    assert (told["message_id"], told["status"]) == ("5120077", "failed")
    assert told["destination_phone"] == "+46701740690"
    assert told["diagnosis"]["reason"] == "recipient_opted_out"


UNNAMED = {
    "destination_phone": "+46701740690",
    "body": "Hi",
    "contact_id": "c1",
    "status": "failed",
    "failure_reason": OUTAGE,
}


def told(desk: Desk, **changes: Any) -> str:
    """Our id of a message that is told of without Octopods' id."""
    answer = desk.gateway("/track", {**UNNAMED, **changes}, keys.SMS)
    assert answer.status_code == 201
    return str(answer.get_json()["id"])


def test_what_is_told_twice_without_an_id_is_one_message_be_it_at_once(both_desk: Desk) -> None:
    both_desk.connect()
    with ThreadPoolExecutor(6) as hands:
        ids = set(hands.map(lambda _: told(both_desk), range(6)))
    both_desk.clock.advance(540)
    assert {*ids, told(both_desk)} == ids
    assert len(ids) == 1


@pytest.mark.parametrize("same", [{}, {"destination_phone": None}])
def test_what_is_told_twice_at_once_by_its_id_is_one_message(both_desk: Desk, same: dict[str, Any]) -> None:
    both_desk.connect()
    gate = Barrier(6)

    def tell(_: int) -> str:
        gate.wait()
        return told(both_desk, message_id=7, **same)

    with ThreadPoolExecutor(6) as hands:
        assert len(set(hands.map(tell, range(6)))) == 1


def test_two_failures_with_a_new_text_at_once_are_both_kept_and_counted(both_desk: Desk) -> None:
    both_desk.connect()
    gate = Barrier(6)

    def tell(number: int) -> str:
        gate.wait()
        return told(both_desk, message_id=number, failure_reason="Flux 77 ebbed")

    with ThreadPoolExecutor(6) as hands:
        assert len(set(hands.map(tell, range(1, 7)))) == 6
    with reading(both_desk.flow.engine) as conn:
        assert [shape.count for shape in unknown.listed(conn, 1)] == [6]


@pytest.mark.parametrize(
    "other",
    [
        {"body": "Hello"},
        {"contact_id": "c2"},
        {"destination_phone": "+46701740691"},
        {"failure_reason": "Unknown subscriber"},
        {"status": "sent", "failure_reason": None},
        {"channel_message_id": "SM2"},
        {"message_id": 7},
    ],
)
def test_what_says_anything_else_is_a_message_of_its_own(desk: Desk, other: dict[str, Any]) -> None:
    desk.connect()
    first = told(desk)
    assert told(desk, **other) != first


def test_the_same_failure_another_day_is_another_message(desk: Desk) -> None:
    desk.connect()
    first = told(desk)
    desk.clock.advance(24 * 3600)
    assert told(desk) != first


@pytest.mark.parametrize("phone", [{"a": 1}, ["+46701740690"], 46701740690, True])
def test_a_number_that_is_not_text_is_refused_and_nothing_is_stored(desk: Desk, phone: Any) -> None:
    desk.connect()
    answer = desk.gateway("/track", {"message_id": 1, "destination_phone": phone}, keys.SMS)
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 1)
    assert "No failed messages" in desk.initialize(phone="+46701740690").words


@pytest.mark.parametrize(
    "body",
    [
        {"text": REFUSED_ON_WHATSAPP, "channel": "whatsapp"},
        {"text": {"title": "Recipient is not a WhatsApp user."}},
        {"text": {"code": 470}, "channel": "whatsapp", "code": 131050, "provider": "meta"},
    ],
)
def test_a_failure_reason_is_diagnosed_in_the_shape_it_came(desk: Desk, body: dict[str, Any]) -> None:
    desk.connect()
    told = desk.gateway("/diagnose", body, keys.SMS).get_json()
    assert told["reason"] in ("recipient_opted_out", "not_on_whatsapp")


def test_what_keeps_failing_for_one_person_while_others_get_through_is_a_recipient_problem(
    desk: Desk,
) -> None:
    desk.connect()
    track(desk, 1, "+46701740691", status="delivered")
    for number in (2, 3):
        fails(desk, number, "+46701740690", OUTAGE)
    assert [b for b in desk.initialize("+46701740690").buttons if b.startswith("Send again")]
    fails(desk, 4, "+46701740690", OUTAGE)
    screen = desk.initialize("+46701740690")
    assert "while others get through" in screen.words
    assert not [b for b in screen.buttons if b.startswith("Send again")]
    assert "Correct the number" in desk.click(screen, "Details").buttons


def test_an_outage_that_hits_everybody_stays_an_outage(desk: Desk) -> None:
    desk.connect()
    for number in range(1, 5):
        fails(desk, number, "+46701740690", OUTAGE)
    desk.clock.advance(3600)
    assert "Send again" in desk.initialize("+46701740690").buttons


def test_one_cause_that_hits_many_people_is_told_as_one_problem(desk: Desk) -> None:
    desk.connect()
    for number in range(6):
        fails(desk, number + 1, f"+4670174069{number}", "Account suspended")
    words = desk.click(desk.initialize("+46701740695"), "Details").words
    assert "6 of the last 6 messages on this channel failed the same way." in words
    assert "tell an admin once" in words


@pytest.mark.parametrize(
    "texts", [[f"zork {word}" for word in "abcdef"], ["Recipient is not a WhatsApp user."] * 6]
)
def test_what_nobody_knows_or_what_lies_with_each_person_is_no_common_problem(
    desk: Desk, texts: list[str]
) -> None:
    desk.connect()
    for number, text in enumerate(texts):
        fails(desk, number + 1, f"+4670174069{number}", text)
    words = desk.click(desk.initialize("+46701740695"), "Details").words
    assert "failed the same way" not in words
    assert "one problem for many people" not in words


def test_a_text_nobody_knows_is_shown_raw_counted_by_shape_and_may_be_named(desk: Desk) -> None:
    desk.connect()
    odd = "Zwyx-gate 4711 grumbled about blorf {}"
    for number in range(3):
        fails(desk, number + 1, f"+4670174069{number}", odd.format(number))
    first = desk.initialize("+46701740690")
    assert f"Octopods said: {odd.format(0)}" in first.words
    assert f"Octopods said: {odd.format(0)}" in desk.click(first, "Details").words
    rows = diagnosing.listed(desk.flow, 1)
    assert [(r.count, r.shape) for r in rows] == [(3, "zwyx-gate <n> grumbled about blorf <n>")]
    assert diagnosing.name(desk.flow, 1, rows[0].shape_hash, "carrier_filtered") == 3
    assert "Not sure" not in desk.initialize("+46701740690").words
    fails(desk, 9, "+46701740699", odd.format(9))
    assert "Change the text" in desk.initialize("+46701740699").buttons
    assert diagnosing.contribution(desk.flow, 1)[0]["reason"] == "carrier_filtered"


def test_a_text_named_as_an_opt_out_stops_every_send_to_that_person(desk: Desk) -> None:
    desk.connect()
    fails(desk, 1, "+353871230001", "Frobnicated by the zork")
    fails(desk, 2, "+353871230001", {"code": 30003, "title": "Unreachable destination handset"})
    (row,) = diagnosing.listed(desk.flow, 1)
    diagnosing.name(desk.flow, 1, row.shape_hash, "recipient_opted_out")
    screen = desk.initialize(phone="+353871230001")
    for label in [item["title"] for item in screen.items]:
        assert not [b for b in desk.click(screen, label).buttons if b.startswith("Send")]
    assert not [label for label in screen.buttons if label.startswith("Send")]


def test_only_a_reason_that_exists_may_be_given(desk: Desk) -> None:
    desk.connect()
    fails(desk, 1, "+46701740690", "Zwyx grumbled")
    key = diagnosing.listed(desk.flow, 1)[0].shape_hash
    with pytest.raises(diagnosing.NoSuch, match="There is no reason"):
        diagnosing.name(desk.flow, 1, key, "made_up")
    with pytest.raises(diagnosing.NoSuch, match="no unknown text"):
        diagnosing.name(desk.flow, 2, key, "carrier_filtered")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 4711 is busy", "user 12 is busy"),
        ("to +46 70 174 06 90 refused", "to +353 87 123 4567 refused"),
        ("id 9a1e0d7c-aaaa-4bbb-8ccc-0123456789ab lost", "id 00000000-aaaa-4bbb-8ccc-0123456789ab lost"),
        ("wamid.HBgNNDY3MDE3NDA2OTAVAgARGBI3 gone", "wamid.HBgNNDY3MDE3NDA2OTAVAgARGBI9 gone"),
    ],
)
def test_numbers_and_ids_do_not_change_the_shape(one: str, other: str) -> None:
    assert shape(one) == shape(other)
