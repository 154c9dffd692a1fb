"""Telling a webhook that a tenant named, such as a Slack channel's: signed, and only to the public internet."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import orjson

from canvas.clients.errors import CallFailed, NotReached
from canvas.clients.guard import Guarded

WITHIN_SECONDS = 10.0


class Webhook:
    """Posts JSON that Slack's incoming webhooks understand ("Sending messages using incoming webhooks")."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    def post(self, url: str, secret: str, delivery: str, document: dict[str, Any], now: datetime) -> None:
        """Deliver once more or for the first time: `delivery` is the same for every try.

        `X-Redeliver-Signature` is `sha256=` and the HMAC of the time, a dot, and the raw body. Raises CallFailed.
        """
        body = orjson.dumps(document)
        at = str(int(now.timestamp()))
        headers = {
            "X-Redeliver-Timestamp": at,
            "X-Redeliver-Signature": signature(secret, at, body),
            "Idempotency-Key": delivery,
        }
        answer = self._guarded.send(
            "POST", url, within=WITHIN_SECONDS, json=document, headers=headers, effect="repeatable", cut=True
        )
        if answer.status >= 500 or answer.status in (408, 429):
            raise NotReached(f"The webhook answered {answer.status}.", status=answer.status)
        if answer.status >= 300:
            raise CallFailed(f"The webhook answered {answer.status}.", status=answer.status)


def signature(secret: str, at: str, body: bytes) -> str:
    """What a receiver computes over the bytes it got, to know who sent them."""
    return "sha256=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
