"""The rest of the fake HubSpot: contact properties, app events, workflow callbacks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from canvas.sandbox.hubspot_errors import HubSpotRefusal, error, invalid, not_found
from canvas.sandbox.hubspot_state import HubSpotState, done

EVENT_TYPE = "ae62515_message_failed"
NEEDED_OF_PROPERTY = {"name", "label", "type", "fieldType", "groupName"}


def routes(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("other", __name__)
    blueprint.before_request(fake.check_token)
    for part in (properties, events, callbacks):
        blueprint.register_blueprint(part(fake))
    return blueprint


def properties(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("properties", __name__)

    @blueprint.post("/crm/properties/<version>/contacts")
    def create(version: str) -> tuple[Response, int]:
        wish = request.get_json()
        if missing := NEEDED_OF_PROPERTY - wish.keys():
            raise invalid(f"Some required fields were not set: {sorted(missing)}")
        if wish["name"] in fake.properties:
            raise HubSpotRefusal(409, error("CONFLICT", f"A property named '{wish['name']}' already exists."))
        fake.properties[wish["name"]] = wish
        done(wish["name"])
        return jsonify(wish), 201

    @blueprint.get("/crm/properties/<version>/contacts/<name>")
    def read(version: str, name: str) -> Response:
        if name not in fake.properties:
            raise not_found(f"Property {name} does not exist")
        return jsonify(fake.properties[name])

    return blueprint


def events(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("events", __name__)

    @blueprint.post("/integrators/timeline/2026-03/types/projects")
    def event_type() -> Response:
        if request.get_json().get("developerSymbol") != "message_failed":
            raise not_found("unknown event type")
        return jsonify(fullyQualifiedName=EVENT_TYPE)

    @blueprint.post("/integrators/timeline/2026-03/events")
    def event() -> tuple[Response, int]:
        wish: dict[str, Any] = request.get_json()
        if missing := {"eventTypeName", "id", "properties"} - wish.keys():
            sentence = f"some of required attributes are not set {sorted(missing)}"
            raise HubSpotRefusal(400, error("VALIDATION_ERROR", f"Cannot build TimelineEvent, {sentence}"))
        if wish["id"] in fake.events:
            raise HubSpotRefusal(409, error("CONFLICT", f"Event {wish['id']} already exists."))
        fake.events[wish["id"]] = wish
        done(wish["id"])
        return jsonify(wish), 201

    return blueprint


def callbacks(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("callbacks", __name__)

    @blueprint.post("/automation/actions/callbacks/<version>/<callback>/complete")
    def complete(version: str, callback: str) -> tuple[str, int]:
        wish = request.get_json()
        if missing := {"outputFields", "typedOutputs"} - wish.keys():
            raise invalid(f"Some required fields were not set: {sorted(missing)}")
        fake.callbacks[callback] = wish["outputFields"]
        done(callback)
        return "", 204

    return blueprint
