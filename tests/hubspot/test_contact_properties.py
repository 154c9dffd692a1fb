"""What lists and workflows of a HubSpot account can use: the last outcome, reason, time and count."""

from __future__ import annotations

from datetime import datetime

from canvas.cli.commands import register
from canvas.sandbox.people import BY_ID
from tests.hubspot.desk import CONTACT, HubSpotDesk

MARA = BY_ID["not_on_whatsapp"]


def test_nothing_is_written_unless_it_is_switched_on(portal: HubSpotDesk) -> None:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    assert not [name for name in portal.hubspot.contact(CONTACT) if name.startswith("redeliver_")]


def test_the_contact_carries_the_real_outcome(portal: HubSpotDesk) -> None:
    portal.connect_portal(contact_properties=True)
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    failure = portal.newest()
    found = portal.hubspot.contact(CONTACT)
    assert found["redeliver_last_failed_reason"] == "Not on WhatsApp"
    at = datetime.fromisoformat(failure["failedAt"])
    assert found["redeliver_last_failed_at"] == str(round(at.timestamp() * 1000))
    assert (found["redeliver_failed_messages"], found["redeliver_last_outcome"]) == ("1", "Failed")
    portal.press(failure, "send_other_channel")
    portal.pass_time(15)
    found = portal.hubspot.contact(CONTACT)
    assert (found["redeliver_failed_messages"], found["redeliver_last_outcome"]) == ("1", "Delivered")


def test_what_arrives_after_a_failure_is_the_last_outcome(portal: HubSpotDesk) -> None:
    portal.connect_portal(contact_properties=True)
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    portal.send_for_contact("+46701740699")
    portal.pass_time(400)
    found = portal.hubspot.contact(CONTACT)
    assert (found["redeliver_failed_messages"], found["redeliver_last_outcome"]) == ("1", "Delivered")
    assert len(portal.timeline()) == 1


def test_without_the_permission_to_make_properties_nothing_else_suffers(portal: HubSpotDesk) -> None:
    portal.connect_portal(contact_properties=True)
    portal.hubspot.refuse_property("redeliver_failed_messages", "Not allowed.")
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    assert len(portal.timeline()) == 1


def test_an_operator_switches_it_on_and_the_timeline_off(portal: HubSpotDesk) -> None:
    register(portal.app)
    runner = portal.app.test_cli_runner()
    given = ["hubspot", "set", "hubspot:62515", "--timeline", "off", "--contact-properties"]
    said = runner.invoke(args=given)
    assert said.output == "hubspot:62515: timeline=off, contact_properties=True\n"
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    assert portal.timeline() == []
    assert portal.hubspot.contact(CONTACT)["redeliver_last_outcome"] == "Failed"
    unknown = runner.invoke(args=["hubspot", "set", "hubspot:1", "--timeline", "off"])
    assert (unknown.exit_code, "There is no install hubspot:1" in unknown.output) == (1, True)
