"""The HubSpot client: what is asked, and what each of its error shapes means."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from canvas.clients.errors import BrokenAnswer, CallFailed, RateLimited, Refused, Unauthorised, Unsure
from canvas.clients.http import Http
from canvas.clients.hubspot import HubSpot
from canvas.clients.hubspot_answers import EXPIRED, REVOKED
from tests.clients.scripted import Turn, answer, hang_up_after_reading, scripted

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PHONE = "+447911123456"
CONTACT = {"id": "901", "properties": {"phone": PHONE, "mobilephone": None, "firstname": "Mara"}}
GRANT = {
    "access_token": "made-up-access-token",
    "refresh_token": "made-up-refresh-token",
    "expires_in": 1800,
    "hub_id": 62515,
    "user_id": 5501,
    "scopes": ["oauth", "crm.objects.contacts.read"],
}


def client(url: str) -> HubSpot:
    return HubSpot(Http(), url, clock=lambda: NOW)


def error(category: str, message: str, **more: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": "c-1", "category": category, **more}


def read_contact(turn: Turn) -> CallFailed:
    with scripted(turn) as server, pytest.raises(CallFailed) as caught:
        client(server.url).get_contact("t", "901")
    return caught.value


def test_a_code_becomes_tokens_and_the_portal() -> None:
    with scripted(answer(200, GRANT)) as server:
        grant = client(server.url).exchange_code("id", "secret", "https://app.test/cb", "co=de")
    assert (grant.access_token, grant.refresh_token) == ("made-up-access-token", "made-up-refresh-token")
    assert (grant.portal_id, grant.expires_in, grant.scopes[0]) == ("62515", 1800, "oauth")
    assert server.last.path == "/oauth/2026-03/token"
    assert b"code=co%3Dde" in server.last.body
    assert server.last.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "made-up" not in repr(grant)


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one() -> None:
    body = {name: value for name, value in GRANT.items() if name != "refresh_token"}
    with scripted(answer(200, body)) as server:
        assert client(server.url).refresh("id", "secret", "old").refresh_token == "old"


@pytest.mark.parametrize("body", [{"status": REVOKED, "error": "invalid_grant"}, {"error": "invalid_grant"}])
def test_a_revoked_grant_is_told_apart_from_a_bad_day(body: dict[str, str]) -> None:
    with scripted(answer(400, body), answer(500, b"")) as server:
        with pytest.raises(Unauthorised) as caught:
            client(server.url).refresh("id", "secret", "old")
        with pytest.raises(Unsure) as again:
            client(server.url).refresh("id", "secret", "old")
    assert caught.value.code == next(iter(body.values()))
    assert again.value.may_retry


def test_a_contact_brings_its_numbers_best_first() -> None:
    properties = {"phone": "087", "mobilephone": "", "hs_whatsapp_phone_number": "+353", "lastname": "Kos"}
    with scripted(answer(200, {"id": 901, "properties": properties})) as server:
        contact = client(server.url).get_contact("tok", "901")
    assert (contact.id, contact.numbers, contact.name) == ("901", ("+353", "087"), "Kos")
    assert server.last.headers["authorization"] == "Bearer tok"
    path, _, query = server.last.path.partition("?")
    assert path == "/crm/objects/2026-03/contacts/901"
    assert "mobilephone" in query


def test_a_search_asks_five_fields_and_believes_only_the_same_number() -> None:
    found = [
        {"id": "1", "properties": {"phone": "07911 123456"}},
        {"id": "2", "properties": {"phone": "+1 7911123456", "mobilephone": "+44 7911 123456"}},
        {"id": "3", "properties": {"phone": "+467911123456"}},
    ]
    with scripted(answer(200, {"total": 3, "results": found})) as server:
        contacts = client(server.url).search_contacts_by_phone("t", PHONE)
    assert [c.id for c in contacts] == ["1", "2"]
    wish = server.last.json
    asked = {g["filters"][0]["propertyName"]: g["filters"][0]["value"] for g in wish["filterGroups"]}
    assert asked == {
        "phone": PHONE,
        "mobilephone": PHONE,
        "hs_whatsapp_phone_number": PHONE,
        "hs_searchable_calculated_phone_number": "7911123456",
        "hs_searchable_calculated_mobile_number": "7911123456",
    }
    assert {"after", "filterGroups", "limit", "properties", "sorts"} == set(wish)


def test_only_the_phone_is_written_and_the_answer_compared() -> None:
    with scripted(answer(200, CONTACT)) as server:
        client(server.url).set_phone("t", "901", PHONE)
        assert (server.last.method, server.last.json) == ("PATCH", {"properties": {"phone": PHONE}})
        with pytest.raises(Refused):
            client(server.url).set_phone("t", "901", "+447911123457")
        with pytest.raises(Refused):
            client(server.url).set_phone("t", "901", PHONE, "mobilephone")


@pytest.mark.parametrize(
    ("channel", "kind", "association", "properties"),
    [
        (
            "whatsapp",
            "communications",
            81,
            {
                "hs_communication_channel_type": "WHATS_APP",
                "hs_communication_logged_from": "CRM",
                "hs_communication_body": "x",
            },
        ),
        (
            "sms",
            "communications",
            81,
            {
                "hs_communication_channel_type": "SMS",
                "hs_communication_logged_from": "CRM",
                "hs_communication_body": "x",
            },
        ),
        ("vbm", "notes", 202, {"hs_note_body": "x"}),
    ],
)
def test_each_channel_has_its_kind_of_entry(
    channel: str, kind: str, association: int, properties: dict[str, str]
) -> None:
    with scripted(answer(201, {"id": "33445566"}), answer(200, {"id": "33445566"})) as server:
        hubspot = client(server.url)
        assert hubspot.write_activity("t", "901", channel, "x", NOW) == "33445566"
        assert server.last.path == f"/crm/objects/2026-03/{kind}"
        assert server.last.json["properties"] == properties | {"hs_timestamp": "2026-11-23T12:00:00.000Z"}
        (link,) = server.last.json["associations"]
        assert link["to"] == {"id": "901"}
        assert link["types"][0]["associationTypeId"] == association
        hubspot.rewrite_activity("t", channel, "33445566", "y")
    assert (server.last.method, server.last.path) == ("PATCH", f"/crm/objects/2026-03/{kind}/33445566")


def test_an_entry_that_broke_may_have_been_written_and_can_be_looked_for() -> None:
    hit = {"id": "5", "properties": {"hs_note_body": "About msg_81c."}}
    found, nothing = answer(200, {"results": [hit]}), answer(200, {"results": []})
    with scripted(hang_up_after_reading, found, nothing) as server:
        hubspot = client(server.url)
        with pytest.raises(Unsure) as caught:
            hubspot.write_activity("t", "901", "vbm", "About msg_81c.", NOW)
        assert not caught.value.may_retry
        assert hubspot.find_activity("t", "vbm", "msg_81c") == "5"
        assert hubspot.find_activity("t", "vbm", "msg_81c") is None


def test_what_exists_already_is_there() -> None:
    with scripted(answer(409, error("CONFLICT", "Event 1 already exists."))) as server:
        client(server.url).send_event("t", "type", "msg_1-failed", "901", NOW, {"channel": "sms"})
        client(server.url).ensure_property("t", {"name": "last_failed_reason"})
    assert [r.path for r in server.received] == [
        "/integrators/timeline/2026-03/events",
        "/crm/properties/2026-03/contacts",
    ]


@pytest.mark.parametrize(("ok", "state"), [(True, "SUCCESS"), (False, "FAIL_CONTINUE")])
def test_a_blocked_workflow_run_goes_on(ok: bool, state: str) -> None:
    with scripted(answer(204)) as server:
        client(server.url).complete_callback("t", "ap-62515-5661-3-1", {"outcome": "delivered"}, ok)
    assert server.last.path == "/automation/actions/callbacks/2026-03/ap-62515-5661-3-1/complete"
    assert server.last.json == {
        "outputFields": {"outcome": "delivered", "hs_execution_state": state},
        "typedOutputs": {},
    }


def test_a_validation_error_is_told_in_hubspots_own_sentence() -> None:
    detail = [
        {
            "message": 'Property "phone" is odd',
            "error": "INVALID_PHONE_NUMBER",
            "name": "phone",
            "localizedErrorMessage": "Die Nummer ist ungültig",
        }
    ]
    failure = read_contact(
        answer(400, error("VALIDATION_ERROR", f"Property values were not valid: {json.dumps(detail)}"))
    )
    assert type(failure) is Refused
    assert failure.message == "HubSpot said: Die Nummer ist ungültig"
    assert failure.details == {"property": "phone", "error": "INVALID_PHONE_NUMBER"}
    assert (failure.code, failure.request_id) == ("VALIDATION_ERROR", "c-1")


@pytest.mark.parametrize("inner", ["[{broken", "[]", '"text"', "[1]"])
def test_a_validation_error_without_a_readable_detail_is_shown_whole(inner: str) -> None:
    failure = read_contact(answer(400, error("VALIDATION_ERROR", f"Property values were not valid: {inner}")))
    assert failure.message == f"HubSpot said: Property values were not valid: {inner}"


@pytest.mark.parametrize(
    ("turn", "kind", "code"),
    [
        (answer(401, error(EXPIRED, "The OAuth token ... expired 75 second(s) ago.")), Unauthorised, EXPIRED),
        (answer(401, error("INVALID_AUTHENTICATION", "x")), Unauthorised, "INVALID_AUTHENTICATION"),
        (answer(404, error("OBJECT_NOT_FOUND", "resource not found")), Refused, "OBJECT_NOT_FOUND"),
        (answer(400, error("BANNED", "x")), Refused, "BANNED"),
        (answer(301, b""), Refused, None),
        (answer(502, b"<html>"), BrokenAnswer, None),
        (answer(524, b""), BrokenAnswer, None),
        (answer(200, b"<html>"), BrokenAnswer, None),
        (answer(200, []), BrokenAnswer, None),
        (answer(200, {}), BrokenAnswer, None),
        (answer(200, error("VALIDATION_ERROR", "x")), Refused, "VALIDATION_ERROR"),
    ],
)
def test_every_answer_means_something(turn: Turn, kind: type[CallFailed], code: str | None) -> None:
    failure = read_contact(turn)
    assert (type(failure), failure.code) == (kind, code)


def test_missing_scopes_are_named() -> None:
    context = {"requiredGranularScopes": ["crm.objects.contacts.write", "oauth"]}
    body = error("MISSING_SCOPES", "This app hasn't been granted all scopes.", errors=[{"context": context}])
    failure = read_contact(answer(403, body))
    assert isinstance(failure, Unauthorised)
    assert failure.details["scopes"] == "crm.objects.contacts.write oauth"


def test_a_conflict_names_the_other_contact() -> None:
    turn = answer(409, error("CONFLICT", "Contact already exists. Existing ID: 123"))
    with scripted(turn) as server, pytest.raises(Refused) as caught:
        client(server.url).set_phone("t", "901", PHONE)
    assert caught.value.details["other_id"] == "123"


@pytest.mark.parametrize(
    ("status", "policy", "header", "wait"),
    [
        (429, "TEN_SECONDLY_ROLLING", "", 10),
        (429, "SECONDLY", "", 1),
        (429, "DAILY", "", 3600),
        (429, "DAILY", "120", 120),
        (429, None, "", 10),
        (423, None, "", 2),
        (477, None, "600", 600),
    ],
)
def test_each_limit_has_its_own_wait(status: int, policy: str | None, header: str, wait: int) -> None:
    body = {"status": "error", "message": "You have reached your limit.", "policyName": policy}
    failure = read_contact(answer(status, body, {"Retry-After": header}))
    assert isinstance(failure, RateLimited)
    assert failure.retry_at == NOW + timedelta(seconds=wait)
    assert failure.details.get("policy") == policy


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.get_contact("secret-token", "1"),
        lambda c: c.refresh("id", "secret-token", "secret-token"),
        lambda c: c.get_contact("secret-token\nx", "1"),
    ],
)
def test_no_error_tells_the_token(call: Callable[[HubSpot], object]) -> None:
    with scripted(answer(400, error("x", "y"))) as server, pytest.raises(CallFailed) as caught:
        call(client(server.url))
    assert "secret-token" not in repr(caught.value) + str(caught.value) + caught.value.message
