"""Two choices an admin makes: seconds to undo, and retries that happen by themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from canvas.domain.fix import may_have_arrived
from canvas.domain.message import Actor, Message, Status
from canvas.domain.retry_classes import CLASSES
from canvas.knowledge.catalogue import load
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import messages
from canvas.store.database import reading
from canvas.store.tables import messages as table
from tests.desk import Desk

MARA = BY_ID["not_on_whatsapp"]
LENA = BY_ID["handset_unreachable"]
EVERY_CLASS = {each.setting: 15 for each in CLASSES}


def everything(desk: Desk) -> list[Message]:
    """All messages, oldest first."""
    with reading(desk.flow.engine) as conn:
        rows = conn.execute(select(table).order_by(table.c.id)).mappings()
        return [messages.from_row(row) for row in rows]


def failing(desk: Desk, person_id: str = LENA.id, **settings: int) -> None:
    desk.connect(**settings)
    desk.send_sms(BY_ID[person_id].phone)
    desk.pass_time(15)


def test_a_send_waits_its_seconds_and_can_be_taken_back(desk: Desk) -> None:
    desk.connect(undo_seconds=10)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    waiting = desk.click(desk.initialize(), "Send as SMS instead")
    assert "Queued until" in waiting.words
    assert len(desk.octopods.sends()) == 1
    back = desk.click(waiting, "Undo")
    assert "Undone. Nothing was sent." in back.words
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == 1


def test_a_send_nobody_takes_back_leaves_once_when_its_seconds_are_over(desk: Desk) -> None:
    desk.connect(undo_seconds=10)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.click(desk.initialize(), "Send as SMS instead")
    for _ in range(3):
        desk.pass_time(10)
    assert len(desk.octopods.sends()) == 2


def test_nothing_is_sent_by_itself_unless_an_admin_wants_it(desk: Desk) -> None:
    failing(desk)
    desk.pass_time(24 * 3600)
    assert len(desk.octopods.sends()) == 1


def test_a_passing_failure_is_sent_again_once_after_its_minutes(desk: Desk) -> None:
    failing(desk, auto_reach=60, auto_most=3)
    desk.pass_time(59 * 60)
    assert len(desk.octopods.sends()) == 1
    for _ in range(5):
        desk.pass_time(3600)
    first, again = everything(desk)
    assert (again.parent_id, again.sender and again.sender.kind) == (first.id, "policy")
    assert again.status is Status.DELIVERED
    assert len(desk.octopods.sends()) == 2


def test_each_class_is_switched_by_itself(desk: Desk) -> None:
    failing(desk, auto_trouble=15, auto_limit=15)
    for _ in range(5):
        desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 1


def test_a_retry_for_a_limit_waits_until_the_limit_allows_it(desk: Desk) -> None:
    desk.connect(auto_limit=15)
    said = {"status": "failed", "failure_reason": "Daily message limit reached", "message_id": 78}
    sent = {"channel": "sms", "destination_phone": LENA.phone, "body": "Hi"}
    assert desk.gateway("/track", {**sent, **said}, keys.SMS).status_code == 201
    assert everything(desk)[0].reason == "daily_limit_reached"
    desk.pass_time(23 * 3600)
    assert desk.octopods.sends() == []
    desk.pass_time(2 * 3600)
    assert len(desk.octopods.sends()) == 1


def test_every_passing_reason_is_in_one_class_and_nothing_else_is_in_any() -> None:
    passing = {r.id for r in load().reasons.values() if r.retry == "transient" and not may_have_arrived(r)}
    listed = [reason for each in CLASSES for reason in each.reasons]
    assert sorted(listed) == sorted(passing)


def test_the_same_reason_twice_ends_it(desk: Desk) -> None:
    failing(desk, auto_reach=60, auto_most=3)
    while len(everything(desk)) < 2 or everything(desk)[-1].status is Status.QUEUED:
        desk.pass_time(1200)
    again = everything(desk)[-1]
    news = {"channel": "sms", "message_id": again.octopods_id, "destination_phone": LENA.phone}
    news |= {"status": "failed", "failure_reason": LENA.text}
    assert desk.gateway("/track", news, keys.SMS).status_code in (200, 201)
    assert everything(desk)[-1].reason == LENA.id
    for _ in range(5):
        desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 2


@pytest.mark.parametrize("person", ["recipient_opted_out", "landline_or_unreachable"])
def test_what_cannot_help_is_never_sent_again_by_itself(desk: Desk, person: str) -> None:
    failing(desk, person, **EVERY_CLASS)
    desk.pass_time(24 * 3600)
    assert sum(entry["method"] == "POST" for entry in desk.octopods.log()) == 1


def test_somebody_who_was_faster_is_not_doubled(desk: Desk) -> None:
    failing(desk, auto_reach=15)
    screen = desk.initialize()
    desk.click(screen, next(label for label in screen.buttons if label != "Details"))
    for _ in range(5):
        desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 2
    assert everything(desk)[-1].sender == Actor("intercom_admin", "814860", "Ana Kos")


def test_nothing_retries_by_itself_on_a_channel_that_keeps_failing(desk: Desk) -> None:
    failing(desk, auto_reach=60)
    for number in range(5):
        body = {"channel": "sms", "message_id": 900 + number, "destination_phone": f"+4670174069{number}"}
        desk.gateway("/track", {**body, "status": "failed", "failure_reason": "Account suspended"}, keys.SMS)
    desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 1


def test_what_may_have_arrived_is_never_sent_again_by_itself(desk: Desk) -> None:
    desk.connect(**EVERY_CLASS)
    said = {"status": "failed", "failure_reason": "Unknown delivery status", "message_id": 77}
    sent = {"channel": "sms", "destination_phone": LENA.phone, "body": "Hi"}
    assert desk.gateway("/track", {**sent, **said}, keys.SMS).status_code == 201
    assert everything(desk)[0].reason == "delivery_status_unknown"
    desk.pass_time(24 * 3600)
    assert desk.octopods.sends() == []
