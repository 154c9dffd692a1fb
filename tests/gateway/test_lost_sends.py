"""A WhatsApp send whose answer was lost is found in Octopods' list, told once, and never taken for another's."""

from __future__ import annotations

import pytest

from canvas.domain.message import Message
from canvas.flows import installs
from canvas.sandbox.octopods import keys
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import MARA, PUBLIC, elsewhere, later, looks, shows
from tests.gateway.test_hooks import OURS, TO, connect_numbered
from tests.gateway.test_whose_news import told_by_meta

SECOND_KEY = "another-key-1234"


def lost(desk: Desk, to: str = TO, fault: str = "cut_after") -> Message:
    """A send whose answer never came; `cut_before`: nor did the send reach Octopods."""
    desk.octopods.set_fault(fault, path="/messages", method="POST")
    assert desk.send_whatsapp(to, 90001, ["Mara", "Tuesday"]).status_code == 504
    desk.octopods.clear_faults()
    return all_messages(desk)[-1]


@pytest.mark.parametrize(("to", "told", "code"), [(MARA.phone, "failed", 131026), (TO, "delivered", 0)])
def test_a_lost_send_that_its_provider_told_of_is_not_told_again_by_the_list(
    both_desk: Desk, to: str, told: str, code: int
) -> None:
    desk = both_desk
    connect_numbered(desk)
    lost(desk, to)
    for clock in (desk.clock, desk.octopods):
        clock.advance(4)
    told_by_meta(desk, told, "wamid.ours", OURS, to, code)
    assert only_message(desk).status == told
    looks(desk)
    message = only_message(desk)
    assert (message.source, message.octopods_id) == ("gateway", str(desk.octopods.sends()[0]["id"]))
    assert message.status == ("failed" if code else "read")


def test_a_lost_fix_that_its_provider_told_of_is_not_told_again_by_the_list(desk: Desk) -> None:
    connect_numbered(desk)
    desk.octopods.shapes(sends="legacy")
    outage = {"code": 131016, "title": "Service unavailable"}
    told = {"destination_phone": TO, "message_id": 100, "template_id": 90001, "contact_id": "c1"}
    told |= {"message_variables": ["Mara", "Tuesday"], "status": "failed", "failure_reason": outage}
    desk.gateway("/track", told, keys.WHATSAPP)
    later(desk, 0.1)
    desk.octopods.set_fault("cut_after", path="/messages", method="POST")
    desk.click(desk.initialize(), "Send again")
    for status, seconds in (("sent", 4), ("delivered", 4), ("read", 200)):
        for clock in (desk.clock, desk.octopods):
            clock.advance(seconds)
        told_by_meta(desk, status, "wamid.ours", OURS)
    looks(desk)
    first, fix = all_messages(desk)
    assert (fix.parent_id, fix.status, fix.octopods_id) == (
        first.id,
        "read",
        str(desk.octopods.sends()[0]["id"]),
    )


def test_what_another_key_sent_is_not_taken_for_a_lost_send(both_desk: Desk) -> None:
    """It went to the same person in the same moment, and the list does not show its words."""
    desk = both_desk
    desk.connect()
    desk.octopods.add_key(SECOND_KEY, "whatsapp")
    installs.add_channel(desk.flow, PUBLIC, "whatsapp", SECOND_KEY, "Second", None)
    lost(desk, fault="cut_before")
    elsewhere(desk, TO, key=SECOND_KEY, day="Friday")
    looks(desk)
    assert {m.source: str(m.status) for m in all_messages(desk)} == {"gateway": "unsure", "list": "read"}


def test_a_lost_send_of_a_channel_that_is_gone_is_found_by_the_one_that_has_its_key(desk: Desk) -> None:
    desk.connect("whatsapp")
    lost(desk)
    installs.remove_channel(desk.flow, PUBLIC, 1)
    installs.add_channel(desk.flow, PUBLIC, "whatsapp", keys.WHATSAPP, "Anew", None)
    looks(desk)
    assert (only_message(desk).source, only_message(desk).status) == ("gateway", "read")


def test_what_was_never_found_out_does_not_keep_a_later_lost_send_from_being_found(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    lost(desk, fault="cut_before")
    later(desk, 10)
    lost(desk)
    desk.pass_time(15)
    never, found = all_messages(desk)
    assert (never.status, found.octopods_id) == ("unsure", str(desk.octopods.sends()[0]["id"]))


def test_a_failure_told_by_a_provider_is_not_what_arrived_a_little_before(both_desk: Desk) -> None:
    """Both were sent from elsewhere to the same person; the second failed, once."""
    desk = both_desk
    connect_numbered(desk)
    told_by_meta(desk, "failed", "wamid.second", OURS, TO, 131049)
    capped = {"code": 131049, "title": "Healthy ecosystem"}
    desk.pass_time(300)
    shows(desk, (360 / 86400, TO, "delivered", None), (301 / 86400, TO, "failed", capped))
    assert {m.source: (m.octopods_id, m.status) for m in all_messages(desk)} == {
        "list": ("500", "delivered"),
        "hook": ("501", "failed"),
    }


def test_a_later_lost_send_is_not_taken_for_the_one_whose_failure_its_provider_told(both_desk: Desk) -> None:
    """Both say the same within a minute; the second never reached Octopods, so it has no entry of its own."""
    desk = both_desk
    connect_numbered(desk)
    lost(desk, MARA.phone)
    for clock in (desk.clock, desk.octopods):
        clock.advance(4)
    told_by_meta(desk, "failed", "wamid.ours", OURS, MARA.phone, 131026)
    for clock in (desk.clock, desk.octopods):
        clock.advance(20)
    lost(desk, MARA.phone, "cut_before")
    desk.pass_time(15)
    assert [(m.status, m.octopods_id) for m in all_messages(desk)] == [("failed", None), ("unsure", None)]
