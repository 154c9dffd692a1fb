"""The fake Intercom behaves as Intercom's REST documentation says, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from canvas.sandbox.intercom_oauth import BEARER
from canvas.sandbox.intercom_people import contact_id, conversation_id
from canvas.sandbox.people import BY_ID
from tests.fakes import Fake

MARA = BY_ID["not_on_whatsapp"]


def call(fake: Fake, method: str, path: str, body: Any = None, token: str = BEARER) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Intercom-Version": "2.15"}
    return requests.request(method, f"{fake.url}{path}", json=body, headers=headers, timeout=5)


def test_a_phone_written_back_is_read_back(fake_intercom: Fake) -> None:
    path = f"/contacts/{contact_id(MARA)}"
    assert call(fake_intercom, "PUT", path, {"phone": "+46701740650"}).json()["phone"] == "+46701740650"
    assert call(fake_intercom, "GET", path).json()["phone"] == "+46701740650"
    assert len(fake_intercom.sends()) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "status", "message"),
    [
        ("GET", "/me", None, "wrong", 401, "Access Token Invalid"),
        ("PUT", "/contacts/gone", {}, BEARER, 404, "Contact Not Found"),
        ("GET", "/contacts/gone", None, BEARER, 404, "User Not Found"),
        ("POST", "/conversations/1/reply", {}, BEARER, 404, "Resource Not Found"),
        ("POST", "/auth/eagle/token", {"code": "sandbox-code"}, BEARER, 401, "Unauthorized Code"),
    ],
)
def test_refusals_have_intercoms_shape(
    fake_intercom: Fake, method: str, path: str, body: Any, token: str, status: int, message: str
) -> None:
    answer = call(fake_intercom, method, path, body, token)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (status, message)


def test_a_shared_email_is_a_conflict_that_names_the_other_contact(fake_intercom: Fake) -> None:
    other = call(fake_intercom, "GET", f"/contacts/{contact_id(BY_ID['unknown'])}").json()
    answer = call(fake_intercom, "PUT", f"/contacts/{contact_id(MARA)}", {"email": other["email"]})
    assert answer.status_code == 409
    assert f"id={other['id']}" in answer.json()["errors"][0]["message"]


def test_a_note_is_kept_and_counted(fake_intercom: Fake) -> None:
    note = {"message_type": "note", "type": "admin", "admin_id": "814860", "body": "<p>Resent.</p>"}
    answer = call(fake_intercom, "POST", f"/conversations/{conversation_id(MARA)}/reply", note)
    assert answer.json()["id"] == conversation_id(MARA)
    assert [entry["body"]["body"] for entry in fake_intercom.sends()] == ["<p>Resent.</p>"]


def test_search_compares_a_phone_as_stored(fake_intercom: Fake) -> None:
    def found(operator: str, value: str) -> list[str]:
        query = {"operator": "OR", "value": [{"field": "phone", "operator": operator, "value": value}]}
        answer = call(fake_intercom, "POST", "/contacts/search", {"query": query}).json()
        return [contact["name"] for contact in answer["data"]]

    assert found("=", "+491713920012") == []
    assert found("=", "0171 39200 12") == ["Lena Vogt"]
    assert found("$", "00 12") == ["Lena Vogt"]


def test_every_answer_carries_the_rate_headers_and_a_full_window_is_429(fake_intercom: Fake) -> None:
    assert call(fake_intercom, "GET", "/me").headers["X-RateLimit-Limit"] == "1666"
    fake_intercom.set_fault("rate_limited", seconds=5)
    answer = call(fake_intercom, "GET", "/me")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (429, "0")


def test_after_uninstall_the_token_is_worth_nothing(fake_intercom: Fake) -> None:
    token = call(fake_intercom, "POST", "/auth/eagle/token", {"code": "sandbox-code="}).json()["token"]
    assert call(fake_intercom, "POST", "/auth/uninstall", token=token).status_code == 200
    assert call(fake_intercom, "GET", "/me", token=token).status_code == 401
