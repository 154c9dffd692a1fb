"""The send request: what Octopods refuses for its form alone, before it looks at the template or the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Octopods' error name and its words ("API Error Reference", "Troubleshooting Failed Proactive Messages")."""

    name: str
    words: str


def refusal(channel: str, body: Mapping[str, Any]) -> Refusal | None:
    """Why Octopods would certainly refuse this body, in the order its references list the fields, or None."""
    phone = body.get("destination_phone")
    if phone is None or (isinstance(phone, str) and not phone.strip()):
        return Refusal("ARGUMENT_MISSING", "Phone number is missing.")
    if not isinstance(phone, str):
        return Refusal("PHONE_INVALID", "Invalid Phone number.")
    return _text(body) if channel == "sms" else _variables(body)


def _text(body: Mapping[str, Any]) -> Refusal | None:
    text = body.get("body")
    if text is None or isinstance(text, list | dict):
        return Refusal("ARGUMENT_MISSING", "You must supply body in your request payload.")
    if not str(text).strip():
        return Refusal("EMPTY_BODY", "Message body is empty.")
    return None


def _variables(body: Mapping[str, Any]) -> Refusal | None:
    given = body.get("message_variables")
    if given is None or isinstance(given, list | dict):
        return None
    return Refusal("TYPE_MISMATCH", "message_variables must be an array or an object.")


def not_an_object(channel: str) -> Refusal:
    """The refusal of a body that is not a JSON object; the SMS family has no error for a wrong type."""
    name = "ARGUMENT_MISSING" if channel == "sms" else "TYPE_MISMATCH"
    return Refusal(name, "The request payload must be a JSON object.")
