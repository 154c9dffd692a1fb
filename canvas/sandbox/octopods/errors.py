"""Octopods' refusals: code by endpoint family, and text. Octopods API reference, "API Error Reference"."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

NOT_EXIST = "Message Template does not exist."
NOT_APPROVED = "Template does not exist or is not approved"
VARIABLES_SIZE = "The number of variables you supplied does not match the template."
INVALID_HEADER = "Invalid header media URL."
NO_PHONE = "Phone number is missing."
BAD_PHONE = "Invalid Phone number."
EMPTY_BODY = "Message body is empty."
OFFLINE = "Your origin sending Channel / Number is unknown to us."
DEPRECATED = "Deprecated API Key. Please go to your Octopods App, and get your new API Key"
NOT_SECTIONED = "message_variables must be an object when the template has variables outside its body."

CODES: dict[str, dict[str, int]] = {
    "whatsapp": {
        "ARGUMENT_MISSING": 1,
        "TYPE_MISMATCH": 2,
        "TEMPLATE_NOT_EXIST": 3,
        "VARIABLES_SIZE": 4,
        "PHONE_INVALID": 5,
        "DEPRECATED_API_KEY": 6,
        "PROVIDER": 7,
        "INVALID_HEADER": 8,
        "NOT_SECTIONED": 9,
        "INVALID_STATUS": 10,
    },
    "sms": {
        "ARGUMENT_MISSING": 1,
        "EMPTY_BODY": 2,
        "PHONE_INVALID": 3,
        "PROVIDER": 4,
        "DEPRECATED_API_KEY": 5,
    },
    "vbm": {
        "ARGUMENT_MISSING": 1,
        "TYPE_MISMATCH": 2,
        "TEMPLATE_NOT_EXIST": 3,
        "VARIABLES_SIZE": 4,
        "PHONE_INVALID": 5,
        "DEPRECATED_API_KEY": 6,
        "PROVIDER": 7,
        "INVALID_HEADER": 8,
        "NOT_SECTIONED": 9,
    },
}


@dataclass(frozen=True)
class Refused(Exception):
    """The request is refused with Octopods' error body; `name` picks the family's code."""

    family: str
    name: str
    text: str
    status: int = 400

    @property
    def body(self) -> dict[str, Any]:
        return error_body(CODES[self.family].get(self.name, 1), self.text)


def error_body(code: int, text: str) -> dict[str, Any]:
    return {"request_id": str(uuid.uuid4()), "error_code": code, "error": text}


def must_supply(name: str) -> str:
    return f"You must supply {name} in your request payload."
