"""The CRM side of the fake HubSpot: contacts, communications and notes, read, written and searched."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from canvas.sandbox import hubspot_people as people
from canvas.sandbox.hubspot_errors import invalid, invalid_property, not_found
from canvas.sandbox.hubspot_search import matches
from canvas.sandbox.hubspot_state import HubSpotState, done

KINDS = {"contacts", "communications", "notes"}
ASSOCIATION = {"communications": 81, "notes": 202}
"""HubSpot's association types from the activity to a contact."""
NEEDED = {
    "communications": {"hs_communication_channel_type", "hs_communication_logged_from", "hs_timestamp"},
    "notes": {"hs_timestamp"},
}
CHANNELS = {"WHATS_APP", "SMS", "LINKEDIN_MESSAGE"}
KNOWN = {
    "contacts": {"email", "firstname", "lastname", "phone", "mobilephone", "hs_whatsapp_phone_number"},
    "communications": NEEDED["communications"] | {"hs_communication_body", "hubspot_owner_id"},
    "notes": NEEDED["notes"] | {"hs_note_body", "hubspot_owner_id"},
}
PHONES = {"phone", "mobilephone", "hs_whatsapp_phone_number"}
MAX_NOTE = 65_536
SEARCH_FIELDS = {"after", "filterGroups", "limit", "properties", "sorts"}


def routes(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("crm", __name__, url_prefix="/crm/objects/<version>/<kind>")

    @blueprint.before_request
    def known_caller() -> None:
        fake.check_token()
        if (request.view_args or {})["kind"] not in KINDS:
            raise not_found()

    for part in (reading, writing):
        blueprint.register_blueprint(part(fake))
    return blueprint


def reading(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("reading", __name__)

    @blueprint.get("/<identifier>")
    def read(version: str, kind: str, identifier: str) -> Response:
        return jsonify(_shown(fake.find(kind, identifier), request.args.get("properties")))

    @blueprint.post("/search")
    def search(version: str, kind: str) -> Response:
        wish = request.get_json()
        if missing := SEARCH_FIELDS - wish.keys():
            raise invalid(f"Some required fields were not set: [{', '.join(sorted(missing))}]")
        found = [_shown(one, ",".join(wish["properties"])) for one in _found(fake, kind, wish)]
        return jsonify(total=len(found), results=found[: wish["limit"]])

    return blueprint


def writing(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("writing", __name__)

    @blueprint.patch("/<identifier>")
    def update(version: str, kind: str, identifier: str) -> Response:
        changes = _properties(fake, kind, request.get_json())
        with fake.lock:
            found = fake.find(kind, identifier)
            found["properties"].update(changes, lastmodifieddate=fake.now())
            found["updatedAt"] = fake.now()
        done(found["id"])
        return jsonify(found)

    @blueprint.post("")
    def create(version: str, kind: str) -> tuple[Response, int]:
        fresh = _activity(fake, kind, request.get_json())
        done(fresh["id"])
        return jsonify({name: value for name, value in fresh.items() if name != "contacts"}), 201

    @blueprint.delete("/<identifier>")
    def archive(version: str, kind: str, identifier: str) -> tuple[str, int]:
        fake.find(kind, identifier)["archived"] = True
        done(identifier)
        return "", 204

    return blueprint


def _found(fake: HubSpotState, kind: str, wish: dict[str, Any]) -> list[dict[str, Any]]:
    """What the index knows by now: it lags behind what was written."""
    newest = fake.clock.now() - timedelta(seconds=fake.search_lag)
    with fake.lock:
        return [
            one
            for one in fake.records[kind].values()
            if not one["archived"]
            and datetime.fromisoformat(one["createdAt"]) <= newest
            and matches(one, wish["filterGroups"])
        ]


def _shown(record: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    names = {*people.DEFAULT_PROPERTIES, *(wanted.split(",") if wanted else ())}
    properties = {name: value for name, value in record["properties"].items() if name in names}
    return {**record, "properties": properties}


def _properties(fake: HubSpotState, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """The values to write. Raises HubSpotRefusal with the detail inside its message, as HubSpot does."""
    given: dict[str, Any] = body["properties"]
    for name, value in given.items():
        if name in fake.refused:
            raise invalid_property(name, "INVALID_PROPERTY", fake.refused[name], people.PORTAL)
        if name not in KNOWN[kind] | fake.properties.keys():
            sentence = f'Property "{name}" does not exist'
            raise invalid_property(name, "PROPERTY_DOESNT_EXIST", sentence, people.PORTAL)
        if name in PHONES and value and not str(value).lstrip("+").replace(" ", "").isdigit():
            sentence = f"{value} is not a valid phone number"
            raise invalid_property(name, "INVALID_PHONE_NUMBER", sentence, people.PORTAL)
    return {name: value or None for name, value in given.items()}


def _activity(fake: HubSpotState, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    if kind not in ASSOCIATION:
        raise invalid("This fake creates no contacts.")
    properties = _properties(fake, kind, body)
    if missing := NEEDED[kind] - properties.keys():
        raise invalid(f"Required properties were not set: {', '.join(sorted(missing))}")
    channel = properties.get("hs_communication_channel_type")
    if channel is not None and channel not in CHANNELS:
        sentence = f"{channel} was not one of the allowed options"
        raise invalid_property("hs_communication_channel_type", "INVALID_OPTION", sentence, people.PORTAL)
    if len(properties.get("hs_note_body") or "") > MAX_NOTE:
        raise invalid("hs_note_body is too long")
    contacts = [_associated(fake, kind, one) for one in body["associations"]]
    with fake.lock:
        fresh = people.record(fake.next_id(), properties, fake.now())
        fresh["properties"] |= {"hs_object_id": fresh["id"], "hs_createdate": fresh["createdAt"]}
        fresh["contacts"] = contacts
        fake.records[kind][fresh["id"]] = fresh
    return fresh


def _associated(fake: HubSpotState, kind: str, association: dict[str, Any]) -> str:
    (wanted,) = association["types"]
    if wanted != {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": ASSOCIATION[kind]}:
        raise invalid(f"{wanted} does not lead from {kind} to a contact")
    identifier: str = fake.find("contacts", str(association["to"]["id"]))["id"]
    return identifier
