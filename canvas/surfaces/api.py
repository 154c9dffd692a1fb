"""Our own part of the API: register a message sent elsewhere, and ask what a failure text means."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from canvas.clients.octopods_answers import read_status
from canvas.domain.message import Message
from canvas.flows import come_in, gateway
from canvas.flows.checking import check_request
from canvas.flows.come_in import Contact
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.documents import diagnosis_document, evidence_from
from canvas.store.channels import Channel
from canvas.surfaces.guard import keyed
from canvas.surfaces.octopods_wire import (
    BAD_REQUEST,
    contact,
    document,
    json,
    octopods_error,
    preflight_document,
    speaks_octopods,
)
from canvas.surfaces.services import services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
speaks_octopods(blueprint)
CHANNELS = ("whatsapp", "sms", "vbm")


def message_document(message: Message) -> dict[str, Any]:
    """A message as the API tells it."""
    return {
        "id": message.id,
        "channel": message.channel,
        "message_id": message.octopods_id,
        "status": str(message.status),
        "destination_phone": message.to or message.raw_to,
        "contact_id": message.contact_id,
        "created_at": message.created_at.isoformat(),
        "diagnosis": diagnosis_document(message.diagnosis) if message.diagnosis else None,
    }


@blueprint.post("/track")
@keyed(None)
def track(channel: Channel) -> Response:
    """Register a message that was sent elsewhere with this key, so that its failure is seen here."""
    body = document()
    line, wrong = _line(channel, body)
    if body is None or line is None:
        return octopods_error(400, BAD_REQUEST, wrong)
    phone = body.get("destination_phone")
    if phone is not None and not isinstance(phone, str):
        return octopods_error(400, BAD_REQUEST, "destination_phone must be text, such as +353871234567.")
    report = read_status(body) if body.get("status") or body.get("message_status") else None
    message_id = _text(body.get("message_id") or (report.message_id if report else None))
    phone = phone or (report.phone if report else None)
    if not message_id and not phone:
        wrong = "You must supply message_id or destination_phone in your request payload."
        return octopods_error(400, BAD_REQUEST, wrong)
    given = Contact(
        _text(body.get("contact_id")) or contact(lambda: gateway.platform(services().flow, line)).id,
        _text(body.get("conversation_id")),
    )
    message = come_in.track(
        services().flow,
        line,
        {**body, "destination_phone": phone},
        message_id,
        _text(body.get("template_id")),
        given,
        report,
    )
    return json(message_document(message), 201)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip()[:64] or None


def _line(channel: Channel, body: Any) -> tuple[Channel | None, str]:
    """The channel this request is about, or what is wrong with it in one sentence."""
    if body is None:
        return None, "The request body must be a JSON object."
    kind = channel.kind if body.get("channel") is None else body["channel"]
    if kind not in CHANNELS:
        return None, "channel must be whatsapp, sms or vbm."
    line = gateway.sibling(services().flow, channel, kind)
    return line, "" if line else f"This key belongs to the channel {channel.kind}, not {kind}."


@blueprint.post("/check")
@keyed(None)
def check(channel: Channel) -> Response:
    """Would this send fail? Nothing is sent, nothing is stored."""
    body = document()
    line, wrong = _line(channel, body)
    if body is None or line is None:
        return octopods_error(400, BAD_REQUEST, wrong)
    found = check_request(services().flow, line, body, _text(body.get("template_id")))
    return json(preflight_document(found))


@blueprint.post("/diagnose")
@keyed(None)
def diagnose_text(channel: Channel) -> Response:
    """What a failure text means. Nothing is stored."""
    body = document()
    if body is None:
        return octopods_error(400, BAD_REQUEST, "The request body must be a JSON object.")
    return json(diagnosis_document(diagnose(evidence_from(body))))
