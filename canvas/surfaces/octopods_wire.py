"""What our API shares with Octopods' own: its error shape, its JSON bodies, and our headers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import orjson
import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from canvas.domain.json_text import json_or_none
from canvas.domain.preflight import Finding, verdict
from canvas.flows.come_in import Contact
from canvas.surfaces.route import route

log = structlog.get_logger()
CONTACT_HEADERS = {"intercom": "X-Intercom-Contact-Id", "hubspot": "X-HubSpot-Contact-Id"}
BAD_REQUEST = 1  # ARGUMENT_MISSING, which every endpoint family numbers 1
DEEPEST = 50  # levels of a document that anybody could mean
OURS = 0  # an error that Octopods does not know, such as our own database being away


def json(data: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status=status, mimetype="application/json")


def octopods_error(status: int, code: int, words: str) -> Response:
    """An error of ours in the shape of Octopods' own ("API Error Reference")."""
    return json({"request_id": str(uuid4()), "error_code": code, "error": words}, status)


def contact(platform: Callable[[], str]) -> Contact:
    """Whom the caller says this message is for. The other platform's header names nobody of this workspace.

    Whose workspace it is costs a question, asked only where somebody is named.
    """
    given = {name: request.headers.get(header, "").strip()[:64] for name, header in CONTACT_HEADERS.items()}
    return Contact(given[platform()] or None if any(given.values()) else None)


def document() -> Mapping[str, Any] | None:
    """The body as a JSON object, or None."""
    found = json_or_none(request.get_data())
    return found if isinstance(found, dict) and not _deeper(found, DEEPEST) else None


def _deeper(value: Any, levels: int) -> bool:
    """Whether a document is nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(each, levels - 1) for each in inner)


def preflight_document(findings: tuple[Finding, ...]) -> dict[str, Any]:
    """What a check before sending found, as the API tells it."""
    told = [{k: v for k, v in asdict(finding).items() if v is not None} for finding in findings]
    return {"verdict": verdict(findings), "findings": told}


def speaks_octopods(blueprint: Blueprint) -> None:
    """Whatever goes wrong in this blueprint is told in Octopods' error shape, which its callers can read."""
    blueprint.register_error_handler(SQLAlchemyError, _no_database)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    blueprint.register_error_handler(HTTPException, _http_error)


def _no_database(error: SQLAlchemyError) -> Response:
    log.error("api.no_database", route=route(), exc_info=error)
    return octopods_error(
        503, OURS, "Redeliver cannot reach its records right now. Nothing was sent. Try again."
    )


def _too_large(_: RequestEntityTooLarge) -> Response:
    most = (request.max_content_length or 0) // 1024**2
    return octopods_error(413, BAD_REQUEST, f"The body has more than {most} MB. Send a smaller one.")


def _http_error(error: HTTPException) -> Response:
    code = BAD_REQUEST if error.code == 400 else OURS
    return octopods_error(error.code or 500, code, error.description or error.name)
