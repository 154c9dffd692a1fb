"""HubSpot's error bodies ("Error handling", "Usage guidelines", "OAuth tokens")."""

from __future__ import annotations

import json
import uuid
from typing import Any

DAY = 86_400


class HubSpotRefusal(Exception):
    """An answer other than 2xx, with HubSpot's body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("message"))
        self.status, self.body = status, body


def error(category: str, message: str, **more: Any) -> dict[str, Any]:
    return {
        "status": "error",
        "message": message,
        "correlationId": str(uuid.uuid4()),
        "category": category,
        **more,
    }


def not_found(what: str = "resource not found") -> HubSpotRefusal:
    return HubSpotRefusal(404, error("OBJECT_NOT_FOUND", what))


def invalid(message: str) -> HubSpotRefusal:
    return HubSpotRefusal(400, error("VALIDATION_ERROR", message))


def invalid_property(name: str, code: str, sentence: str, portal: int) -> HubSpotRefusal:
    """The detail of a refused property is JSON inside the message."""
    detail = [
        {
            "isValid": False,
            "message": sentence,
            "error": code,
            "name": name,
            "localizedErrorMessage": sentence,
            "portalId": portal,
        }
    ]
    return invalid(f"Property values were not valid: {json.dumps(detail)}")


def expired() -> HubSpotRefusal:
    message = "The OAuth token used to make this call expired 75 second(s) ago."
    return HubSpotRefusal(401, error("EXPIRED_AUTHENTICATION", message, context={"expire time": ["75"]}))


def unauthenticated() -> HubSpotRefusal:
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
        "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    )
    return HubSpotRefusal(401, error("INVALID_AUTHENTICATION", message))


def missing_scopes(*scopes: str) -> HubSpotRefusal:
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    message = "This app hasn't been granted all required scopes to make this call."
    return HubSpotRefusal(403, error("MISSING_SCOPES", message, errors=[detail]))


def rate_limit(path: str, seconds: int) -> dict[str, Any]:
    policy, word = ("DAILY", "daily") if seconds >= DAY else ("TEN_SECONDLY_ROLLING", "ten_secondly_rolling")
    if path.endswith("/search"):
        policy, word = "SECONDLY", "secondly"
    return {
        "status": "error",
        "message": f"You have reached your {word} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
        "requestId": str(uuid.uuid4()),
    }


def oauth_error(status: str, kind: str, sentence: str) -> HubSpotRefusal:
    body = {"error": kind, "error_description": sentence, "status": status, "message": sentence}
    return HubSpotRefusal(400, body)
