"""What only the fake HubSpot can be told: token states, merges, a lagging search; and what it would show."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from canvas.sandbox.hubspot_state import HubSpotState

BODIES = {"communications": "hs_communication_body", "notes": "hs_note_body"}


def routes(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("hubspot_control", __name__, url_prefix="/_control")
    for part in (steering, records):
        blueprint.register_blueprint(part(fake))
    return blueprint


def steering(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("steering", __name__)

    @blueprint.post("/token")
    def token() -> Response:
        """All access tokens become `valid`, `expired`, `missing_scopes` or `revoked`."""
        state = request.get_json()["state"]
        with fake.lock:
            fake.tokens = {} if state == "revoked" else dict.fromkeys(fake.tokens, state)
            if state == "revoked":
                fake.refresh_tokens.clear()
        return jsonify(sorted(fake.tokens.values()))

    @blueprint.post("/refused")
    def refused() -> Response:
        """From now on writes of this property are refused with this sentence."""
        wish = request.get_json()
        fake.refused[wish["property"]] = wish["sentence"]
        return jsonify(fake.refused)

    @blueprint.post("/merge")
    def merge() -> Response:
        """`loser` becomes part of `winner`; reading the loser answers with the winner."""
        wish = request.get_json()
        with fake.lock:
            fake.merged[wish["loser"]] = wish["winner"]
            del fake.records["contacts"][wish["loser"]]
        return jsonify(fake.merged)

    @blueprint.post("/search_lag")
    def search_lag() -> Response:
        fake.search_lag = float(request.get_json()["seconds"])
        return jsonify(fake.search_lag)

    return blueprint


def records(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("records", __name__)

    @blueprint.get("/timeline/<contact>")
    def entries(contact: str) -> Response:
        return jsonify(timeline(fake, contact))

    @blueprint.get("/contacts/<contact>")
    def contact_record(contact: str) -> Response:
        return jsonify(fake.find("contacts", contact)["properties"])

    @blueprint.get("/callbacks")
    def callbacks() -> Response:
        return jsonify(fake.callbacks)

    return blueprint


def timeline(fake: HubSpotState, contact: str) -> list[dict[str, Any]]:
    """The contact's timeline, newest first, as the desk draws it."""
    return sorted(_entries(fake, contact), key=lambda entry: str(entry["at"]), reverse=True)


def _entries(fake: HubSpotState, contact: str) -> list[dict[str, Any]]:
    with fake.lock:
        return [
            {
                "id": record["id"],
                "kind": kind,
                "at": record["properties"]["hs_timestamp"],
                "channel": record["properties"].get("hs_communication_channel_type"),
                "body": record["properties"].get(body),
                "updated": record["updatedAt"] != record["createdAt"],
            }
            for kind, body in BODIES.items()
            for record in fake.records[kind].values()
            if contact in record["contacts"] and not record["archived"]
        ]
