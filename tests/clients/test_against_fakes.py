"""The clients against the sandbox's fake vendors, which read the contracts independently."""

from datetime import UTC, datetime

import pytest

from canvas.clients.errors import RateLimited, Refused, Unauthorised, Unsure
from canvas.clients.http import Http
from canvas.clients.hubspot import HubSpot
from canvas.clients.hubspot_answers import EXPIRED
from canvas.clients.intercom import Intercom
from canvas.clients.octopods import Octopods, Outgoing
from canvas.domain.templates import as_sections, missing, usable
from canvas.sandbox.hubspot_people import contact_id as hubspot_contact
from canvas.sandbox.hubspot_state import CODE as HUBSPOT_CODE
from canvas.sandbox.hubspot_state import STATIC_TOKEN
from canvas.sandbox.intercom_oauth import BEARER, CODE
from canvas.sandbox.intercom_people import WORKSPACE, contact_id, conversation_id
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.fakes import Fake, HubSpotFake, OctopodsFake

NOBODY = "+46701740699"
SMS = Outgoing("sms", NOBODY, text="Hello")


def octopods(fake: OctopodsFake) -> Octopods:
    return Octopods(Http(), fake.url)


def test_an_sms_is_sent_followed_and_arrives(fake_octopods: OctopodsFake) -> None:
    client = octopods(fake_octopods)
    sent = client.send(keys.SMS, SMS)
    assert sent.message_id
    fake_octopods.advance(3)
    assert client.message_status(keys.SMS, "sms", sent.message_id).status == "delivered"
    assert len(fake_octopods.sends()) == 1


def test_a_whatsapp_failure_is_found_in_the_list_with_its_reason(fake_octopods: OctopodsFake) -> None:
    client = octopods(fake_octopods)
    assert client.recent_whatsapp(keys.WHATSAPP) == []
    template = next(t for t in client.whatsapp_templates(keys.WHATSAPP) if usable(t) and not t.needs_media)
    values = as_sections(["Mara", "Tuesday"], template)
    person = BY_ID["not_on_whatsapp"]
    outgoing = Outgoing("whatsapp", person.phone, template_id=template.id, variables=values)
    assert missing(template, values) == ()
    sent = client.send(keys.WHATSAPP, outgoing)
    fake_octopods.advance(3)
    (listed,) = client.recent_whatsapp(keys.WHATSAPP)
    asked = client.message_status(keys.WHATSAPP, "whatsapp", sent.message_id or "")
    assert (listed.message_id, listed.status) == (sent.message_id, "failed")
    assert (asked.message_id, asked.status) == (sent.message_id, "failed")
    assert listed.failure_reason


def test_viber_templates_are_listed_and_sent(fake_octopods: OctopodsFake) -> None:
    client = octopods(fake_octopods)
    template = next(t for t in client.vbm_templates(keys.VBM) if not t.needs_media)
    values = as_sections(["x"] * len(missing(template, {})), template)
    outgoing = Outgoing("vbm", NOBODY, template_id=template.id, variables=values)
    assert client.send(keys.VBM, outgoing).request_id


def test_a_cut_answer_is_unsure_and_the_message_was_taken_once(fake_octopods: OctopodsFake) -> None:
    fake_octopods.set_fault("cut_after", path="/messages")
    with pytest.raises(Unsure):
        octopods(fake_octopods).send(keys.SMS, SMS)
    assert len(fake_octopods.sends()) == 1


def test_a_blocked_key_and_a_deprecated_key_are_told_apart(fake_octopods: OctopodsFake) -> None:
    fake_octopods.block_key(keys.SMS, 30)
    with pytest.raises(RateLimited) as caught:
        octopods(fake_octopods).send(keys.SMS, SMS)
    assert caught.value.retry_at is not None
    fake_octopods.add_key("old-key", "sms", "deprecated")
    with pytest.raises(Unauthorised):
        octopods(fake_octopods).send("old-key", SMS)
    assert fake_octopods.sends() == []


def test_intercom_lets_us_in_and_keeps_a_corrected_number(fake_intercom: Fake) -> None:
    intercom = Intercom(Http(), fake_intercom.url)
    token = intercom.exchange_code("id", "secret", CODE)
    assert intercom.me(token).id == WORKSPACE
    person = BY_ID["invalid_phone"]
    intercom.set_phone(token, "US", contact_id(person), person.phone)
    assert intercom.get_contact(token, "US", contact_id(person)).phone == person.phone
    found = intercom.search_contacts_by_phone(token, "US", person.phone, "DE")
    assert [c.id for c in found] == [contact_id(person)]


def test_intercom_refuses_a_stranger_and_an_unknown_conversation(fake_intercom: Fake) -> None:
    intercom = Intercom(Http(), fake_intercom.url)
    with pytest.raises(Unauthorised):
        intercom.me("not-a-token")
    with pytest.raises(Refused):
        intercom.write_note(BEARER, "US", "404", "814860", "<p>x</p>")
    intercom.write_note(BEARER, "US", conversation_id(BY_ID["invalid_phone"]), "814860", "<p>x</p>")
    assert len(fake_intercom.sends()) == 1


def test_hubspot_lets_us_in_again_and_again(fake_hubspot: HubSpotFake) -> None:
    hubspot = HubSpot(Http(), fake_hubspot.url)
    grant = hubspot.exchange_code("id", "secret", "https://app.test/cb", HUBSPOT_CODE)
    contact = hubspot_contact(BY_ID["invalid_phone"])
    fake_hubspot.token("expired")
    with pytest.raises(Unauthorised) as caught:
        hubspot.get_contact(grant.access_token, contact)
    assert caught.value.code == EXPIRED
    fresh = hubspot.refresh("id", "secret", grant.refresh_token)
    assert hubspot.get_contact(fresh.access_token, contact).id == contact


def test_hubspot_finds_and_corrects_a_number(fake_hubspot: HubSpotFake) -> None:
    hubspot = HubSpot(Http(), fake_hubspot.url)
    person = BY_ID["invalid_phone"]
    hubspot.set_phone(STATIC_TOKEN, hubspot_contact(person), person.phone)
    found = hubspot.search_contacts_by_phone(STATIC_TOKEN, person.phone)
    assert [c.id for c in found] == [hubspot_contact(person)]
    with pytest.raises(Refused) as caught:
        hubspot.set_properties(STATIC_TOKEN, hubspot_contact(person), {"no_such": "x"})
    assert caught.value.details["property"] == "no_such"


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "vbm"])
def test_an_entry_cut_off_after_hubspot_took_it_is_found_and_rewritten(
    channel: str, fake_hubspot: HubSpotFake
) -> None:
    hubspot = HubSpot(Http(), fake_hubspot.url)
    contact = hubspot_contact(BY_ID["not_on_whatsapp"])
    at = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    fake_hubspot.set_fault("cut_after", path="/crm/objects")
    with pytest.raises(Unsure):
        hubspot.write_activity(STATIC_TOKEN, contact, channel, "Not delivered. Reference msg_7f3 here.", at)
    fake_hubspot.advance(60)
    found = hubspot.find_activity(STATIC_TOKEN, channel, "msg_7f3")
    assert found
    hubspot.rewrite_activity(STATIC_TOKEN, channel, found, "Fixed. Reference msg_7f3 here.")
    (entry,) = fake_hubspot.timeline(contact)
    assert entry["body"].startswith("Fixed.")


def test_hubspot_takes_events_properties_and_callbacks_once(fake_hubspot: HubSpotFake) -> None:
    hubspot = HubSpot(Http(), fake_hubspot.url)
    kind = hubspot.event_type(STATIC_TOKEN, "message_failed", "redeliver")
    definition = {"name": "last_reason", "label": "Reason", "type": "string", "fieldType": "text"}
    for _ in range(2):
        hubspot.send_event(STATIC_TOKEN, kind, "msg_1-failed", "901", datetime.now(UTC), {"channel": "sms"})
        hubspot.ensure_property(STATIC_TOKEN, definition | {"groupName": "contactinformation"})
    hubspot.complete_callback(STATIC_TOKEN, "ap-1", {"outcome": "delivered"}, True)
    assert fake_hubspot.callbacks()["ap-1"]["outcome"] == "delivered"
