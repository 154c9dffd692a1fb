"""The contact's timeline: one entry for one failure, whatever HubSpot, the line or the worker does."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from canvas.flows import write_retry
from canvas.sandbox.hubspot_people import contact_id
from canvas.sandbox.hubspot_state import CODE
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import actions
from canvas.store.database import reading, writing
from tests.hubspot.desk import CONTACT, HubSpotDesk

MARA, NILS, LANDLINE = BY_ID["not_on_whatsapp"], BY_ID["not_on_viber"], BY_ID["landline_or_unreachable"]
ENTRIES = ("/communications", "/notes")


def fail(portal: HubSpotDesk) -> dict[str, Any]:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    return portal.newest()


def written(portal: HubSpotDesk) -> list[dict[str, Any]]:
    """The entries HubSpot was asked to make, whether or not we heard of it."""
    return [
        one for one in portal.hubspot.sends() if one["method"] == "POST" and one["path"].endswith(ENTRIES)
    ]


def test_a_failure_appears_on_the_timeline_with_its_reason_and_advice(both_portals: HubSpotDesk) -> None:
    failure = fail(both_portals)
    (entry,) = both_portals.timeline()
    assert (entry["kind"], entry["channel"]) == ("communications", "WHATS_APP")
    assert "<b>WhatsApp message failed: Not on WhatsApp</b>" in entry["body"]
    assert failure["reason"]["text"] in entry["body"]
    advice = next(line["text"] for line in failure["lines"] if line["label"] == "What to do now")
    assert advice in entry["body"]
    assert 'href="https://redeliver.example.com/m/' in entry["body"]
    assert f"Reference {failure['messageId']}" in entry["body"]


def test_viber_becomes_a_note_because_hubspot_knows_no_viber(portal: HubSpotDesk) -> None:
    portal.connect_portal("vbm")
    body = {"destination_phone": NILS.phone, "message_variables": ["Nils", "Thursday"]}
    key = "sandbox-vbm-3333"
    portal.gateway("/vbm/templates/70001/messages", body, key, **{"X-HubSpot-Contact-Id": CONTACT})
    portal.pass_time(15)
    (entry,) = portal.timeline()
    assert entry["kind"] == "notes"
    assert "Viber message failed" in entry["body"]


def test_the_entry_is_changed_and_not_repeated_when_the_message_is_fixed(portal: HubSpotDesk) -> None:
    failure = fail(portal)
    portal.press(failure, "send_other_channel")
    portal.pass_time(15)
    portal.pass_time(60)
    (entry,) = portal.timeline()
    assert entry["updated"]
    assert "Sent again by SMS" in entry["body"]
    assert "It was delivered. (by ana.kos@example.com)" in entry["body"]
    assert "Not on WhatsApp" in entry["body"]
    assert len(written(portal)) == 1


def test_the_entry_says_who_handled_the_message(portal: HubSpotDesk) -> None:
    portal.press(fail(portal), "mark_handled")
    portal.work()
    (entry,) = portal.timeline()
    assert "Marked as handled by ana.kos@example.com." in entry["body"]


def test_what_was_undone_is_no_news_of_the_failure(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["handset_unreachable"].phone)
    portal.pass_time(15)
    waiting = portal.press(portal.newest(), "retry_later")["failure"]
    portal.press(waiting, "undo")
    portal.press(portal.newest(), "mark_handled")
    portal.pass_time(15)
    (entry,) = portal.timeline()
    assert "Marked as handled by ana.kos@example.com." in entry["body"]
    assert "Undone" not in entry["body"]


def test_a_cut_line_after_hubspot_took_the_entry_makes_no_second_one(portal: HubSpotDesk) -> None:
    portal.hubspot.search_lag(30)
    portal.hubspot.set_fault("cut_after", path="/communications", method="POST")
    fail(portal)
    assert len(portal.timeline()) == 1
    for _ in range(5):
        portal.pass_time(60)
    assert len(portal.timeline()) == 1
    assert len(written(portal)) == 1


def test_a_cut_line_before_hubspot_took_the_entry_loses_nothing(portal: HubSpotDesk) -> None:
    portal.hubspot.set_fault("cut_before", path="/communications", method="POST")
    fail(portal)
    assert portal.timeline() == []
    portal.pass_time(100)
    assert len(portal.timeline()) == 1


def test_a_worker_killed_after_hubspot_took_the_entry_makes_no_second_one(portal: HubSpotDesk) -> None:
    failure = fail(portal)
    key = f"timeline:{failure['messageId']}"
    with writing(portal.flow.engine) as conn:
        # As the row stands when the process dies between HubSpot's answer and our commit.
        lost = "UPDATE actions SET state='running', result=NULL, lease='x', lease_until=:then WHERE key=:key"
        then = round(portal.clock().timestamp() * 1000)
        conn.execute(text(lost), {"then": then, "key": key})
    portal.pass_time(121)
    assert len(written(portal)) == 1
    with reading(portal.flow.engine) as conn:
        done = actions.by_key(conn, 1, key)
    assert done
    assert (done.state, (done.result or {})["entry"]) == ("done", portal.timeline()[0]["id"])


@pytest.mark.parametrize("refusals", [3, 6])
def test_a_database_that_is_away_after_hubspot_took_the_entry_makes_no_second_one(
    portal: HubSpotDesk, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    portal.hubspot.search_lag(60)
    honest, left = actions.finish, [None] * refusals

    def finish(conn: Connection, action: actions.Action, *more: Any) -> bool:
        if action.kind == "timeline" and left:
            left.pop()
            raise OperationalError("UPDATE", {}, Exception("server closed the connection unexpectedly"))
        return honest(conn, action, *more)

    monkeypatch.setattr(write_retry, "PAUSES", (0.0,) * 5)
    monkeypatch.setattr(actions, "finish", finish)
    fail(portal)
    for _ in range(10):
        portal.pass_time(20)
    assert len(written(portal)) == 1
    portal.press(portal.newest(), "mark_handled")
    portal.work()
    (entry,) = portal.timeline()
    assert "Marked as handled by" in entry["body"]


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("down", {}),
        ("html", {}),
        ("rate_limited", {"seconds": 10}),
        ("rate_limited", {"seconds": 86400}),
    ],
)
def test_a_passing_trouble_of_hubspot_only_delays_the_entry(
    portal: HubSpotDesk, kind: str, details: dict[str, Any]
) -> None:
    portal.hubspot.set_fault(kind, path="/communications", method="POST", **details)
    fail(portal)
    assert portal.timeline() == []
    for _ in range(3):
        portal.pass_time(1300)
    assert len(portal.timeline()) == 1


def grant(portal: HubSpotDesk) -> str:
    """What an OAuth install keeps: a token that expires, and what renews it."""
    form = {"grant_type": "authorization_code", "code": CODE, "client_secret": "s"}
    given = requests.post(f"{portal.hubspot.url}/oauth/2026-03/token", data=form, timeout=5).json()
    until = (portal.clock().timestamp()) + given["expires_in"]
    return f'["{given["access_token"]}", "{given["refresh_token"]}", {until}]'


def test_a_token_that_expires_in_the_middle_is_renewed_once(portal: HubSpotDesk) -> None:
    portal.connect_portal(token=grant(portal))
    portal.hubspot.token("expired")
    fail(portal)
    assert len(portal.timeline()) == 1
    renewals = [one for one in portal.hubspot.log() if one["path"].endswith("/token")]
    assert len(renewals) == 2


def test_an_uninstall_is_noticed_and_the_card_says_so(portal: HubSpotDesk) -> None:
    portal.connect_portal(token=grant(portal))
    failure = fail(portal)
    portal.hubspot.token("revoked")
    portal.clock.advance(3600)
    portal.press(failure, "mark_handled")
    portal.work()
    assert portal.card()["error"]["code"] == "not_connected"


def test_a_message_without_a_contact_finds_the_one_record_with_its_number(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["landline_or_unreachable"].phone, contact=None)
    portal.pass_time(15)
    assert len(portal.timeline(contact_id(BY_ID["landline_or_unreachable"]))) == 1


def test_a_number_nobody_has_gets_no_entry(portal: HubSpotDesk) -> None:
    portal.send_for_contact("+46701740699", contact=None)
    portal.pass_time(15)
    assert written(portal) == []


def test_what_the_provider_said_cannot_place_html_on_the_timeline(portal: HubSpotDesk) -> None:
    evil = '<img src=x onerror=alert(1)> <a href="https://evil.example">now</a>'
    body = {"channel": "sms", "message_id": 5, "destination_phone": "+46701740613", "contact_id": CONTACT}
    body |= {"status": "failed", "failure_reason": evil, "body": evil}
    assert portal.gateway("/track", body, "sandbox-sms-2222").status_code == 201
    portal.work()
    (entry,) = portal.timeline()
    assert "<img" not in entry["body"]
    assert "evil.example" in entry["body"]
    assert entry["body"].count("<a ") == 1


def test_an_account_may_switch_the_timeline_off(portal: HubSpotDesk) -> None:
    portal.connect_portal(timeline="off")
    fail(portal)
    assert written(portal) == []


def test_a_partner_account_gets_one_branded_event(portal: HubSpotDesk) -> None:
    portal.connect_portal(timeline="app_event")
    failure = fail(portal)
    portal.press(failure, "mark_handled")
    portal.work()
    assert written(portal) == []
    events = [one for one in portal.hubspot.sends() if one["path"].endswith("/timeline/2026-03/events")]
    assert [one["id"] for one in events] == [f"{failure['messageId']}-failed"]
    assert events[0]["body"]["properties"]["reason"] == "Not on WhatsApp"


@pytest.mark.parametrize("path", ["/sms/messages", "/track"])
def test_a_backend_that_names_the_person_to_both_vendors_means_the_contact_of_this_one(
    portal: HubSpotDesk, path: str
) -> None:
    both = {"X-Intercom-Contact-Id": "64a1b2c3d4e5f60718293a4b", "X-HubSpot-Contact-Id": CONTACT}
    body = {"destination_phone": LANDLINE.phone, "body": "See you Tuesday.", "status": "FAILED"}
    portal.gateway(path, body, keys.SMS, **both)
    portal.pass_time(15)
    assert len(portal.timeline(CONTACT)) == 1


def test_a_contact_of_the_other_vendor_is_nobody_here(portal: HubSpotDesk) -> None:
    body = {"destination_phone": LANDLINE.phone, "body": "See you Tuesday."}
    portal.gateway("/sms/messages", body, keys.SMS, **{"X-Intercom-Contact-Id": CONTACT})
    portal.pass_time(15)
    assert portal.timeline(CONTACT) == []
