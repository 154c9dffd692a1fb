"""What Intercom tells us by itself: health, uninstall, contacts merged and deleted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from werkzeug.test import TestResponse

from canvas.domain.message import Status
from canvas.domain.wording import noted
from canvas.flows import installs as install_flow
from canvas.flows.discovery import keep_looking
from canvas.flows.insights import keep_counting
from canvas.flows.retention import purge
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import audit, installs
from canvas.store.database import reading, writing
from canvas.surfaces.guard import hub_signature
from tests.clients.scripted import answer, scripted
from tests.desk import SECRET, TOKEN, WORKSPACE, Desk
from tests.gateway.records import all_messages
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import Browser
from tests.web.test_message_page import failed

MARA = BY_ID["not_on_whatsapp"]
ARRIVES = "+353871234567"


def notify(
    site: HubSpotDesk, topic: str, item: Any, id_: str = "notif_1", secret: str = SECRET
) -> TestResponse:
    document = {"type": "notification_event", "id": id_, "topic": topic, "app_id": WORKSPACE}
    data = json.dumps({**document, "data": {"item": item}}).encode()
    signature = {"X-Hub-Signature": hub_signature(secret, data)}
    answer = site.client.post("/intercom/webhooks", data=data, headers=signature)
    site.work()
    return answer


def health(site: Desk) -> dict[str, Any]:
    answer: dict[str, Any] = site.intercom_post("/intercom/health", {"workspace_id": WORKSPACE}).get_json()
    return answer


def test_the_address_can_be_saved_in_the_developer_hub(site: HubSpotDesk) -> None:
    assert site.client.head("/intercom/webhooks").status_code == 200


def test_a_merged_contact_s_messages_follow_however_often_it_is_told(site: HubSpotDesk) -> None:
    failed(site)
    for _ in range(3):
        merged = {"type": "contact", "id": "c9", "merged_from": {"id": "c1"}}
        assert notify(site, "contact.merged", merged).status_code == 200
    assert "Not on WhatsApp" in site.initialize("c9").words
    assert "No failed messages" in site.initialize("c1").words


@pytest.mark.parametrize("topic", ["contact.deleted", "contact.user.deleted"])
def test_a_deleted_contact_is_erased_here_too(site: HubSpotDesk, topic: str) -> None:
    failed(site)
    assert notify(site, topic, {"type": "contact", "id": "c1"}).status_code == 200
    assert "No failed messages" in site.initialize("c1").words


def test_a_forged_notification_does_nothing(site: HubSpotDesk) -> None:
    failed(site)
    assert notify(site, "contact.deleted", {"id": "c1"}, secret="another").status_code == 401
    assert "Not on WhatsApp" in site.initialize("c1").words


@pytest.mark.parametrize("item", [None, [], "x", {"id": None}, {"id": []}, {"id": "x" * 9999}, {}])
@pytest.mark.parametrize("topic", ["ping", "contact.merged", "contact.deleted", "contact.archived", "", "x"])
def test_whatever_is_told_is_answered_200_and_never_410(site: HubSpotDesk, topic: str, item: Any) -> None:
    site.connect()
    assert notify(site, topic, item).status_code == 200


def test_signed_nonsense_is_200_too(site: HubSpotDesk) -> None:
    for data in (b"", b"[]", b"\xff", b"{", b'{"app_id":{}}'):
        headers = {"X-Hub-Signature": hub_signature(SECRET, data)}
        assert site.client.post("/intercom/webhooks", data=data, headers=headers).status_code == 200


def test_uninstalling_forgets_the_token_at_once_and_the_rest_after_the_grace(
    site: HubSpotDesk, browser: Browser
) -> None:
    failed(site)
    for _ in range(2):
        assert site.intercom_post("/intercom/uninstall", {"app_id": WORKSPACE}).status_code == 200
    with reading(site.flow.engine) as conn:
        gone = installs.find(conn, "intercom", WORKSPACE)
    assert gone
    assert (gone.status, gone.token_sealed) == (installs.REMOVED, None)
    assert "not connected" in site.initialize().words
    site.clock.advance((site.flow.erase_after + timedelta(hours=1)).total_seconds())
    purge(site.flow)
    with reading(site.flow.engine) as conn:
        assert installs.find(conn, "intercom", WORKSPACE) is None


def asks_an_admin(desk: Desk) -> None:
    """A note that the worker is to write in Intercom with the workspace's token."""
    desk.octopods.add_key(keys.SMS, "sms", "deprecated")
    desk.send_sms(ARRIVES)
    desk.click(desk.initialize(), "Ask an admin")


def revoke(desk: Desk) -> None:
    """The app is taken out of the workspace, and no word of it reaches us."""
    url = f"{desk.intercom.url}/auth/uninstall"
    assert requests.post(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5).ok


def test_a_token_that_was_revoked_is_noticed_by_the_first_call(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    revoke(desk)
    asks_an_admin(desk)
    with reading(desk.flow.engine) as conn:
        left = installs.find(conn, "intercom", WORKSPACE)
        trail = [] if left is None else audit.newest(conn, left.id, 1)
    assert left
    assert (left.status, left.token_sealed) == (installs.DISCONNECTED, None)
    assert [line.deed for line in trail] == ["install.disconnected"]
    assert (health(desk)["state"], health(desk)["cta_type"]) == ("UNHEALTHY", "REINSTALL_CTA")
    assert "not connected" in desk.initialize().words
    desk.intercom.reset()
    desk.connect()
    assert health(desk) == {"state": "OK"}
    desk.clock.advance((desk.flow.erase_after + timedelta(days=1)).total_seconds())
    assert purge(desk.flow).installs == 0


def test_a_workspace_that_revoked_its_token_is_erased_after_its_grace(desk: Desk) -> None:
    desk.connect()
    revoke(desk)
    asks_an_admin(desk)
    desk.clock.advance((desk.flow.erase_after + timedelta(hours=1)).total_seconds())
    assert purge(desk.flow).installs == 1


def test_a_permission_that_is_missing_disconnects_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.connect()
    refusal = {"type": "error.list", "errors": [{"code": "api_plan_restricted", "message": "No plan."}]}
    with scripted(answer(403, refusal)) as intercom:
        monkeypatch.setattr(desk.flow.intercom, "_base", intercom.url)
        asks_an_admin(desk)
        assert len(intercom.received) == 1
    assert health(desk) == {"state": "OK"}


def test_a_refusal_that_comes_late_keeps_who_connected_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()
    revoke(desk)
    ask = desk.flow.intercom.write_note

    def slowly(*given: str) -> None:
        try:
            ask(*given)
        finally:
            desk.connect()

    monkeypatch.setattr(desk.flow.intercom, "write_note", slowly)
    asks_an_admin(desk)
    assert health(desk) == {"state": "OK"}


def test_a_fix_that_waits_is_not_sent_after_an_uninstall(desk: Desk) -> None:
    desk.connect("whatsapp", "sms", undo_seconds=60)
    desk.send_whatsapp(MARA.phone, variables=["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.click(desk.initialize(), "Send as SMS instead")
    desk.intercom_post("/intercom/uninstall", {"app_id": WORKSPACE})
    sent = len(desk.octopods.sends())
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == sent
    ours = "The workspace disconnected Redeliver before this was sent."
    assert noted(all_messages(desk)[-1]) == ours


def test_after_an_uninstall_keys_are_used_for_the_customers_own_sends_alone(site: HubSpotDesk) -> None:
    site.connect("whatsapp", "sms")
    keep_looking(site.flow)
    keep_counting(site.flow)
    site.send_whatsapp(ARRIVES, variables=["Mara", "Tuesday"])
    site.intercom_post("/intercom/uninstall", {"app_id": WORKSPACE})
    before = len(site.octopods.log())
    for hours in (0.01, 1, 4):
        site.pass_time(hours * 3600)
        keep_looking(site.flow)
        keep_counting(site.flow)
    assert [one["path"] for one in site.octopods.log()[before:]] == []
    assert site.send_whatsapp(ARRIVES, variables=["Mara", "Friday"]).status_code == 201
    site.pass_time(3600)
    assert [one["method"] for one in site.octopods.log()[before:]] == ["POST"]
    site.connect("whatsapp", "sms")
    keep_looking(site.flow)
    site.pass_time(300)
    assert any(one["path"].endswith("/whatsapp/messages") for one in site.octopods.log()[before:])
    assert {m.status for m in all_messages(site)} <= {Status.DELIVERED, Status.READ}


def test_uninstalling_signs_everybody_out_and_connecting_again_brings_them_back(
    site: HubSpotDesk, browser: Browser
) -> None:
    browser.sign_in()
    site.intercom_post("/intercom/uninstall", {"app_id": "sandbox"})
    assert browser.get("/settings").status == 401
    assert browser.sign_in().status == 200


def test_an_unknown_workspace_leaves_without_a_fuss(site: HubSpotDesk) -> None:
    assert site.intercom_post("/intercom/uninstall", {"app_id": "nobody"}).status_code == 200


@pytest.mark.parametrize("path", ["/intercom/health", "/intercom/uninstall"])
def test_unsigned_calls_are_401(site: HubSpotDesk, path: str) -> None:
    assert site.intercom_post(path, {"app_id": WORKSPACE}, "0" * 64).status_code == 401


def test_health_tells_what_a_teammate_must_do(site: HubSpotDesk) -> None:
    assert health(site)["cta_type"] == "REINSTALL_CTA"
    site.connect()
    assert health(site) == {"state": "OK"}
    with writing(site.flow.engine) as conn:
        installs.put(conn, "intercom", WORKSPACE, site.clock(), status=installs.DISCONNECTED)
    assert (health(site)["state"], health(site)["cta_type"]) == ("UNHEALTHY", "REINSTALL_CTA")


def test_health_without_a_channel_leads_to_the_settings(site: HubSpotDesk) -> None:
    install_flow.connect(site.flow, "intercom", WORKSPACE, "token")
    assert health(site)["cta_url"] == "https://redeliver.example.com/settings"


def test_health_does_not_blame_the_workspace_for_our_trouble(site: HubSpotDesk) -> None:
    site.connect()
    with site.flow.engine.connect() as conn, conn.begin():
        conn.exec_driver_sql("ALTER TABLE channels RENAME TO hidden")
    assert health(site) == {"state": "UNKNOWN"}
