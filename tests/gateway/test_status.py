"""Status and list questions: Octopods' own document, with a diagnosis beside what failed."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from werkzeug.test import TestResponse

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message

MARA = BY_ID["not_on_whatsapp"]
TO = "+353871234567"


def ask(desk: Desk, path: str, key: str = keys.WHATSAPP) -> TestResponse:
    return desk.client.get(f"/api/v1{path}", headers={"X-Octopods-Auth": key})


def direct(desk: Desk, path: str, key: str = keys.WHATSAPP) -> requests.Response:
    return requests.get(f"{desk.octopods.url}/api/v1{path}", headers={"X-Octopods-Auth": key}, timeout=5)


@pytest.mark.parametrize("shape", ["guide", "reference", "legacy"])
@pytest.mark.parametrize("failure", ["object", "text"])
def test_a_status_is_octopods_document_with_one_member_more(desk: Desk, shape: str, failure: str) -> None:
    desk.connect()
    desk.octopods.shapes(status=shape, failure=failure)
    number = desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"]).get_json()["message_id"]
    desk.octopods.advance(15)
    own, ours = direct(desk, f"/whatsapp/messages/{number}"), ask(desk, f"/whatsapp/messages/{number}")
    assert ours.status_code == own.status_code == 200
    assert ours.data.startswith(own.content.rstrip().removesuffix(b"}"))
    document = ours.get_json()
    assert document.pop("diagnosis")["reason"] == "not_on_whatsapp"
    assert document == own.json()


def test_asking_is_as_good_as_a_poll(desk: Desk) -> None:
    desk.connect()
    number = desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"]).get_json()["message_id"]
    desk.octopods.advance(15)
    ask(desk, f"/whatsapp/messages/{number}")
    assert only_message(desk).reason == "not_on_whatsapp"
    assert "Not on WhatsApp" in desk.initialize().words


def test_what_did_not_fail_has_no_diagnosis(desk: Desk) -> None:
    desk.connect()
    number = desk.send_sms(TO).get_json()["message_id"]
    desk.octopods.advance(15)
    document = ask(desk, f"/sms/messages/{number}", keys.SMS).get_json()
    assert (document["status"], document["diagnosis"]) == ("DELIVERED", None)
    assert only_message(desk).status == "delivered"


@pytest.mark.parametrize("shape", ["reference", "guide"])
def test_the_list_keeps_its_shape_and_tells_each_failure(desk: Desk, shape: str) -> None:
    desk.connect()
    desk.octopods.shapes(listing=shape)
    desk.send_whatsapp(TO, 90001, ["Jo", "Tuesday"])
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.octopods.advance(15)
    own, ours = (
        direct(desk, "/whatsapp/messages?limit=1").json(),
        ask(desk, "/whatsapp/messages?limit=1").get_json(),
    )
    items: list[dict[str, Any]] = ours if shape == "guide" else ours["messages"]
    assert [item.pop("diagnosis")["reason"] for item in items] == ["not_on_whatsapp"]
    assert items == (own if shape == "guide" else own["messages"])


def test_an_empty_list_and_an_unknown_id_are_octopods_own_400(desk: Desk) -> None:
    desk.connect()
    for path in ("/whatsapp/messages", "/whatsapp/messages/1", "/whatsapp/messages/a%3Fb%25"):
        own, ours = direct(desk, path), ask(desk, path)
        assert (ours.status_code, ours.get_json()["error"]) == (own.status_code, own.json()["error"])


def test_templates_pass_through_byte_for_byte(desk: Desk) -> None:
    desk.connect("whatsapp", "vbm")
    for path, key in (
        ("/whatsapp/templates?status=rejected", keys.WHATSAPP),
        ("/whatsapp/templates/90001", keys.WHATSAPP),
        ("/whatsapp/templates?status=odd", keys.WHATSAPP),
        ("/vbm/templates", keys.VBM),
        ("/vbm/templates/1", keys.VBM),
    ):
        own, ours = direct(desk, path, key), ask(desk, path, key)
        assert ours.status_code == own.status_code
        assert ours.data == own.content or "request_id" in own.json()


def test_a_viber_status_is_told_from_what_we_know_and_says_so(desk: Desk) -> None:
    desk.connect("vbm")
    body = {"destination_phone": TO, "message_variables": ["Mara", "Tuesday"]}
    taken = desk.gateway("/vbm/templates/70001/messages", body, keys.VBM).get_json()
    desk.gateway("/vbm/templates/70001/messages", {**body, "destination_phone": "+46701740612"}, keys.VBM)
    document = ask(desk, f"/vbm/messages/{taken['message_id']}", keys.VBM).get_json()
    assert (document["status"], document["answered_by"]) == ("SENT", "redeliver")
    assert ask(desk, f"/vbm/messages/{taken['request_id']}x", keys.VBM).status_code == 400
    failed = next(m for m in all_messages(desk) if m.status == "failed")
    document = ask(desk, f"/vbm/messages/{failed.id}", keys.VBM).get_json()
    assert (document["status"], document["diagnosis"]["reason"]) == ("FAILED", "not_on_viber")


def test_a_viber_message_answered_with_a_request_id_alone_is_found_by_it(both_desk: Desk) -> None:
    both_desk.connect("vbm")
    both_desk.octopods.shapes(sends="request_id")
    body = {"destination_phone": TO, "message_variables": ["Mara", "Tuesday"]}
    taken = both_desk.gateway("/vbm/templates/70001/messages", body, keys.VBM).get_json()
    document = ask(both_desk, f"/vbm/messages/{taken['request_id']}", keys.VBM).get_json()
    assert (document["message_id"], document["status"]) == (taken["request_id"], "SENT")


def test_octopods_away_is_502_and_a_429_stops_our_own_questions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()
    desk.send_sms(TO)
    desk.octopods.block_key(keys.SMS, 300)
    assert ask(desk, "/sms/messages/1", keys.SMS).status_code == 429
    asked = len(desk.octopods.log())
    desk.pass_time(60)
    assert len(desk.octopods.log()) == asked
    monkeypatch.setattr(desk.flow.octopods, "_base", "http://127.0.0.1:9/api/v1")
    assert ask(desk, "/sms/messages/1", keys.SMS).status_code == 502
