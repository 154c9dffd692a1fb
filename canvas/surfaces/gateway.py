"""The drop-in gateway: Octopods' own send routes under our host. Same request, same answer."""

from __future__ import annotations

from flask import Blueprint, Response, request

from canvas.clients.errors import CallFailed, NotReached
from canvas.clients.http import Answer
from canvas.flows import gateway as flow_gateway
from canvas.store.channels import Channel
from canvas.surfaces.guard import keyed
from canvas.surfaces.octopods_wire import BAD_REQUEST, contact, document, octopods_error
from canvas.surfaces.services import services

blueprint = Blueprint("gateway", __name__, url_prefix="/api/v1")

PASSED_ON = ("X-Octopods-Auth", "Content-Type", "Accept", "User-Agent")


@blueprint.post("/whatsapp/templates/<template_id>/messages")
@keyed("whatsapp")
def send_whatsapp(channel: Channel, template_id: str) -> Response:
    return _send(channel, template_id)


@blueprint.post("/sms/messages")
@keyed("sms")
def send_sms(channel: Channel) -> Response:
    return _send(channel, None)


@blueprint.post("/vbm/templates/<template_id>/messages")
@keyed("vbm")
def send_vbm(channel: Channel, template_id: str) -> Response:
    return _send(channel, template_id)


def _send(channel: Channel, template_id: str | None) -> Response:
    body = document()
    if body is None:
        return octopods_error(400, BAD_REQUEST, "The request body must be a JSON object.")
    path = request.full_path.removeprefix("/api/v1").rstrip("?")
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    send = flow_gateway.Send(path, headers, request.get_data(), body, template_id, contact())
    try:
        return passed_on(flow_gateway.send(services().flow, channel, send))
    except CallFailed as error:
        return _no_answer(error)


def passed_on(answer: Answer) -> Response:
    """Octopods' answer with its status and its bytes untouched."""
    response = Response(answer.body, status=answer.status)
    response.headers["Content-Type"] = answer.headers.get("Content-Type", "application/json")
    if "Retry-After" in answer.headers:
        response.headers["Retry-After"] = answer.headers["Retry-After"]
    return response


def _no_answer(error: CallFailed) -> Response:
    if isinstance(error, NotReached):
        return octopods_error(502, 0, "Octopods could not be reached. The message was not sent.")
    return octopods_error(504, 0, "Octopods did not answer. The message may or may not have been sent.")
