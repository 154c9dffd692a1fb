"""Check a message on the card: paste what one has, read what it means, and tie it to the contact."""

from __future__ import annotations

from typing import Any

import pytest

from canvas.flows import installs
from canvas.sandbox.hubspot_people import contact_id
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import elsewhere
from tests.hubspot.desk import CONTACT, PORTAL, VOUCHED, HubSpotDesk, query

MARA = BY_ID["not_on_whatsapp"]
REFUSED = "131026: Message undeliverable. Recipient is not a WhatsApp user."
OTHER_PORTAL = "70001"
Json = dict[str, Any]


def post(portal: HubSpotDesk, body: Json, phone: str = MARA.phone, **more: Any) -> Json:
    path = f"/hubspot/card/fix?{query({'phone': phone})}"
    answer = portal.fetch("POST", path, {"objectId": CONTACT, **body}, **more)
    assert answer.status_code == 200
    document: Json = answer.get_json()
    return document


def paste(portal: HubSpotDesk, words: str, contact: str = CONTACT) -> Json:
    return post(portal, {"fix": "check", "objectId": contact, "values": {"check_text": words}})


def attach(portal: HubSpotDesk, told: Json, words: str, contact: str = CONTACT, **values: str) -> Json:
    token = told["attach"]["fixToken"]
    given = {"check_text": words, **values}
    return post(portal, {"fix": "attach", "fixToken": token, "objectId": contact, "values": given})


def titles(told: Json) -> list[str]:
    return [line["label"] for line in told["lines"]]


def failed_for(portal: HubSpotDesk, contact: str | None) -> str:
    portal.send_for_contact(BY_ID["landline_or_unreachable"].phone, contact)
    portal.pass_time(15)
    return str(portal.octopods.sends()[-1]["id"])


def test_the_card_offers_it_with_and_without_failures(portal: HubSpotDesk) -> None:
    empty = portal.card()["check"]
    assert (empty["id"], empty["label"], empty["submitLabel"]) == ("check", "Check a message", "Explain")
    assert [(f["name"], f["type"], f["required"]) for f in empty["fields"]] == [
        ("check_text", "textarea", True)
    ]
    failed_for(portal, CONTACT)
    assert portal.card()["check"] == empty


def test_a_pasted_text_is_explained_and_attached_once(both_portals: HubSpotDesk) -> None:
    portal = both_portals
    told = paste(portal, REFUSED)
    assert (told["ok"], told["state"], told["failure"]) == (True, "checked", None)
    assert titles(told)[0] == "Not on WhatsApp"
    assert all_messages(portal) == []
    (sent_by,) = told["attach"]["fields"]
    assert [option["value"] for option in sent_by["options"]] == ["whatsapp", "sms"]
    for _ in range(2):  # a person's second click and HubSpot's own repeat
        receipt = attach(portal, told, REFUSED, check_kind="whatsapp")
        assert (receipt["ok"], receipt["message"]) == (True, "Attached to this person.")
    message = only_message(portal)
    assert (message.source, message.contact_id, message.to) == ("manual", CONTACT, MARA.phone)
    assert message.failure_raw == REFUSED
    assert message.sender is not None
    assert (message.sender.kind, message.sender.id) == ("hubspot_user", VOUCHED["userId"])
    assert portal.newest()["reason"]["title"] == "Not on WhatsApp"


def test_an_octopods_id_that_is_not_known_is_asked_for(portal: HubSpotDesk) -> None:
    elsewhere(portal, MARA.phone)
    portal.octopods.advance(20)
    number = portal.octopods.sends()[0]["id"]
    before = len(portal.octopods.log())
    told = paste(portal, number)
    assert titles(told) == ["Not known here yet"]
    assert len(portal.octopods.log()) == before
    attach(portal, told, number, check_kind="whatsapp")
    assert (only_message(portal).reason, only_message(portal).contact_id) == ("not_on_whatsapp", CONTACT)


def test_an_id_of_a_message_to_somebody_else_is_not_attached_however_often_it_is_clicked(
    portal: HubSpotDesk,
) -> None:
    portal.hubspot.merge(contact_id(MARA), "905")  # so that no record has the number
    portal.octopods.shapes(status="reference")
    elsewhere(portal, MARA.phone)
    portal.octopods.advance(20)
    number = portal.octopods.sends()[0]["id"]
    told = post(portal, {"fix": "check", "values": {"check_text": number}}, phone="+46701740699")
    body = {"fix": "attach", "fixToken": told["attach"]["fixToken"]}
    values = {"check_text": number, "check_kind": "whatsapp"}
    for _ in range(2):
        answer = post(portal, {**body, "values": values}, phone="+46701740699")
        assert (answer["ok"], answer["error"]["field"]) == (False, "check_text")
    assert (only_message(portal).to, only_message(portal).contact_id) == (MARA.phone, None)
    assert portal.timeline() == []


def test_an_id_that_cannot_be_asked_for_yet_is_attached_with_a_reservation(portal: HubSpotDesk) -> None:
    elsewhere(portal, MARA.phone)
    number = portal.octopods.sends()[0]["id"]
    portal.octopods.set_fault("down", times=0)
    answer = attach(portal, paste(portal, number), number, check_kind="whatsapp")
    assert answer["message"] == (
        "Attached to this person, unless Octopods says that it went to a number they do not have."
    )
    assert only_message(portal).contact_id == CONTACT


def test_an_id_known_here_shows_its_message_with_its_fixes(portal: HubSpotDesk) -> None:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    message = only_message(portal)
    for words in (message.octopods_id, message.provider_id, message.id):
        told = paste(portal, f" {words}\n")
        assert told["failure"]["reason"]["title"] == "Not on WhatsApp"
        assert told["attach"] is None
    assert portal.press(told["failure"], "send_other_channel")["state"] == "sent"


def test_a_message_of_nobody_becomes_this_contacts(portal: HubSpotDesk) -> None:
    unreachable = contact_id(BY_ID["landline_or_unreachable"])
    portal.hubspot.merge(unreachable, "905")  # so that no record has the number
    number = failed_for(portal, None)
    told = paste(portal, number)
    assert told["failure"]["fixes"]
    assert told["attach"]["fields"] == []
    attach(portal, told, number)
    assert only_message(portal).contact_id == CONTACT
    portal.pass_time(3)
    (entry,) = portal.timeline()
    assert "Number cannot get messages" in entry["body"]


def test_a_message_of_another_contact_is_named_but_not_shown(portal: HubSpotDesk) -> None:
    number = failed_for(portal, "902")
    told = paste(portal, number)
    assert (told["failure"], told["attach"], titles(told)) == (None, None, ["Sent to another contact"])
    forged = {"attach": {"fixToken": only_message(portal).id}}
    answer = attach(portal, forged, number)
    assert (answer["ok"], answer["failure"]) == (False, None)
    assert only_message(portal).contact_id == "902"


def test_another_accounts_message_is_not_known(portal: HubSpotDesk) -> None:
    failed_for(portal, CONTACT)
    ours = only_message(portal)
    installs.connect(portal.flow, "hubspot", OTHER_PORTAL, "token")
    installs.add_channel(portal.flow, f"hubspot:{OTHER_PORTAL}", "sms", keys.of_hubspot(keys.SMS), None, None)
    vouched = {**VOUCHED, "portalId": OTHER_PORTAL}
    told = post(portal, {"fix": "check", "values": {"check_text": ours.id}}, vouched=vouched)
    stranger = post(portal, {"fix": "check", "values": {"check_text": "msg_" + "0" * 26}}, vouched=vouched)
    assert (told["failure"], told["lines"]) == (None, stranger["lines"])
    body = {"fix": "attach", "fixToken": ours.id, "values": {"check_text": "landline"}}
    assert not post(portal, body, vouched=vouched)["ok"]
    assert [m.id for m in all_messages(portal)] == [ours.id]


@pytest.mark.parametrize(
    "id_",
    [
        "msg_01m8485030rs09mc4g26p2ht11",
        "SM45d71778e3e5423195ea61e1a1491318",
        "wamid.HBgLNDY3MDE3NDA2OTAVAgARGBI5",
        "9d055f24-753a-4b6f-9505-9d1e9a6fd4c9",
    ],
)
def test_an_id_that_is_not_known_is_not_read_as_what_a_failure_said(portal: HubSpotDesk, id_: str) -> None:
    told = post(portal, {"fix": "check", "values": {"check_text": id_}})
    assert [line["text"] for line in told["lines"]] == ["No message with this id is known here."]
    assert told["attach"] is None


@pytest.mark.parametrize("text", ["", "  \n", "\x00", None, ["131026"], {}])
def test_nothing_pasted_is_said_at_the_field(portal: HubSpotDesk, text: Any) -> None:
    answer = post(portal, {"fix": "check", "values": {"check_text": text}})
    assert answer["error"] == {
        "code": "invalid",
        "field": "check_text",
        "message": "Paste an id or the text of the failure first.",
    }


@pytest.mark.parametrize("nonce", ["", None, "msg_1", "act_" + "0" * 26, "msg_" + "'" * 26, ["x"]], ids=str)
def test_a_forged_attach_button_makes_nothing(portal: HubSpotDesk, nonce: Any) -> None:
    body = {"fix": "attach", "fixToken": nonce, "values": {"check_text": "landline"}}
    answer = post(portal, body)
    assert (answer["ok"], answer["error"]["field"]) == (False, "check_text")
    assert all_messages(portal) == []


@pytest.mark.parametrize("kind", ["vbm", "telepathy", "WHATSAPP"])
def test_a_channel_that_is_not_connected_takes_nothing(portal: HubSpotDesk, kind: str) -> None:
    answer = attach(portal, paste(portal, "landline"), "landline", check_kind=kind)
    assert (answer["ok"], all_messages(portal)) == (False, [])


def test_octopods_cannot_be_asked_about_a_viber_id(portal: HubSpotDesk) -> None:
    installs.add_channel(portal.flow, f"hubspot:{PORTAL}", "vbm", keys.VBM, None, None)
    told = paste(portal, "6230011")
    (sent_by,) = told["attach"]["fields"]
    assert [option["value"] for option in sent_by["options"]] == ["whatsapp", "sms"]
    assert not attach(portal, told, "6230011", check_kind="vbm")["ok"]


def test_a_card_that_names_no_contact_attaches_to_nobody(portal: HubSpotDesk) -> None:
    told = paste(portal, REFUSED)
    body = {"fix": "attach", "fixToken": told["attach"]["fixToken"], "values": {"check_text": REFUSED}}
    assert not post(portal, {**body, "objectId": None})["ok"]
    assert all_messages(portal) == []


def test_markup_and_length_do_no_harm(portal: HubSpotDesk) -> None:
    words = "<script>alert(1)</script> " + "x" * 20_000
    told = paste(portal, words)
    assert told["attach"]
    attach(portal, told, words, check_kind="sms")
    portal.pass_time(3)
    assert "<script>" not in portal.timeline()[0]["body"]
    assert len(only_message(portal).failure_raw or "") == 8000
