"""HubSpot's own calls: webhooks about records, and the actions of workflows."""

from __future__ import annotations

from typing import Any

import orjson
import structlog
from flask import Blueprint, Response

from canvas.domain import phones
from canvas.domain.choosing import WISHES
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.message import Actor
from canvas.flows import hubspot_people, workflow
from canvas.flows.look import Person
from canvas.store import installs
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces.hubspot_guard import signed_by_hubspot, signed_json
from canvas.surfaces.services import services

log = structlog.get_logger()
blueprint = Blueprint("hubspot_calls", __name__, url_prefix="/hubspot")
PHONES = ("hs_whatsapp_phone_number", "mobilephone", "phone")
PATIENCE = "P1D"  # how long HubSpot keeps a blocked run before it goes on by itself
Json = dict[str, Any]


@blueprint.post("/webhooks")
@signed_by_hubspot("v1", "v3")
def webhooks() -> Response:
    """Up to a hundred events. What is not for us is taken too, or HubSpot would send it for a day."""
    document = signed_json()
    events = [one for one in document if isinstance(one, dict)] if isinstance(document, list) else []
    hubspot_people.hear(services().flow, events)
    return Response(status=204)


@blueprint.post("/workflow/retry")
@signed_by_hubspot("v2", "v3")
def retry() -> Response:
    """Send a contact's last failed message again; the run waits for its outcome."""
    body = _object(signed_json())
    install = _install(body)
    if install is None:
        return _not_connected()
    callback = str(body.get("callbackId") or "")
    if not callback:
        return _response(
            {"outcome": "not_possible", "message": "The run has no callback id."}, "FAIL_CONTINUE"
        )
    workflow_id = str(_object(body.get("context")).get("workflowId") or "")
    wish = _wish(body, WISHES)
    actor = Actor("hubspot_workflow", workflow_id[:64] or None, "HubSpot workflow")
    answer = workflow.retry(services().flow, install, callback, _person(install, body), wish, actor)
    if answer.wait:
        return _response({"hs_expiration_duration": PATIENCE}, "BLOCK")
    return _response(answer.outputs, "SUCCESS" if answer.ok else "FAIL_CONTINUE")


@blueprint.post("/workflow/check")
@signed_by_hubspot("v2", "v3")
def check() -> Response:
    """Say whether a message would fail. Nothing is sent."""
    body = _object(signed_json())
    install = _install(body)
    if install is None:
        return _not_connected()
    channel, numbers = _wish(body, tuple(CHANNEL_NAMES)), _numbers(body)
    told = workflow.check(services().flow, install, channel, numbers[0] if numbers else "")
    return _response(told, "SUCCESS")


def _response(outputs: dict[str, str], state: str) -> Response:
    document = {"outputFields": {**outputs, "hs_execution_state": state}}
    return Response(orjson.dumps(document), mimetype="application/json")


def _not_connected() -> Response:
    words = "Redeliver is not connected to this HubSpot account."
    return _response({"outcome": "not_connected", "message": words}, "FAIL_CONTINUE")


def _install(body: Json) -> Install | None:
    portal = str(_object(body.get("origin")).get("portalId") or "")[:64]
    with reading(services().flow.engine) as conn:
        found = installs.find(conn, "hubspot", portal)
    return found if found and found.status == installs.ACTIVE else None


def _person(install: Install, body: Json) -> Person:
    country = services().flow.country(install)
    read = (phones.normalise(number, country) for number in _numbers(body))
    contact = _object(body.get("object")).get("objectId")
    known = isinstance(contact, int | str) and not isinstance(contact, bool)
    return Person(str(contact)[:64] if known else None, tuple(dict.fromkeys(n for n in read if n)))


def _numbers(body: Json) -> list[str]:
    """The numbers on the record as they are written there, the one for WhatsApp first."""
    properties = _object(_object(body.get("object")).get("properties"))
    given = (properties.get(name) for name in PHONES)
    return [number[:64] for number in given if isinstance(number, str) and number.strip()]


def _wish(body: Json, known: tuple[str, ...]) -> str:
    given = _object(body.get("inputFields")).get("channel")
    return given if isinstance(given, str) and given in known else known[0]


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
