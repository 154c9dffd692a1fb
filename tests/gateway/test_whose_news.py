"""News of another message to the same person is not believed of ours, and no failure disappears for it."""

from __future__ import annotations

from typing import Any

import pytest

from canvas.sandbox.people import BY_ID
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_crossing import before_the_answer
from tests.gateway.test_hooks import OURS, TO, callback, connect, connect_numbered, meta, twilio, webhook

FOREIGN = "+46313906099"
MARA = BY_ID["not_on_whatsapp"]


def told_by_meta(
    desk: Desk, status: str, wamid: str, sender: str | None, to: str = TO, code: int = 0
) -> None:
    """Meta's signed webhook, of now."""
    body: dict[str, Any] = webhook(status, wamid, to, code, "Message undeliverable" if code else "")
    value = body["entry"][0]["changes"][0]["value"]
    value["statuses"][0]["timestamp"] = str(int(desk.clock().timestamp()))
    value["metadata"] = {"display_phone_number": sender.lstrip("+")} if sender else {}
    assert meta(desk, body).status_code == 200


def told_by_twilio(desk: Desk, status: str, sid: str, sender: str, code: str = "") -> None:
    assert twilio(desk, {**callback(status, sid, code=code), "From": sender}).status_code == 204


@pytest.mark.parametrize("sender", [FOREIGN, OURS, None], ids=["another line", "our line", "unsaid"])
@pytest.mark.parametrize("told", ["sent", "delivered", "read"])
def test_another_messages_arrival_does_not_hide_our_failure(
    desk: Desk, told: str, sender: str | None
) -> None:
    connect_numbered(desk)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    told_by_meta(desk, told, "wamid.another", sender, MARA.phone)
    assert only_message(desk).status == "sent"
    desk.pass_time(60)
    message = only_message(desk)
    assert (message.status, message.reason) == ("failed", "not_on_whatsapp")
    assert message.provider_id not in (None, "wamid.another")
    assert "Send as SMS instead" in desk.initialize().buttons


@pytest.mark.parametrize(("told", "asks"), [("delivered", 1), ("sent", 0)])
def test_news_tied_by_its_number_has_octopods_asked_only_where_it_would_change_something(
    desk: Desk, told: str, asks: int
) -> None:
    connect_numbered(desk)
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    before = len(desk.octopods.log())
    told_by_meta(desk, told, "wamid.1", OURS)
    desk.work()
    assert [e["method"] for e in desk.octopods.log()[before:]] == ["GET"] * asks


def test_an_agents_own_chat_message_does_not_make_a_failure_two(desk: Desk) -> None:
    """Its `sent` comes first; then our message fails, as Meta tells and Octopods confirms."""
    connect_numbered(desk)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    told_by_meta(desk, "sent", "wamid.the-agents-chat", OURS, MARA.phone)
    desk.octopods.advance(3)
    told_by_meta(desk, "failed", "wamid.ours", OURS, MARA.phone, 131026)
    desk.work()
    message = only_message(desk)
    assert (message.source, message.status, message.reason) == ("gateway", "failed", "not_on_whatsapp")


@pytest.mark.parametrize("number", [OURS, "+46 31-390 60 00"])
def test_a_failure_on_another_line_is_not_ours_and_is_kept(both_desk: Desk, number: str) -> None:
    """Octopods answered with a request id alone, so that it cannot be asked which of the two failed."""
    desk = both_desk
    connect_numbered(desk, number)
    desk.octopods.shapes(sends="request_id")
    desk.send_sms(TO)
    desk.clock.advance(60)
    told_by_twilio(desk, "undelivered", "SM-another", FOREIGN, "30003")
    ours, another = all_messages(desk)
    assert (ours.status, ours.provider_id, ours.open) == ("sent", None, False)
    assert (another.source, another.status, another.channel_id) == ("hook", "failed", None)
    shown = desk.initialize(phone=TO)
    assert not [label for label in shown.buttons if label.startswith("Send again")]
    assert len(desk.octopods.sends()) == 1


def test_where_our_number_is_not_known_a_failure_is_told_beside_the_message_it_may_be_of(
    desk: Desk,
) -> None:
    connect(desk)
    desk.octopods.shapes(sends="request_id")
    desk.send_sms(TO)
    desk.clock.advance(60)
    told_by_twilio(desk, "delivered", "SM1", OURS)
    assert only_message(desk).status == "sent"
    for _ in range(2):
        told_by_twilio(desk, "undelivered", "SM2", OURS, "30006")
    assert [(m.source, m.status) for m in all_messages(desk)] == [("gateway", "sent"), ("hook", "failed")]


def test_of_two_nobody_can_be_asked_about_the_failure_is_told_beside_them(desk: Desk) -> None:
    connect_numbered(desk)
    desk.octopods.shapes(sends="request_id")
    desk.send_sms(TO, "one")
    desk.send_sms(TO, "two")
    desk.clock.advance(60)
    told_by_twilio(desk, "undelivered", "SM1", OURS, "30006")
    assert [m.status for m in all_messages(desk)] == ["sent", "sent", "failed"]


def test_an_arrival_told_before_the_answer_is_asked_about_once_octopods_can_be_asked(both_desk: Desk) -> None:
    """An agent's own chat message arrives from our number while our send is still under way; then ours fails."""
    desk = both_desk
    connect_numbered(desk)
    with before_the_answer(desk, lambda: told_by_meta(desk, "delivered", "wamid.chat", OURS, MARA.phone)):
        desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    assert (only_message(desk).status, only_message(desk).provider_id) == ("sent", None)
    desk.pass_time(15)
    assert (only_message(desk).status, only_message(desk).reason) == ("failed", "not_on_whatsapp")


def test_a_failure_on_another_line_while_our_send_is_under_way_is_not_ours(desk: Desk) -> None:
    connect_numbered(desk)
    with before_the_answer(desk, lambda: told_by_twilio(desk, "undelivered", "SM-another", FOREIGN, "30003")):
        desk.send_sms(TO)
    assert [(m.source, m.status) for m in all_messages(desk)] == [("gateway", "sent"), ("hook", "failed")]
