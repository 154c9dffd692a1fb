"""The fake HubSpot behaves as HubSpot's documentation says, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from canvas.sandbox.hubspot_people import contact_id
from canvas.sandbox.hubspot_state import STATIC_TOKEN
from canvas.sandbox.people import BY_ID
from tests.fakes import HubSpotFake

MARA = contact_id(BY_ID["not_on_whatsapp"])
OTHER = contact_id(BY_ID["not_on_viber"])
CRM = "/crm/objects/2026-03"


def call(
    fake: HubSpotFake, method: str, path: str, body: Any = None, token: str = STATIC_TOKEN
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{fake.url}{path}", json=body, headers=headers, timeout=5)


def note(body: str, contact: str = MARA) -> dict[str, Any]:
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
    return {
        "properties": {"hs_timestamp": "2026-11-23T10:30:00Z", "hs_note_body": body},
        "associations": [{"to": {"id": contact}, "types": [kind]}],
    }


def search(fake: HubSpotFake, kind: str, name: str, operator: str, value: str) -> list[str]:
    filters = [{"propertyName": name, "operator": operator, "value": value}]
    wish = {"filterGroups": [{"filters": filters}], "properties": [], "sorts": [], "limit": 10, "after": "0"}
    return [one["id"] for one in call(fake, "POST", f"{CRM}/{kind}/search", wish).json()["results"]]


def test_a_phone_written_back_is_read_back_by_name_only(fake_hubspot: HubSpotFake) -> None:
    path = f"{CRM}/contacts/{MARA}"
    changed = call(fake_hubspot, "PATCH", path, {"properties": {"phone": "+46701740650"}})
    assert changed.json()["properties"]["phone"] == "+46701740650"
    assert "phone" not in call(fake_hubspot, "GET", path).json()["properties"]
    assert (
        call(fake_hubspot, "GET", f"{path}?properties=phone").json()["properties"]["phone"] == "+46701740650"
    )


def test_a_refused_property_hides_its_detail_inside_the_message(fake_hubspot: HubSpotFake) -> None:
    answer = call(fake_hubspot, "PATCH", f"{CRM}/contacts/{MARA}", {"properties": {"phone": "call me"}})
    message = answer.json()["message"]
    (detail,) = json.loads(message.removeprefix("Property values were not valid: "))
    assert (answer.status_code, detail["name"]) == (400, "phone")
    assert detail["localizedErrorMessage"] == "call me is not a valid phone number"


@pytest.mark.parametrize(
    ("state", "status", "category"),
    [
        ("expired", 401, "EXPIRED_AUTHENTICATION"),
        ("revoked", 401, "INVALID_AUTHENTICATION"),
        ("missing_scopes", 403, "MISSING_SCOPES"),
    ],
)
def test_a_token_can_go_bad(fake_hubspot: HubSpotFake, state: str, status: int, category: str) -> None:
    fake_hubspot.token(state)
    answer = call(fake_hubspot, "GET", f"{CRM}/contacts/{MARA}")
    assert (answer.status_code, answer.json()["category"]) == (status, category)


def test_a_refreshed_token_works_and_a_revoked_one_cannot_be_refreshed(fake_hubspot: HubSpotFake) -> None:
    exchange = {"grant_type": "authorization_code", "client_secret": "s", "code": "sandbox-hubspot-code"}
    url = f"{fake_hubspot.url}/oauth/2026-03/token"
    granted = requests.post(url, data=exchange, timeout=5).json()
    assert granted["hub_id"] == 62515
    refresh = {
        "grant_type": "refresh_token",
        "client_secret": "s",
        "refresh_token": granted["refresh_token"],
    }
    fresh = requests.post(url, data=refresh, timeout=5).json()["access_token"]
    assert call(fake_hubspot, "GET", f"{CRM}/contacts/{MARA}", token=fresh).ok
    fake_hubspot.token("revoked")
    gone = requests.post(url, data=refresh, timeout=5)
    assert (gone.status_code, gone.json()["status"]) == (400, "BAD_REFRESH_TOKEN")


def test_a_cut_connection_leaves_the_note_on_the_timeline(fake_hubspot: HubSpotFake) -> None:
    fake_hubspot.set_fault("cut_after", path="/notes")
    with pytest.raises(requests.ConnectionError):
        call(fake_hubspot, "POST", f"{CRM}/notes", note("Reference msg_7f3."))
    assert [entry["body"] for entry in fake_hubspot.timeline(MARA)] == ["Reference msg_7f3."]


def test_search_finds_a_note_by_its_reference_once_the_index_has_it(fake_hubspot: HubSpotFake) -> None:
    fake_hubspot.search_lag(30)
    created = call(fake_hubspot, "POST", f"{CRM}/notes", note("Failed. Reference msg_7f3.")).json()["id"]
    assert search(fake_hubspot, "notes", "hs_note_body", "CONTAINS_TOKEN", "msg_7f3") == []
    fake_hubspot.advance(31)
    assert search(fake_hubspot, "notes", "hs_note_body", "CONTAINS_TOKEN", "msg_7f3") == [created]
    assert search(fake_hubspot, "notes", "hs_note_body", "CONTAINS_TOKEN", "msg_7f") == []


def test_contacts_are_found_by_the_national_number(fake_hubspot: HubSpotFake) -> None:
    name = "hs_searchable_calculated_phone_number"
    assert search(fake_hubspot, "contacts", name, "EQ", "701740611") == [MARA]


def test_a_merged_contact_answers_as_the_surviving_one(fake_hubspot: HubSpotFake) -> None:
    fake_hubspot.merge(loser=OTHER, winner=MARA)
    assert call(fake_hubspot, "GET", f"{CRM}/contacts/{OTHER}").json()["id"] == MARA


def test_an_activity_needs_its_properties_and_the_right_association(fake_hubspot: HubSpotFake) -> None:
    wrong = note("x")
    wrong["associations"][0]["types"][0]["associationTypeId"] = 81
    assert call(fake_hubspot, "POST", f"{CRM}/notes", wrong).status_code == 400
    assert call(fake_hubspot, "POST", f"{CRM}/communications", note("x")).status_code == 400


@pytest.mark.parametrize(
    ("path", "seconds", "policy"),
    [("/contacts", 10, "TEN_SECONDLY_ROLLING"), ("/contacts", 86400, "DAILY"), ("/search", 1, "SECONDLY")],
)
def test_a_limit_names_its_policy(fake_hubspot: HubSpotFake, path: str, seconds: int, policy: str) -> None:
    fake_hubspot.set_fault("rate_limited", path=path, seconds=seconds)
    target = f"{CRM}/contacts/search" if path == "/search" else f"{CRM}/contacts/{MARA}"
    answer = call(fake_hubspot, "POST" if path == "/search" else "GET", target, {})
    assert (answer.status_code, answer.json()["policyName"]) == (429, policy)


def test_an_app_event_id_is_taken_once(fake_hubspot: HubSpotFake) -> None:
    event = {"eventTypeName": "message_failed", "id": "msg_7f3-failed", "objectId": MARA, "properties": {}}
    path = "/integrators/timeline/2026-03/events"
    assert [call(fake_hubspot, "POST", path, event).status_code for _ in range(2)] == [201, 409]


def test_a_blocked_workflow_run_is_completed_by_its_callback(fake_hubspot: HubSpotFake) -> None:
    path = "/automation/actions/callbacks/2026-03/ap-1/complete"
    outputs = {"hs_execution_state": "SUCCESS", "outcome": "delivered"}
    assert call(fake_hubspot, "POST", path, {"outputFields": outputs}).status_code == 400
    assert call(fake_hubspot, "POST", path, {"outputFields": outputs, "typedOutputs": {}}).status_code == 204
    assert fake_hubspot.callbacks() == {"ap-1": outputs}
