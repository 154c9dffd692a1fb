"""The drop-in gateway: Octopods' own routes under our host. Same request, same answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, request

from canvas.clients.errors import CallFailed, NotReached, Refused
from canvas.clients.http import Answer, segment
from canvas.domain.message import Message, Status
from canvas.domain.send_request import not_an_object
from canvas.domain.wording import noted
from canvas.flows import asking, repeats
from canvas.flows import gateway as flow_gateway
from canvas.flows.checking import check_request
from canvas.knowledge.documents import diagnosis_document
from canvas.knowledge.model import Diagnosis
from canvas.store.channels import Channel
from canvas.surfaces.guard import keyed
from canvas.surfaces.octopods_wire import (
    BAD_REQUEST,
    OURS,
    contact,
    document,
    json,
    octopods_error,
    preflight_document,
    speaks_octopods,
)
from canvas.surfaces.services import services

blueprint = Blueprint("gateway", __name__, url_prefix="/api/v1")
speaks_octopods(blueprint)


@blueprint.errorhandler(Refused)
def not_forwarded(error: Refused) -> Response:
    """What cannot be written as HTTP, such as an id that is a lone dot."""
    return octopods_error(400, BAD_REQUEST, error.message)


PASSED_ON = ("X-Octopods-Auth", "Content-Type", "Accept", "User-Agent")
PASSED_BACK = ("Content-Type", "Retry-After", repeats.REPLAYED)
PASSED_BACK_PREFIXES = ("x-ratelimit", "ratelimit")
# As Octopods itself reads a boolean ("Sending WhatsApp Templates via API").
YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
UNCLEAR_CHECK = "check must be true or false, 1 or 0, yes or no, on or off. Nothing was sent."
KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255
VIBER_WORDS = {
    Status.SENT: "SENT",
    Status.DELIVERED: "DELIVERED",
    Status.READ: "READ",
    Status.DELETED: "DELETED",
    Status.FAILED: "FAILED",
}


@blueprint.post("/whatsapp/templates/<template_id>/messages")
@keyed("whatsapp")
def send_whatsapp(channel: Channel, template_id: str) -> Response:
    return _send(channel, f"/whatsapp/templates/{segment(template_id)}/messages", template_id)


@blueprint.post("/sms/messages")
@keyed("sms")
def send_sms(channel: Channel) -> Response:
    return _send(channel, "/sms/messages", None)


@blueprint.post("/vbm/templates/<template_id>/messages")
@keyed("vbm")
def send_vbm(channel: Channel, template_id: str) -> Response:
    return _send(channel, f"/vbm/templates/{segment(template_id)}/messages", template_id)


def _send(channel: Channel, path: str, template_id: str | None) -> Response:
    body = document()
    if body is None:
        return passed_on(flow_gateway.refused(channel.kind, not_an_object(channel.kind)))
    only_check = _asks_to_check()
    if only_check is None:
        return octopods_error(400, BAD_REQUEST, UNCLEAR_CHECK)
    if only_check:
        return json(preflight_document(check_request(services().flow, channel, body, template_id)))
    key = request.headers.get(KEY_HEADER)
    if key is not None and not 0 < len(key.strip()) <= LONGEST_KEY:
        words = f"{KEY_HEADER} must have 1 to {LONGEST_KEY} characters."
        return octopods_error(400, BAD_REQUEST, words)
    path += _query()
    person = contact(lambda: flow_gateway.platform(services().flow, channel))
    send = flow_gateway.Send(
        path, _headers(), request.get_data(), body, template_id, person, key.strip() if key else None
    )
    try:
        return passed_on(flow_gateway.send(services().flow, channel, send))
    except repeats.Conflict as conflict:
        return octopods_error(conflict.status, OURS, conflict.words)
    except flow_gateway.NotRecorded:
        words = "Redeliver could not record this message, so it was not sent. Try again."
        return octopods_error(503, OURS, words)
    except CallFailed as error:
        return _no_answer(error, sending=True)


def _asks_to_check() -> bool | None:
    """Whether this is to be checked and not sent; None when that cannot be read, for then it must not go out."""
    given = {
        value.strip().lower() for name, value in request.args.items(multi=True) if name.lower() == "check"
    }
    if given - {*YES, *NO}:
        return None
    return bool(given & set(YES))


def _query() -> str:
    """The query as it came, for Octopods to read."""
    query = request.query_string.decode("latin-1")
    return f"?{query}" if query else ""


def _headers() -> dict[str, str]:
    return {name: request.headers[name] for name in PASSED_ON if name in request.headers}


def passed_on(answer: Answer) -> Response:
    """Octopods' answer with its status and its bytes untouched, and the headers that mean something end to end."""
    response = Response(answer.body, status=answer.status, content_type="application/json")
    for name, value in answer.headers.items():
        if name.lower().startswith(PASSED_BACK_PREFIXES) or name.title() in PASSED_BACK:
            response.headers[name] = value
    return response


def _no_answer(error: CallFailed, sending: bool) -> Response:
    if isinstance(error, Refused):
        return not_forwarded(error)
    if isinstance(error, NotReached):
        what = " The message was not sent." if sending else ""
        return octopods_error(502, OURS, f"Octopods could not be reached.{what}")
    what = " The message may or may not have been sent." if sending else ""
    return octopods_error(504, OURS, f"Octopods did not answer.{what}")


@blueprint.get("/whatsapp/messages/<message_id>")
@keyed("whatsapp")
def whatsapp_status(channel: Channel, message_id: str) -> Response:
    return _ask(channel, f"/whatsapp/messages/{segment(message_id)}")


@blueprint.get("/sms/messages/<message_id>")
@keyed("sms")
def sms_status(channel: Channel, message_id: str) -> Response:
    return _ask(channel, f"/sms/messages/{segment(message_id)}")


@blueprint.get("/whatsapp/messages")
@keyed("whatsapp")
def whatsapp_list(channel: Channel) -> Response:
    return _ask(channel, "/whatsapp/messages")


@blueprint.get("/whatsapp/templates")
@keyed("whatsapp")
def whatsapp_templates(channel: Channel) -> Response:
    return _ask(channel, "/whatsapp/templates")


@blueprint.get("/whatsapp/templates/<template_id>")
@keyed("whatsapp")
def whatsapp_template(channel: Channel, template_id: str) -> Response:
    return _ask(channel, f"/whatsapp/templates/{segment(template_id)}")


@blueprint.get("/vbm/templates")
@keyed("vbm")
def vbm_templates(channel: Channel) -> Response:
    return _ask(channel, "/vbm/templates")


@blueprint.get("/vbm/templates/<template_id>")
@keyed("vbm")
def vbm_template(channel: Channel, template_id: str) -> Response:
    return _ask(channel, f"/vbm/templates/{segment(template_id)}")


def _ask(channel: Channel, path: str) -> Response:
    """Octopods' own answer, with a `diagnosis` beside whatever tells how a message stands."""
    flow = services().flow
    try:
        answer = asking.ask(flow, channel, path + _query(), _headers())
    except CallFailed as error:
        return _no_answer(error, sending=False)
    if "/templates" in path:
        return passed_on(answer)
    found, diagnoses = asking.record_and_diagnose(flow, channel, answer)
    body = answer.body
    if isinstance(found, dict) and "messages" not in found:
        body = with_diagnosis(body, found, diagnoses[0])
    elif found is not None:
        _add_to_items(found, diagnoses)
        body = orjson.dumps(found)
    return passed_on(Answer(answer.status, answer.headers, body))


def with_diagnosis(body: bytes, found: Mapping[str, Any], diagnosis: Diagnosis | None) -> bytes:
    """The document with one member more; every byte of Octopods' own stays as it is."""
    if not found or "diagnosis" in found:
        return body
    added = orjson.dumps(diagnosis_document(diagnosis) if diagnosis else None)
    return body.rstrip().removesuffix(b"}") + b',"diagnosis":' + added + b"}"


def _add_to_items(found: Any, diagnoses: list[Diagnosis | None]) -> None:
    items = found["messages"] if isinstance(found, dict) else found
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    for item, diagnosis in zip(objects, diagnoses, strict=False):
        item.setdefault("diagnosis", diagnosis_document(diagnosis) if diagnosis else None)


@blueprint.get("/vbm/messages/<message_id>")
@keyed("vbm")
def vbm_status(channel: Channel, message_id: str) -> Response:
    """Octopods offers no status for Viber: this is what Redeliver knows, and it says so."""
    message = asking.viber(services().flow, channel, message_id)
    if message is None:
        return octopods_error(400, BAD_REQUEST, "There is no Viber message with this message_id.")
    return json(viber_document(message))


def viber_document(message: Message) -> dict[str, Any]:
    """In the shape of Octopods' own status documents ("Checking Message Delivery Status")."""
    diagnosis = message.diagnosis if message.status is Status.FAILED else None
    given = message.octopods_id or message.request_id or message.id
    return {
        "request_id": message.request_id,
        "message_id": int(given) if given.isascii() and given.isdigit() else given,
        "status": VIBER_WORDS.get(message.status, "UNKNOWN"),
        "status_message": "Octopods offers no status for Viber messages; this is what Redeliver knows.",
        "phone_number": message.to or message.raw_to,
        "channel_message_id": message.provider_id,
        "failure_reason": message.failure_raw or noted(message) if message.status is Status.FAILED else None,
        "last_updated": message.updated_at.isoformat(),
        "answered_by": "redeliver",
        "diagnosis": diagnosis_document(diagnosis) if diagnosis else None,
    }
