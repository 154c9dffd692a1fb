"""The sandbox's HubSpot calls us as HubSpot does: its parameters, its signature, one repeat after a 5xx."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from canvas.sandbox.hubspot_caller import HubSpotCaller
from canvas.sandbox.serve import serve
from canvas.surfaces import signature_hubspot as signature

PUBLIC_URL = "https://companion.example.test"
SECRET = "0f1e2d3c-4b5a-4697-8877-665544332211"


def receiver() -> Flask:
    app = Flask(__name__)
    seen: list[str] = []

    @app.route("/<path:path>", methods=["GET", "POST"])
    def receive(path: str) -> ResponseReturnValue:
        seen.append(path)
        given = signature.SignedRequest(
            request.method,
            signature.raw_target(request.environ),
            request.get_data(),
            dict(request.headers),
        )
        accepted = ("v1", "v2", "v3")
        version = signature.check(
            given, public_url=PUBLIC_URL, secrets=[SECRET], now=datetime.now(UTC), accepted=accepted
        )
        if path == "flaky" and len(seen) == 1:
            return "once", 503
        return jsonify(version=version, seen=len(seen), args=request.args, json=request.get_json(silent=True))

    return app


@pytest.fixture
def hubspot() -> Iterator[HubSpotCaller]:
    with serve(receiver()) as url:
        yield HubSpotCaller(url, PUBLIC_URL, SECRET)


def test_a_cards_fetch_says_who_asks_and_is_signed(hubspot: HubSpotCaller) -> None:
    answer = hubspot.fetch("GET", "/hubspot/card?objectId=901&phone=%2B353%2087").json()
    assert answer["version"] == "v3"
    assert answer["args"] == {
        "objectId": "901",
        "phone": "+353 87",
        "userId": "5501",
        "portalId": "62515",
        "userEmail": "ana.kos@example.com",
        "appId": "224455",
    }


def test_a_server_error_is_repeated_once_with_the_same_body(hubspot: HubSpotCaller) -> None:
    answer = hubspot.fetch("POST", "/flaky", {"note": "Привіт, Zoë"}).json()
    assert (answer["seen"], answer["json"]) == (2, {"note": "Привіт, Zoë"})


def test_webhooks_and_workflow_actions_are_signed_as_documented(hubspot: HubSpotCaller) -> None:
    assert hubspot.webhook("/hubspot/webhooks", [{"eventId": 1}]).json()["version"] == "v3"
    assert hubspot.webhook("/hubspot/webhooks", [{"eventId": 1}], "v1").json()["version"] == "v1"
    assert hubspot.workflow("/hubspot/workflow/retry", {"callbackId": "ap"}).json()["version"] == "v2"
