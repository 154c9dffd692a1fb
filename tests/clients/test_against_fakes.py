"""The clients against the sandbox's fake vendors, which read the contracts independently."""

import pytest

from canvas.clients.errors import RateLimited, Refused, Unauthorised, Unsure
from canvas.clients.http import Http
from canvas.clients.intercom import Intercom
from canvas.clients.octopods import Octopods, Outgoing
from canvas.domain.templates import as_sections, missing, usable
from canvas.sandbox.fake_intercom import BEARER, CODE
from canvas.sandbox.intercom_people import WORKSPACE, contact_id, conversation_id
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.fakes import Fake, OctopodsFake

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
