"""The desk signs like Intercom, shows both sides of the exchange, and keeps to this machine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from canvas.config import SETTINGS
from canvas.sandbox.desk import Desk, create_desk
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.intercom_requests import sign
from canvas.sandbox.serve import serve
from canvas.sandbox.station import CannotStart, settings, station

SECRET = "test-client-secret"


@pytest.fixture
def received() -> list[tuple[bytes, str]]:
    return []


@pytest.fixture
def desk(received: list[tuple[bytes, str]]) -> Iterator[FlaskClient]:
    app = Flask("stub")

    @app.post("/intercom/<path:rest>")
    def answer(rest: str) -> Response:
        received.append((request.get_data(), request.headers["X-Body-Signature"]))
        return Response('{"canvas":{"content":{"components":[]}}}', content_type="application/json")

    with serve(app) as url:
        yield create_desk(Desk.beside(url, SECRET)).test_client()


def test_the_signature_is_the_published_one() -> None:
    known = "70dec74f99c3a0021c79992493ae62c26d80fd3b0b7a9223e6efe9b71761225f"
    raw = (
        rb'{"workspace_id":"abcd123","conversation":{"type":"conversation","id":"215470000000042",'
        rb'"source":{"type":"whatsapp","body":"\u003cp\u003eHi \u0026 bye\u003c/p\u003e"}}}'
    )
    assert sign(raw, SECRET) == known


def test_a_submit_carries_the_click_and_signs_the_bytes_that_are_sent(
    desk: FlaskClient, received: list[tuple[bytes, str]]
) -> None:
    click = {"component_id": "fix:1", "input_values": {"a": "<b>"}, "current_canvas": {"content": {}}}
    shown = desk.post("/api/intercom/not_on_whatsapp/submit", json=click).get_json()
    ((raw, signature),) = received
    assert signature == hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert shown["request"]["body"] == raw.decode()
    assert b'"component_id":"fix:1"' in raw
    assert b"\\u003cb\\u003e" in raw
    assert SECRET not in str(shown)


def test_the_log_is_whole_unless_only_its_newest_is_asked_for() -> None:
    octopods = FakeOctopods()
    desk = create_desk(replace(Desk.beside("http://127.0.0.1:9", SECRET), octopods=octopods)).test_client()
    for number in range(90):
        body = {"destination_phone": "+353871234567" if number == 0 else "+353870000000"}
        octopods.journal.open(at="", method="POST", path="", query="", key="", body=body, accepted=True)
    log = desk.get("/api/octopods/log").get_json()
    assert len(log["entries"]) == 90
    newest = desk.get("/api/octopods/log?newest=80").get_json()
    assert newest["entries"] == log["entries"][10:]
    assert newest["taken"] == {"+353871234567": 1, "+353870000000": 89}


def test_an_app_that_is_not_there_is_told_and_not_a_crash() -> None:
    desk = create_desk(Desk.beside("http://127.0.0.1:9", SECRET)).test_client()
    shown = desk.post("/api/intercom/not_on_whatsapp/initialize").get_json()
    assert shown["response"] is None
    assert "refused" in shown["error"]


def test_the_page_loads_nothing_from_elsewhere(desk: FlaskClient) -> None:
    page = desk.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "https://" not in page.text


def test_a_foreign_host_name_is_refused(desk: FlaskClient) -> None:
    assert desk.get("/api/people", headers={"Host": "evil.example"}).status_code == 400


PRODUCTION = {
    "PRODUCTION": "yes",
    "PUBLIC_URL": "https://redeliver.example.com",
    "SECRET_KEY": "s" * 40,
    "ENCRYPTION_KEYS": "c2FuZGJveC1lbmNyeXB0aW9uLWtleS0zMi1ieXRlcyE=",
}


def test_it_does_not_start_in_production() -> None:
    with pytest.raises(CannotStart, match="does not start in production"):
        settings(PRODUCTION)


def test_the_sandboxs_app_talks_to_nobody_outside_this_machine() -> None:
    with station("http://127.0.0.1:9", 0) as servers:
        given = servers.environment()
    calls = [s.name for s in SETTINGS if s.name.endswith("_URL") and s.default.startswith("https://")]
    calls.remove("OCTOPODS_SETTINGS_URL")  # a link that only a person follows
    assert [name for name in calls if not given.get(name, "").startswith("http://127.0.0.1:")] == []
