"""What stands around every answer: headers, limits, request ids, and errors that show no insides."""

from __future__ import annotations

import re
from typing import NoReturn

import pytest
from flask import Response, abort, request
from sqlalchemy import create_engine
from werkzeug.test import TestResponse

from canvas.config import load
from canvas.factory import create_app
from canvas.sandbox.octopods import keys
from canvas.store import rates
from canvas.store.database import open_engine, writing
from canvas.store.rates import Rule
from canvas.surfaces.edges import for_people, framed_by_hubspot
from canvas.surfaces.limits import LOT, Limits, network_of
from tests.desk import Desk


def page(desk: Desk, path: str = "/nowhere", **headers: str) -> TestResponse:
    return desk.client.get(path, headers=headers)


def policy(response: TestResponse) -> dict[str, str]:
    parts = response.headers["Content-Security-Policy"].split(";")
    return {p.strip().partition(" ")[0]: p.strip().partition(" ")[2] for p in parts}


def test_every_page_forbids_scripts_frames_and_forms_that_are_not_ours(desk: Desk) -> None:
    for path in ("/nowhere", "/reasons"):
        response = page(desk, path)
        assert response.mimetype == "text/html"
        rules = policy(response)
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
        assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_no_template_has_inline_scripts_styles_or_handlers() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    engine = create_app(load({})).jinja_env
    found = {
        name: inline.findall(engine.loader.get_source(engine, name)[0])  # type: ignore[union-attr]
        for name in engine.list_templates()
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_a_page_that_hubspot_shows_may_be_framed_by_hubspot_only(desk: Desk) -> None:
    @desk.app.get("/framed")
    @framed_by_hubspot
    def framed() -> Response:
        return Response("<p>hello", mimetype="text/html")

    response = page(desk, "/framed")
    assert policy(response)["frame-ancestors"] == "https://*.hubspot.com"
    assert "X-Frame-Options" not in response.headers


def test_answers_are_not_kept_by_browsers_or_proxies_but_static_files_are(desk: Desk) -> None:
    assert page(desk).headers["Cache-Control"] == "no-store"
    assert desk.client.post("/api/v1/diagnose").headers["Cache-Control"] == "no-store"
    assert "no-store" not in page(desk, "/static/app.css").headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/broken", "text/html"), ("/api/v1/broken", "application/json"), ("/hooks/broken", "")],
)
def test_an_error_of_ours_shows_a_number_to_quote_and_nothing_else(desk: Desk, path: str, kind: str) -> None:
    @desk.app.get(path)
    def broken() -> NoReturn:
        raise RuntimeError("the insides")

    response = page(desk, path)
    assert response.status_code == 500
    assert "insides" not in response.text
    assert "Traceback" not in response.text
    if kind:
        assert response.mimetype == kind
        assert response.headers["X-Request-Id"] in response.text
    else:
        assert response.data == b""


def test_an_unknown_address_is_told_in_the_words_of_who_asks(desk: Desk) -> None:
    assert "There is nothing at this address." in page(desk).text
    told = page(desk, "/api/v1/nowhere").get_json()
    assert set(told) == {"request_id", "error_code", "error"}
    assert (page(desk, "/hooks/nowhere").status_code, page(desk, "/hooks/nowhere").data) == (404, b"")
    wrong = page(desk, "/api/v1/diagnose")
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]


def test_a_body_over_a_megabyte_is_refused_in_octopods_shape(desk: Desk) -> None:
    desk.connect("sms")
    response = desk.gateway("/diagnose", b"x" * (1024 * 1024 + 1), keys.SMS)
    assert response.status_code == 413
    assert "error" in response.get_json()


def limited(desk: Desk, monkeypatch: pytest.MonkeyPatch, install: int = 0, address: int = 0) -> None:
    services = desk.app.extensions["redeliver"]
    monkeypatch.setattr(services.limits, "_rules", Limits(desk.flow.engine, install, address)._rules)


def test_an_address_that_asks_too_much_waits_and_a_proof_passes_all_the_same(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = both_desk
    desk.connect("sms")
    limited(desk, monkeypatch, address=30)
    answers = [page(desk).status_code for _ in range(31)]
    assert answers == [404] * 30 + [429]
    refused = page(desk)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "Wait a moment" in refused.text
    forged = desk.intercom_post("/intercom/initialize", {}, signature="0" * 64)
    assert (forged.status_code, forged.data) == (429, b"")
    assert desk.intercom_post("/intercom/initialize", {"workspace_id": "abcd123"}).status_code == 200
    assert desk.send_sms("+46701740611").status_code == 201
    assert page(desk, "/healthz").status_code == 200


def test_an_install_that_calls_too_much_is_told_when_to_come_back(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = both_desk
    desk.connect("sms")
    limited(desk, monkeypatch, install=20)
    answers = [desk.gateway("/diagnose", {"text": "x"}, keys.SMS) for _ in range(21)]
    assert [a.status_code for a in answers] == [200] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].get_json()["error"].startswith("Too many requests. Try again in ")


def test_two_processes_share_one_bucket(database_url: str) -> None:
    engines = [open_engine(database_url), open_engine(database_url)]
    processes = [Limits(engine, 3 * LOT, 0) for engine in engines]
    passed = [process.install(7) == 0 for _ in range(3 * LOT) for process in processes]
    assert passed.count(True) == 3 * LOT
    for engine in engines:
        engine.dispose()


def test_tokens_grow_back_with_time(database_url: str) -> None:
    engine = open_engine(database_url)
    rule = Rule(per_minute=60)
    with writing(engine) as conn:
        assert rates.take(conn, "b", 60, rule, 1_000_000) == 0
        assert rates.take(conn, "b", 10, rule, 1_000_000) == 10_000
        assert rates.take(conn, "b", 10, rule, 1_009_999) == 1
        assert rates.take(conn, "b", 10, rule, 1_010_000) == 0
        assert rates.forget_full(conn, 1_070_001) == 1
    engine.dispose()


def test_a_limit_never_breaks_the_service_it_protects() -> None:
    nowhere = create_engine("sqlite:///:memory:")  # no tables
    assert Limits(nowhere, 1, 1).address("192.0.2.1") == 0


def test_a_whole_ipv6_customer_is_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    for written in ("192.0.2.1:50123", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:50123"):
        assert network_of(written) == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("[2001:db8::1]:443") == network_of("2001:db8::1")
    assert network_of("nobody") == network_of("") == network_of("1.2:3:4") == "unknown"


@pytest.mark.parametrize(("proxies", "believed"), [("0", "127.0.0.1"), ("1", "198.51.100.7")])
def test_a_forwarded_address_is_believed_only_from_configured_proxies(
    desk: Desk, proxies: str, believed: str
) -> None:
    environment = {"TRUSTED_PROXIES": proxies, "PUBLIC_URL": "https://redeliver.example.com"}
    app = create_app(load(environment), desk.flow)

    @app.get("/me")
    @for_people
    def me() -> str:
        return f"{request.remote_addr} {request.host}"

    seen = app.test_client().get(
        "/me", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Host": "evil.example"}
    )
    assert seen.text == f"{believed} localhost"


def test_cookies_are_for_the_server_only_and_for_https_only(desk: Desk) -> None:
    app = desk.app
    assert app.config["SESSION_COOKIE_SECURE"] is True
    assert app.config["SESSION_COOKIE_HTTPONLY"] is True
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"


def test_an_error_asked_for_keeps_its_meaning(desk: Desk) -> None:
    @desk.app.get("/forbidden")
    def forbidden() -> NoReturn:
        abort(403)

    response = page(desk, "/forbidden")
    assert response.status_code == 403
    assert "You may not do this." in response.text
