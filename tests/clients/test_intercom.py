"""The Intercom client: what is asked, and what each answer means."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from canvas.clients.errors import BrokenAnswer, CallFailed, RateLimited, Refused, Unauthorised, Unsure
from canvas.clients.http import Http
from canvas.clients.intercom import Intercom
from tests.clients.scripted import Turn, answer, hang_up_after_reading, raw, scripted

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PHONE = "+353871234567"
CONTACT = {"type": "contact", "id": "667d60d1", "phone": PHONE, "name": "Mara", "external_id": 70}


def client(url: str) -> Intercom:
    return Intercom(Http(), url, clock=lambda: NOW)


def listed(code: str | None, message: str | None) -> dict[str, Any]:
    errors = [{"code": code, "message": message, "field": None}]
    return {"type": "error.list", "request_id": "req-1", "errors": errors}


def read_contact(turn: Turn) -> CallFailed:
    with scripted(turn) as server, pytest.raises(CallFailed) as caught:
        client(server.url).get_contact("t", "US", "667d60d1")
    return caught.value


def test_every_call_names_its_token_and_the_pinned_version() -> None:
    with scripted(answer(200, CONTACT)) as server:
        contact = client(server.url).get_contact("tok", "US", "667d60d1")
    assert (contact.id, contact.phone, contact.name, contact.external_id) == ("667d60d1", PHONE, "Mara", "70")
    assert server.last.path == "/contacts/667d60d1"
    assert server.last.headers["authorization"] == "Bearer tok"
    assert server.last.headers["intercom-version"] == "2.15"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("US", "api.intercom.io"),
        ("eu", "api.eu.intercom.io"),
        ("AU", "api.au.intercom.io"),
        ("", "api.intercom.io"),
    ],
)
def test_each_region_has_its_own_host(region: str, host: str) -> None:
    asked: list[str] = []

    class Recorder(Http):
        def send(self, vendor: str, method: str, url: str, **options: Any) -> Any:
            asked.append(url)
            raise Refused("enough seen")

    with pytest.raises(Refused):
        Intercom(Recorder()).me("t", region)
    assert asked == [f"https://{host}/me"]


def test_a_code_is_exchanged_whole() -> None:
    with scripted(answer(200, {"token_type": "Bearer", "token": "a", "access_token": "a"})) as server:
        assert client(server.url).exchange_code("id", "secret", "ab+c=") == "a"
    assert server.last.path == "/auth/eagle/token"
    assert server.last.body == b"code=ab%2Bc%3D&client_id=id&client_secret=secret"


def test_me_names_the_workspace_and_the_admin() -> None:
    body = {
        "id": "814860",
        "name": "Ana",
        "email": "ana@example.com",
        "email_verified": True,
        "app": {"id_code": "abc123", "name": "Shop", "region": "eu", "timezone": "Europe/Dublin"},
    }
    with scripted(answer(200, body)) as server:
        found = client(server.url).me("t")
    assert (found.id, found.region, found.timezone) == ("abc123", "EU", "Europe/Dublin")
    assert (found.admin_id, found.email_verified) == ("814860", True)


def test_only_the_phone_is_written() -> None:
    with scripted(answer(200, CONTACT | {"phone": "+353 87 123 4567"})) as server:
        client(server.url).set_phone("t", "US", "667d60d1", PHONE)
    assert (server.last.method, server.last.json) == ("PUT", {"phone": PHONE})


@pytest.mark.parametrize("stored", ["+353871234568", "", None])
def test_a_number_that_was_not_taken_as_sent_is_no_success(stored: str | None) -> None:
    with scripted(answer(200, CONTACT | {"phone": stored})) as server, pytest.raises(Refused):
        client(server.url).set_phone("t", "US", "667d60d1", PHONE)


def test_a_conflict_names_the_other_contact() -> None:
    said = "A contact matching those details already exists with id=6762f2341bb69f9f2193bc17"
    with scripted(answer(409, listed("conflict", said))) as server, pytest.raises(Refused) as caught:
        client(server.url).set_phone("t", "US", "667d60d1", PHONE)
    assert caught.value.details == {"other_id": "6762f2341bb69f9f2193bc17"}


def test_a_phone_update_that_broke_may_be_repeated_but_a_note_may_not() -> None:
    with scripted(hang_up_after_reading) as server:
        with pytest.raises(Unsure) as update:
            client(server.url).set_phone("t", "US", "1", PHONE)
        with pytest.raises(Unsure) as note:
            client(server.url).write_note("t", "US", "1", "2", "<p>x</p>")
    assert update.value.may_retry
    assert not note.value.may_retry


def test_a_search_finds_the_number_however_it_was_typed() -> None:
    people = [
        {"id": "1", "phone": "087 123 4567"},
        {"id": "2", "phone": "+353 (0)87 123-4567"},
        {"id": "3", "phone": "+447911234567"},
        {"id": "4", "phone": None},
        "junk",
    ]
    with scripted(answer(200, {"type": "list", "data": people})) as server:
        found = client(server.url).search_contacts_by_phone("t", "US", PHONE, "IE")
    assert [c.id for c in found] == ["1", "2"]
    filters = {(f["operator"], f["value"]) for f in server.last.json["query"]["value"]}
    assert filters == {("=", PHONE), ("$", "1234567"), ("$", "4567")}


def test_a_note_is_internal_and_signed_by_the_teammate() -> None:
    with scripted(answer(200, {"type": "conversation"})) as server:
        client(server.url).write_note("t", "US", "2154", "814860", "<p>x</p>")
    assert server.last.path == "/conversations/2154/reply"
    assert server.last.json == {
        "message_type": "note",
        "type": "admin",
        "admin_id": "814860",
        "body": "<p>x</p>",
    }


def test_a_note_can_be_found_again() -> None:
    parts = [{"part_type": "comment", "body": "msg_1"}, {"part_type": "note", "body": "About msg_2: ..."}]
    with scripted(answer(200, {"conversation_parts": {"conversation_parts": parts}})) as server:
        intercom = client(server.url)
        assert intercom.has_note("t", "US", "1", "msg_2")
        assert not intercom.has_note("t", "US", "1", "msg_1")


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (answer(401, listed("unauthorized", "Access Token Invalid")), Unauthorised),
        (answer(400, listed("token_revoked", None)), Unauthorised),
        (answer(403, listed("api_plan_restricted", "Active subscription needed.")), Unauthorised),
        (answer(400, listed("token_unauthorized", "no scope")), Unauthorised),
        (answer(401, b""), Unauthorised),
        (answer(404, listed("not_found", "User Not Found")), Refused),
        (answer(400, {"error_key": "invalid_phone_number", "message": "Invalid phone number"}), Refused),
        (answer(400, {"type": "error", "request_id": "r", "message": "message_id is required"}), Refused),
        (answer(200, listed("not_found", "User Not Found")), Refused),
        (answer(302, b""), Refused),
        (answer(503, b"<html>"), BrokenAnswer),
        (answer(408, b""), BrokenAnswer),
        (answer(200, b"<html>"), BrokenAnswer),
        (answer(200, b""), BrokenAnswer),
        (answer(200, {"no": "id"}), BrokenAnswer),
        (raw(b"junk"), BrokenAnswer),
    ],
)
def test_every_answer_means_something(turn: Turn, kind: type[CallFailed]) -> None:
    assert type(read_contact(turn)) is kind


def test_intercoms_own_words_code_and_request_id_are_kept() -> None:
    failure = read_contact(answer(404, listed("not_found", "User Not Found")))
    assert failure.message == "Intercom said: User Not Found"
    assert (failure.code, failure.request_id, failure.status) == ("not_found", "req-1", 404)
    assert read_contact(answer(400, {"error_key": "k", "message": "m"})).code == "k"


@pytest.mark.parametrize(
    ("reset", "wait"),
    [(f"{NOW.timestamp() + 7:.0f}", 7), ("", 10), ("12", 10), (f"{NOW.timestamp() - 7:.0f}", 10)],
)
def test_a_rate_limit_lasts_until_its_reset(reset: str, wait: int) -> None:
    body = listed("rate_limit_exceeded", "Exceeded rate limit")
    failure = read_contact(answer(429, body, {"X-RateLimit-Reset": reset}))
    assert isinstance(failure, RateLimited)
    assert failure.retry_at == NOW + timedelta(seconds=wait)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.get_contact("secret-token", "US", "1"),
        lambda c: c.exchange_code("id", "secret-token", "secret-token"),
        lambda c: c.me("secret-token\nx"),
    ],
)
def test_no_error_tells_the_token(call: Callable[[Intercom], object]) -> None:
    with scripted(answer(400, listed("x", "y"))) as server, pytest.raises(CallFailed) as caught:
        call(client(server.url))
    assert "secret-token" not in repr(caught.value) + str(caught.value) + caught.value.message
