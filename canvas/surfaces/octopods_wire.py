"""What our API shares with Octopods' own: its error shape, its JSON bodies, and our headers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from flask import Response, request

from canvas.flows.come_in import Contact

CONTACT_HEADERS = ("X-Intercom-Contact-Id", "X-HubSpot-Contact-Id")
BAD_REQUEST = 1  # ARGUMENT_MISSING, which every endpoint family numbers 1


def octopods_error(status: int, code: int, words: str) -> Response:
    """An error of ours in the shape of Octopods' own ("API Error Reference")."""
    body = {"request_id": str(uuid4()), "error_code": code, "error": words}
    return Response(orjson.dumps(body), status=status, mimetype="application/json")


def contact() -> Contact:
    """Whom the caller says this message is for; these headers stay here."""
    given = (request.headers.get(name, "").strip()[:64] for name in CONTACT_HEADERS)
    return Contact(next((value for value in given if value), None))


def document() -> Mapping[str, Any] | None:
    """The body as a JSON object, or None."""
    try:
        found = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
