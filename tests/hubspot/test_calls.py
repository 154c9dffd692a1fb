"""HubSpot's webhooks and workflow actions: repeats are harmless, and a run hears the real outcome."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text

from canvas.domain.message import Actor
from canvas.flows import erase, workflow
from canvas.flows.context import Flow
from canvas.flows.deeds import Clicked
from canvas.sandbox.people import BY_ID
from canvas.store import messages
from canvas.store.database import reading, writing
from tests.gateway.records import only_message
from tests.hubspot.desk import CONTACT, PORTAL, HubSpotDesk

MARA = BY_ID["not_on_whatsapp"]
OUT_OF_REACH = BY_ID["handset_unreachable"]


def event(kind: str, contact: str = CONTACT, **more: Any) -> dict[str, Any]:
    base = {"eventId": 1, "subscriptionId": 25, "portalId": int(PORTAL), "appId": 224455, "attemptNumber": 0}
    return {**base, "subscriptionType": kind, "objectId": int(contact), "occurredAt": 1795430390000, **more}


def run(callback: str = "ap-62515-1", channel: str = "best", **more: Any) -> dict[str, Any]:
    return {
        "callbackId": callback,
        "origin": {"portalId": int(PORTAL), "actionDefinitionId": 77, "actionDefinitionVersion": 1},
        "context": {"source": "WORKFLOWS", "workflowId": 9001},
        "object": {"objectId": int(CONTACT), "objectType": "CONTACT", "properties": {"phone": MARA.phone}},
        "inputFields": {"channel": channel},
        **more,
    }


def outputs(portal: HubSpotDesk, action: str, body: dict[str, Any]) -> dict[str, str]:
    answer = portal.workflow(action, body)
    assert answer.status_code == 200
    found: dict[str, str] = answer.get_json()["outputFields"]
    return found


def fail(portal: HubSpotDesk) -> dict[str, Any]:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    return portal.newest()


def test_merged_records_keep_their_messages(portal: HubSpotDesk) -> None:
    fail(portal)
    merge = event("object.merge", primaryObjectId=950, mergedObjectIds=[int(CONTACT)], newObjectId=951)
    for _ in range(2):
        assert portal.webhook([merge] * 100).status_code == 204
    assert portal.card(CONTACT)["total"] == 0
    assert portal.card("951")["total"] == 1


def test_a_deleted_record_leaves_its_messages_to_the_number(portal: HubSpotDesk) -> None:
    fail(portal)
    assert portal.card("902", phone=MARA.phone)["total"] == 0
    portal.webhook([event("object.deletion")])
    assert portal.card("902", phone=MARA.phone)["total"] == 1


MERGE = event("object.merge", primaryObjectId=951, mergedObjectIds=[int(CONTACT)])


@pytest.mark.parametrize(("told", "contact"), [(MERGE, "951"), (event("object.deletion"), None)])
def test_whoever_read_a_message_before_its_record_went_does_not_bring_it_back(
    both_portals: HubSpotDesk, told: dict[str, Any], contact: str | None
) -> None:
    fail(both_portals)
    read = only_message(both_portals)
    both_portals.webhook([told])
    with writing(both_portals.flow.engine) as conn:
        assert not messages.save(conn, read, both_portals.clock())
    assert only_message(both_portals).contact_id == contact


def test_a_person_who_asks_to_be_forgotten_is(portal: HubSpotDesk) -> None:
    failure = fail(portal)
    portal.press(failure, "send_other_channel")
    for _ in range(2):
        portal.webhook([event("contact.privacyDeletion")])
    portal.pass_time(3600)
    with reading(portal.flow.engine) as conn:
        assert conn.execute(text("SELECT count(*) FROM messages")).scalar() == 0
        about_them = text("SELECT count(*) FROM actions WHERE message_id IS NOT NULL")
        assert conn.execute(about_them).scalar() == 0


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
def test_what_hubspot_signed_is_heard_however_its_type_is_told(
    portal: HubSpotDesk, content_type: str | None
) -> None:
    fail(portal)
    answer = portal.webhook([event("contact.privacyDeletion")], content_type)
    assert (answer.status_code, portal.card()["total"]) == (204, 0)


def test_an_event_that_cannot_be_done_holds_up_nobody_elses_and_is_asked_for_again(
    both_portals: HubSpotDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal, real = both_portals, erase.contact
    fail(portal)

    def broken(conn: Connection, flow: Flow, install_id: int, contact: str, by: Actor) -> int:
        if contact == "5":
            raise ValueError("this one breaks each time")
        return real(conn, flow, install_id, contact, by)

    monkeypatch.setattr(erase, "contact", broken)
    forget = "contact.privacyDeletion"
    answer = portal.webhook([event(forget, "5"), event(forget), event(forget, "5")])
    assert answer.status_code == 500
    assert portal.card(CONTACT)["total"] == 0


@pytest.mark.parametrize(
    "body", [[], [event("object.creation")], [event("object.merge")], [event("x", portalId=1)]]
)
def test_events_that_are_not_for_us_are_taken_all_the_same(
    portal: HubSpotDesk, body: list[dict[str, Any]]
) -> None:
    assert portal.webhook(body).status_code == 204


def test_an_unsigned_webhook_is_refused(portal: HubSpotDesk) -> None:
    assert portal.client.post("/hubspot/webhooks", json=[event("contact.privacyDeletion")]).status_code == 401


def test_a_workflow_retries_once_and_hears_that_it_was_delivered(portal: HubSpotDesk) -> None:
    fail(portal)
    for _ in range(2):
        assert outputs(portal, "retry", run())["hs_execution_state"] == "BLOCK"
    assert len(portal.octopods.sends()) == 2
    assert portal.hubspot.callbacks() == {}
    for _ in range(4):
        portal.pass_time(15)
    told = portal.hubspot.callbacks()["ap-62515-1"]
    assert (told["hs_execution_state"], told["outcome"]) == ("SUCCESS", "delivered")
    assert "It was delivered." in told["message"]


def test_a_run_does_not_wait_for_news_that_nobody_can_give(portal: HubSpotDesk) -> None:
    fail(portal)
    portal.octopods.shapes(sends="request_id")
    assert outputs(portal, "retry", run(channel="sms"))["hs_execution_state"] == "BLOCK"
    for _ in range(2):
        portal.pass_time(15)
    told = portal.hubspot.callbacks()["ap-62515-1"]
    assert (told["hs_execution_state"], told["outcome"]) == ("SUCCESS", "sent")


def test_a_run_hears_what_is_known_before_hubspot_gives_it_up(portal: HubSpotDesk) -> None:
    fail(portal)
    assert outputs(portal, "retry", run(channel="sms"))["hs_execution_state"] == "BLOCK"
    portal.octopods.set_fault("down", path="/sms/messages/", method="GET", times=0)
    portal.pass_time(22 * 3600)
    assert portal.hubspot.callbacks() == {}
    portal.pass_time(3600 + 60)
    assert portal.hubspot.callbacks()["ap-62515-1"]["outcome"] == "sent"


def test_a_workflow_hears_that_it_failed_again_and_why(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["recipient_blocklisted"].phone)
    portal.pass_time(15)
    failure = portal.newest()
    sending = [fix for fix in failure["fixes"] if fix["sends"] and fix["kind"] == "one_click"]
    answer = outputs(portal, "retry", run(channel="same"))
    assert (answer["hs_execution_state"] == "BLOCK") == bool(sending)
    assert answer["hs_execution_state"] == "FAIL_CONTINUE"
    assert answer["reason"] == failure["reason"]["title"]


def test_a_workflow_never_writes_to_somebody_who_opted_out(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["recipient_opted_out"].phone)
    portal.pass_time(15)
    before = len(portal.octopods.sends())
    for channel in ("best", "same", "sms"):
        answer = outputs(portal, "retry", run(f"ap-{channel}", channel))
        assert (answer["outcome"], answer["hs_execution_state"]) == ("not_possible", "FAIL_CONTINUE")
    assert len(portal.octopods.sends()) == before


def test_a_workflow_on_a_contact_without_failures_goes_on(portal: HubSpotDesk) -> None:
    answer = outputs(portal, "retry", run())
    assert (answer["outcome"], answer["hs_execution_state"]) == ("nothing_failed", "SUCCESS")


def test_a_lost_completion_is_told_again(portal: HubSpotDesk) -> None:
    fail(portal)
    outputs(portal, "retry", run())
    portal.hubspot.set_fault("down", path="/callbacks/", times=2)
    for _ in range(8):
        portal.pass_time(20)
    assert portal.hubspot.callbacks()["ap-62515-1"]["outcome"] == "delivered"


def test_a_refused_run_that_asks_again_does_not_wait_for_a_promise_taken_back(
    portal: HubSpotDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(portal)
    # Somebody changes the message between the look and the click.
    monkeypatch.setattr(workflow, "click", lambda *_: Clicked("changed", note="This message changed."))
    for _ in range(2):
        answer = outputs(portal, "retry", run())
        assert (answer["outcome"], answer["hs_execution_state"]) == ("not_possible", "FAIL_CONTINUE")


@pytest.mark.parametrize(
    ("person", "channel", "verdict"),
    [
        ("not_on_whatsapp", "whatsapp", "likely"),
        ("recipient_opted_out", "sms", "yes"),
        ("nobody", "whatsapp", "unknown"),
        ("not_on_whatsapp", "vbm", "yes"),
        ("delivered", "sms", "no"),
    ],
)
def test_a_check_tells_from_what_is_known(
    portal: HubSpotDesk, person: str, channel: str, verdict: str
) -> None:
    phone = BY_ID[person].phone if person in BY_ID else "+46701740699"
    if person == "nobody":
        pass
    elif channel == "whatsapp":
        portal.send_whatsapp_for(phone)
    elif channel == "sms":
        portal.send_for_contact(phone)
    portal.pass_time(15)
    body = run(channel=channel, object={"objectId": 1, "properties": {"phone": phone}})
    sends = len(portal.octopods.sends())
    answer = outputs(portal, "check", body)
    assert answer["would_fail"] == verdict, answer
    assert len(portal.octopods.sends()) == sends


def test_a_contact_without_a_number_would_fail(portal: HubSpotDesk) -> None:
    body = run(channel="sms", object={"objectId": 1, "properties": {"phone": None}})
    assert outputs(portal, "check", body)["would_fail"] == "yes"


@pytest.mark.parametrize(
    "body", [{}, {"origin": 7}, {"origin": {"portalId": 1}}, {"origin": {"portalId": 62515}}]
)
def test_a_run_that_makes_no_sense_goes_on_with_a_sentence(portal: HubSpotDesk, body: dict[str, Any]) -> None:
    answer = outputs(portal, "retry", body)
    assert answer["hs_execution_state"] == "FAIL_CONTINUE"
    assert answer["message"]
