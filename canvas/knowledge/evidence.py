"""Evidence out of Octopods' answers: every documented shape of a failure reason, and its error bodies.

Octopods API reference: "Message status" and "List messages" (`failure_reason`), "Errors" (the body).
"""

from __future__ import annotations

import json
from typing import Any

from canvas.knowledge.catalogue import load
from canvas.knowledge.model import Evidence

# Octopods hands WhatsApp to Meta, SMS to Twilio and VBM to Viber ("Message lifecycle").
_PROVIDERS = {"whatsapp": "meta", "sms": "twilio", "vbm": "viber_business"}


def from_failure_reason(value: object, channel: str | None) -> Evidence | None:
    """The evidence in a `failure_reason`: a string, `{code, title}`, or None when it says nothing.

    Absent, `null`, `""` and `{}` all mean that there is no reason. Anything else is kept as its JSON text.
    """
    if value is None or value == "" or value == {}:
        return None
    if isinstance(value, str):
        return Evidence(text=value, channel=channel, provider=_PROVIDERS.get(channel or ""))
    if isinstance(value, dict) and (value.get("title") or value.get("code") is not None):
        code = value.get("code")
        return Evidence(
            text=str(value.get("title") or ""),
            channel=channel,
            provider=_PROVIDERS.get(channel or ""),
            code=None if code is None else str(code),
        )
    return Evidence(text=json.dumps(value, ensure_ascii=False), channel=channel)


def from_error_body(body_text: str, channel: str | None, http_status: int | None) -> Evidence:
    """The evidence in an Octopods error answer `{request_id, error_code, error}`, or in what came instead."""
    body = _object(body_text)
    name = error_name(channel, body.get("error_code"))
    text = body.get("error")
    if not isinstance(text, str):
        return Evidence(text=body_text, channel=channel, http_status=http_status)
    if (
        name is None or name == "ARGUMENT_MISSING"
    ):  # the text names the argument, which says more than the number does
        return Evidence(text=text, channel=channel, http_status=http_status)
    if name == "PROVIDER_ERROR":
        return Evidence(
            text=text, channel=channel, provider=_PROVIDERS.get(channel or ""), http_status=http_status
        )
    return Evidence(text=text, channel=channel, provider="octopods", code=name, http_status=http_status)


def error_name(family: str | None, code: object) -> str | None:
    """The documented name of an `error_code`, which means something only inside its endpoint family."""
    if isinstance(code, str) and len(code) < 10 and code.isdecimal():
        code = int(code)
    if family is None or not isinstance(code, int):
        return None
    return load().error_names.get((family, code))


def error_number(family: str, name: str) -> int:
    """The `error_code` that stands for a documented name in that family; 0 where none is documented."""
    return next((code for (f, code), n in load().error_names.items() if f == family and n == name), 0)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
