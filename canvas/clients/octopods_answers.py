"""What Octopods' answers mean, in every shape its articles show.

Four families of its documentation disagree on shapes and on upper and lower case, and none is called
authoritative, so all of them are read. Pure functions: the gateway reads forwarded answers with them too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from canvas.clients.documents import identifier, json_or_none, mapping, objects, text
from canvas.clients.errors import CallFailed, RateLimited, Refused, Unauthorised
from canvas.clients.http import Answer, Effect, broken
from canvas.clients.waiting import retry_at
from canvas.domain.templates import Button, Template

VENDOR = "Octopods"
# Octopods API reference, "API Error Reference", "List Sent WhatsApp Messages", "Check SMS Message Status".
EARLIEST_YEAR = 2000
DEPRECATED_KEY = {"whatsapp": 6, "sms": 5}
STATUSES = {
    "QUEUED": "sent",
    "SENT": "sent",
    "DELIVERED": "delivered",
    "READ": "read",
    "FAILED": "failed",
    "UNDELIVERED": "failed",
    "DELETED": "deleted",
}
_DEPRECATED_TEXT = re.compile(r"deprecated\s+api[\s_-]*key", re.IGNORECASE)
_NO_HISTORY = re.compile(
    r"\b(no|not|n't|empty|any|yet|without)\b.*\b(messages?|history)\b|"
    r"\b(messages?|history)\b.*\b(no|not|empty|yet|found|exist)\b",
    re.IGNORECASE | re.DOTALL,
)
_LAST_ID = re.compile(r"/messages/([^/?#]+)/?$")


@dataclass(frozen=True, slots=True)
class Sent:
    """Octopods took the message. `message_id` is None where only a request id came (HubSpot, Viber)."""

    message_id: str | None
    request_id: str | None = None
    provider_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One message as Octopods sees it now.

    `status` is one of sent, delivered, read, failed, deleted, unknown; `raw_status` is Octopods' own word.
    `failure_reason` is untouched: None, text, or an object such as {"code": 470, "title": "..."}.
    """

    message_id: str | None
    status: str
    raw_status: str = ""
    failure_reason: Any = None
    provider_id: str | None = None
    request_id: str | None = None
    phone: str | None = None
    text: str | None = None
    conversation_id: str | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    last_updated: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def begun_at(self) -> datetime | None:
        """When it was sent, or else made, as far as Octopods says."""
        return self.sent_at or self.created_at


def read_sent(family: str, answer: Answer, now: datetime) -> Sent:
    """The receipt in the answer to a send. Raises the error it is instead; a 2xx without any id is Unsure."""
    document = document_of(family, answer, "once", now)
    if isinstance(document, Mapping):
        message_id = _message_id(document)
        request_id = identifier(document.get("request_id"))
        if message_id or (request_id and not _speaks_against(document)):
            return Sent(message_id, request_id, identifier(document.get("channel_message_id")), document)
    raise broken("once", "Octopods answered, but without the new message's id.", answer)


def _speaks_against(document: Mapping[str, Any]) -> bool:
    """Whether an answer with no more than a request id says anything that no receipt would say."""
    word = text(document.get("status"))
    bad_word = word is not None and STATUSES.get(word.strip().upper(), "failed") == "failed"
    others = ("errors", "message", "failure_reason", "message_id")
    return bad_word or document.get("success") is False or any(document.get(name) for name in others)


def _message_id(document: Mapping[str, Any]) -> str | None:
    found = identifier(document.get("message_id"))
    if found and found != "0":
        return found
    link = _LAST_ID.search(str(document.get("message_status_url") or ""))
    return link[1] if link else None


def document_of(family: str, answer: Answer, effect: Effect, now: datetime) -> Any:
    """The JSON of a good answer. Raises Unauthorised, RateLimited, Refused, Unsure or BrokenAnswer."""
    document = json_or_none(answer)
    if not 200 <= answer.status < 300:
        raise failure(family, answer, document, effect, now)
    if document is None:
        raise broken(effect, "Octopods answered with something that cannot be read.", answer)
    if isinstance(document, Mapping) and _is_error(document):
        raise failure(family, answer, document, effect, now)
    return document


def _is_error(document: Mapping[str, Any]) -> bool:
    """An error body under a good status; one that carries a message id is a receipt all the same."""
    named = document.get("error") or document.get("error_code") is not None
    return bool(named) and _message_id(document) is None


def failure(family: str, answer: Answer, document: Any, effect: Effect, now: datetime) -> CallFailed:
    """The error an answer stands for. Source: Octopods API reference, "API Error Reference"."""
    error = mapping(document)
    said = (text(error.get("error")) or text(error.get("message")) or "").strip()
    code = identifier(error.get("error_code"))
    facts: dict[str, Any] = {
        "status": answer.status,
        "body": answer.text,
        "code": code,
        "request_id": identifier(error.get("request_id")),
    }
    if answer.status == 429:
        until = retry_at(answer.headers, answer.text, now)
        return RateLimited("Octopods asks us to slow down on this key.", retry_at=until, **facts)
    if answer.status >= 500 or answer.status == 408:  # a proxy may say 408 once the request has left
        trouble = f"Octopods had trouble of its own ({answer.status})."
        return broken(effect, trouble, answer, code, facts["request_id"])
    if answer.status in (401, 403) or _deprecated(family, code, said):
        return Unauthorised("Octopods does not accept this API key (any more).", **facts)
    if answer.status < 200 or 300 <= answer.status < 400:
        return Refused(f"Octopods pointed somewhere else ({answer.status}) instead of answering.", **facts)
    sentence = f"Octopods said: {said}" if said else f"Octopods refused the request ({answer.status})."
    return Refused(sentence[:500], **facts)


def _deprecated(family: str, code: str | None, said: str) -> bool:
    """By the family's own code or by the words; Viber's code is not documented, and its 5 is a wrong number."""
    return code == str(DEPRECATED_KEY.get(family)) or bool(_DEPRECATED_TEXT.search(said))


def no_history(error: CallFailed) -> bool:
    """Whether the list was refused only because it is empty (400, "Listing Sent Messages")."""
    if not isinstance(error, Refused) or isinstance(error, Unauthorised) or error.status not in (400, 404):
        return False
    return bool(_NO_HISTORY.search(error.message)) and "key" not in error.message.lower()


def read_status(document: Any) -> StatusReport | None:
    """One status answer, or one item of either list; None when it says nothing of a message."""
    if not isinstance(document, Mapping):
        return None
    inner = document.get("message_status")
    nested = mapping(inner)
    word = text(nested.get("message_status")) or text(document.get("status")) or text(inner) or ""
    # In the nested list shape `channel_message_id` holds Octopods' own id ("Listing Sent Messages").
    message_id = identifier(document.get("message_id")) or identifier(nested.get("message_id"))
    message_id = message_id or identifier(nested.get("channel_message_id"))
    if not word and not message_id:
        return None
    return StatusReport(
        message_id=message_id,
        status=STATUSES.get(word.strip().upper(), "unknown"),
        raw_status=word,
        failure_reason=nested.get("failure_reason", document.get("failure_reason")),
        provider_id=identifier(document.get("channel_message_id")),
        request_id=identifier(document.get("request_id")),
        phone=_phone(text(document.get("phone_number")) or text(document.get("user_phone_number"))),
        text=text(document.get("message_content")),
        conversation_id=identifier(document.get("intercom_conversation_id")),
        created_at=_time(document.get("created_at")),
        sent_at=_time(document.get("sent_at")),
        delivered_at=_time(document.get("delivered_at")),
        read_at=_time(document.get("read_at")),
        last_updated=_time(document.get("last_updated")),
        raw=document,
    )


def read_list(document: Any, key: str) -> list[Mapping[str, Any]] | None:
    """The objects of a bare array or of an object that holds one under `key`; None when it is neither."""
    items = document.get(key) if isinstance(document, Mapping) else document
    return objects(items) if isinstance(items, list) else None


def read_template(channel: str, document: Mapping[str, Any]) -> Template | None:
    """One template; `template_body` may be text or a BODY component. None without an id to send it by."""
    template_id = identifier(document.get("template_id"))
    if template_id is None:
        return None
    components = objects(document.get("template_components"))
    parts = {str(c.get("type", "")).upper(): c for c in reversed(components)}
    header = parts.get("HEADER", {})
    words = text(header.get("text")) or ""
    body = document.get("template_body")
    active = document.get("active")
    return Template(
        id=template_id,
        channel=channel,
        name=text(document.get("template_name")) or "",
        body=text(parts.get("BODY", {}).get("text")) or _body_text(body),
        header=words,
        footer=text(parts.get("FOOTER", {}).get("text")) or "",
        buttons=_buttons(components),
        header_format=(text(header.get("format")) or ("TEXT" if words else "")).upper(),
        status=text(document.get("template_status")),
        active=active if isinstance(active, bool) else None,
        language=text(document.get("language")) or text(document.get("template_language")),
        raw=document,
    )


def _body_text(body: Any) -> str:
    return text(mapping(body).get("text")) or text(body) or ""


def _buttons(components: list[Mapping[str, Any]]) -> tuple[Button, ...]:
    """Buttons listed in a BUTTONS component, as Meta does, or one by one; their shape is not documented."""
    found: list[Mapping[str, Any]] = []
    for component in components:
        kind = str(component.get("type", "")).upper()
        if kind == "BUTTONS":
            found += objects(component.get("buttons"))
        elif kind in ("BUTTON", "URL"):
            found.append(component)
    return tuple(Button(text(b.get("text")) or "", text(b.get("url")) or "") for b in found)


def _phone(given: str | None) -> str | None:
    """Octopods' documents leave the plus out of a number that is in full form otherwise."""
    bare = given is not None and given.isascii() and given.isdigit() and not given.startswith("0")
    return f"+{given}" if bare else given


def _time(value: Any) -> datetime | None:
    """A moment; an impossible one, or one before there were such messages, is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year >= EARLIEST_YEAR else None
