"""The main job, through the front doors: a message fails, the agent sees why, one click fixes it, once."""

from __future__ import annotations

from canvas.sandbox.people import BY_ID
from tests.desk import Desk

MARA = BY_ID["not_on_whatsapp"]


def test_nothing_failed(desk: Desk) -> None:
    desk.connect()
    screen = desk.initialize()
    assert screen.words.startswith("No failed messages for this person.")
    assert screen.buttons == ["Check a message"]


def test_a_failed_whatsapp_message_is_shown_with_its_reason_and_sent_as_sms_by_one_click(
    both_desk: Desk,
) -> None:
    desk = both_desk
    desk.connect()
    taken = desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    assert taken.status_code == 201
    desk.pass_time(15)
    screen = desk.initialize()
    assert "Not on WhatsApp" in screen.words
    assert "WhatsApp to +46 70 174 06 11 · Nov 23, 2026 at 1:05PM" in screen.words
    receipt = desk.click(screen, "Send as SMS instead")
    sends = desk.octopods.sends()
    assert len(sends) == 2
    assert f"Sent again by SMS. Octopods took it as {sends[1]['id']}. Waiting for delivery." in receipt.words
    assert sends[1]["body"]["destination_phone"] == MARA.phone
    again = desk.click(screen, "Send as SMS instead")
    assert receipt.words == again.words
    assert len(desk.octopods.sends()) == 2
    desk.pass_time(15)
    assert "It was delivered." in desk.click(receipt, "Refresh").words
    assert "No failed messages" in desk.initialize().words
