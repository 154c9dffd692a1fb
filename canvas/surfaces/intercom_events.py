"""What Intercom tells us by itself: is the install well, the app was uninstalled, something became of a contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from canvas.domain.json_text import json_or_none
from canvas.flows import intercom_events
from canvas.flows.intercom_events import Event
from canvas.surfaces.guard import signed_by_intercom, signed_hub
from canvas.surfaces.services import services

log = structlog.get_logger()
blueprint = Blueprint("intercom_events", __name__, url_prefix="/intercom")


@blueprint.post("/health")
@signed_by_intercom
def health() -> Response:
    """Intercom asks once a day and workspace; our own trouble is UNKNOWN, so that nobody is mailed about it."""
    settings_url = f"{current_app.config['PUBLIC_URL']}/settings"
    try:
        answer = intercom_events.health(services().flow, _text(_document(), "workspace_id"), settings_url)
    except SQLAlchemyError:
        log.exception("health.unknown")
        answer = {"state": "UNKNOWN"}
    return Response(orjson.dumps(answer), mimetype="application/json")


@blueprint.post("/uninstall")
@signed_by_intercom
def uninstall() -> Response:
    """Also for a workspace nobody knows, or one that left before: 200."""
    intercom_events.leave(services().flow, _text(_document(), "app_id"))
    return Response(status=200)


@blueprint.route("/webhooks", methods=["HEAD", "POST"])
@signed_hub
def webhooks() -> Response:
    """Keep it and answer at once; the worker does the rest. Never 410: that switches the subscription off."""
    document = _document()
    data = document.get("data")
    item = _object(data.get("item") if isinstance(data, dict) else None)
    event = Event(
        workspace=_text(document, "app_id"),
        id=_text(document, "id"),
        topic=_text(document, "topic"),
        contact=_text(item, "id"),
        merged_from=_text(_object(item.get("merged_from")), "id"),
    )
    if event.workspace and event.id:
        intercom_events.store(services().flow, event)
    return Response(status=200)


def _document() -> Mapping[str, Any]:
    return _object(json_or_none(request.get_data()))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    known = isinstance(value, str | int) and not isinstance(value, bool)
    words = str(value).replace("\x00", "") if known else ""
    return words if len(words) <= 64 else ""
