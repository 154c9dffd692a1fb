"""Canvas Kit requests as Intercom sends them from the Inbox: built, written as bytes, signed and posted.

Intercom developer documentation: "Canvas Kit", "Signing notifications", and the Inbox variant of the
Initialize and Submit flows. Intercom's JSON escapes `<`, `>` and `&`, so these bytes do too: an app that
signs what it re-serialised, instead of the raw bytes, fails on the desk as it would fail in an inbox.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import requests

from canvas.sandbox import intercom_people as people
from canvas.sandbox.people import Person

PATIENCE_SECONDS = 15
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def initialize(person: Person, contact: dict[str, Any]) -> dict[str, Any]:
    return {
        "workspace_id": people.WORKSPACE,
        "workspace_region": people.REGION,
        "admin": people.ADMIN,
        "conversation": people.conversation(person),
        "contact": contact,
    }


def submit(person: Person, contact: dict[str, Any], click: dict[str, Any]) -> dict[str, Any]:
    """`click` holds component_id, input_values and current_canvas, as the canvas on the screen has them."""
    asked = {name: click.get(name) for name in ("component_id", "input_values", "current_canvas")}
    return {**initialize(person, contact), **asked}


def raw_bytes(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text.encode()


def sign(raw: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def post(url: str, body: dict[str, Any], secret: str) -> dict[str, Any]:
    """Post a signed body and tell both sides of the exchange. Never raises for what the app answers."""
    raw = raw_bytes(body)
    headers = {"Content-Type": "application/json", "X-Body-Signature": sign(raw, secret)}
    request = {"url": url, "headers": headers, "body": raw.decode()}
    began = time.perf_counter()
    try:
        answer = requests.post(url, data=raw, headers=headers, timeout=PATIENCE_SECONDS)
    except requests.RequestException as error:
        return {"request": request, "response": None, "error": str(error), "ms": _since(began)}
    response = {"status": answer.status_code, "body": answer.text}
    return {"request": request, "response": response, "error": None, "ms": _since(began)}


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
