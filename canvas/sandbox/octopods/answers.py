"""The bodies Octopods answers with, in each shape its articles document.

Its generations of documentation contradict each other, so every shape can be switched on: `guide` is
"Checking Message Delivery Status" and "Listing Sent Messages", `reference` the API reference of the same
calls, `legacy` the old "SMS API Reference".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urljoin

from canvas.sandbox.clock import iso
from canvas.sandbox.octopods.messages import ARRIVES_AFTER, READ_AFTER, Taken


@dataclass(slots=True)
class Shapes:
    """Which documented variant the fake speaks; set through /_control/shapes."""

    sends: Literal["message_id", "request_id", "legacy"] = "message_id"
    status: Literal["guide", "reference", "legacy"] = "guide"
    listing: Literal["guide", "reference"] = "reference"
    failure: Literal["object", "text"] = "object"
    missing_key: Literal[401, 400] = 401
    vbm_status: bool = False
    retry_at: Literal["iso", "seconds", "milliseconds", "header", "none"] = "iso"


def sent(message: Taken, shapes: Shapes, base: str) -> dict[str, Any]:
    """201 of a send. HubSpot workspaces may get the request id alone; the VBM body is documented nowhere."""
    if shapes.sends == "request_id":
        return {"request_id": message.request_id}
    if shapes.sends == "legacy":
        digits = message.phone.removeprefix("+")
        return {"message_id": message.id, "phone_number": digits, "request_id": message.request_id}
    body = {"request_id": message.request_id, "message_id": message.id}
    if message.channel == "sms":
        return {**body, "channel_message_id": message.provider_id}
    path = f"/api/v1/{message.channel}/messages/{message.id}"
    return {**body, "message_status_url": urljoin(base, path)}


def reason(message: Taken, shapes: Shapes) -> Any:
    """`failure_reason` of a failed message: `{code, title}` or a string."""
    person = message.failure
    assert person
    as_object = shapes.failure == "object" and message.channel == "whatsapp" and person.code
    if as_object:
        return {"code": person.code, "title": person.text}
    return f"{person.code}: {person.text}" if person.code else person.text


WORDS = {
    "SENT": "Your message has been sent.",
    "DELIVERED": "Your message has been delivered successfully.",
    "READ": "Your message has been read.",
    "FAILED": "Your message could not be delivered.",
    "UNKNOWN": "The status of your message is not known yet.",
}


def status(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    return STATUS_SHAPES[shapes.status](message, shapes, now)


def _guide(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    word, since = message.status(now)
    body = {
        "request_id": message.request_id,
        "message_id": message.id,
        "status": word,
        "status_message": WORDS[word],
        "channel_message_id": message.provider_id,
        "intercom_conversation_id": "",
        "intercom_conversation_part_id": "",
        "last_updated": iso(since),
    }
    return {**body, "failure_reason": reason(message, shapes)} if word == "FAILED" else body


def _reference(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    word, _ = message.status(now)
    failed_word = "undelivered" if message.channel == "sms" else "failed"
    body = {
        "request_id": message.request_id,
        "message_id": message.id,
        "status": failed_word if word == "FAILED" else word.lower(),
        "phone_number": message.phone,
        "sent_at": iso(message.at),
        "delivered_at": iso(message.at + ARRIVES_AFTER) if word in {"DELIVERED", "READ"} else None,
        "failure_reason": reason(message, shapes) if word == "FAILED" else None,
    }
    if message.channel == "sms":
        return body
    read_at = iso(message.at + READ_AFTER) if word == "READ" else None
    return {**body, "channel_message_id": message.provider_id, "read_at": read_at}


def _legacy(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    word, since = message.status(now)
    body = {
        "message_id": message.id,
        "status": word,
        "status_message": WORDS[word],
        "last_updated": iso(since),
        "request_id": message.request_id,
    }
    return {**body, "failure_reason": reason(message, shapes)} if word == "FAILED" else body


STATUS_SHAPES = {"guide": _guide, "reference": _reference, "legacy": _legacy}


def listing(messages: list[Taken], shapes: Shapes, now: datetime, request_id: str) -> Any:
    if shapes.listing == "guide":
        return [_listed_guide(message, shapes, now) for message in messages]
    items = [_listed_reference(message, shapes, now) for message in messages]
    return {"request_id": request_id, "messages": items}


def _listed_guide(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    word, _ = message.status(now)
    return {
        "user_phone_number": message.phone,
        "created_at": iso(message.at),
        "message_content": message.rendered(),
        "message_status": {
            "channel_message_id": message.id,
            "message_status": word,
            "failure_reason": reason(message, shapes) if word == "FAILED" else "",
        },
    }


def _listed_reference(message: Taken, shapes: Shapes, now: datetime) -> dict[str, Any]:
    word, _ = message.status(now)
    item = {
        "message_id": message.id,
        "status": word.lower(),
        "phone_number": message.phone,
        "sent_at": iso(message.at),
    }
    return {**item, "failure_reason": reason(message, shapes)} if word == "FAILED" else item
