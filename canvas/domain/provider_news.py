"""What providers tell of a message directly: Twilio's status callbacks and Meta's WhatsApp webhooks. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canvas.domain.message import Status
from canvas.knowledge.model import Evidence

# Twilio, "Outbound message status in status callbacks"; `canceled` and unheard-of words say nothing of delivery.
TWILIO = {
    "accepted": Status.SENT,
    "scheduled": Status.SENT,
    "queued": Status.SENT,
    "sending": Status.SENT,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "undelivered": Status.FAILED,
    "failed": Status.FAILED,
}
# Meta, "WhatsApp Cloud API: statuses object".
META = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "failed": Status.FAILED,
    "deleted": Status.DELETED,
}


@dataclass(frozen=True, slots=True)
class News:
    """One status of one message. `to` and `sender` are E.164; `raw` is what came, verbatim, for a failure.

    `sender` is our side's number, where the provider names it.
    """

    channel: str
    provider_id: str
    to: str | None
    status: Status
    evidence: Evidence | None = None
    raw: str = ""
    at: datetime | None = None
    sender: str | None = None


def from_twilio(form: Mapping[str, str]) -> News | None:
    """The news of one callback; None when it is not about a message's delivery."""
    word = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
    provider_id = (form.get("MessageSid") or form.get("SmsSid") or "")[:128]
    if word not in TWILIO or not provider_id:
        return None
    kind, _, number = form.get("To", "").rpartition(":")
    channel = "whatsapp" if kind == "whatsapp" else "sms"
    code, said = form.get("ErrorCode", "")[:16], form.get("ErrorMessage", "")[:2000]
    evidence = Evidence(text=said, channel=channel, provider="twilio", code=code or None)
    raw = ": ".join(part for part in (code, said) if part)
    sender = _e164(form.get("From", "").rpartition(":")[2])
    return News(channel, provider_id, _e164(number), TWILIO[word], evidence, raw, sender=sender)


def from_meta(document: Any) -> list[News]:
    """The news in one webhook, which may hold many; whatever is of another shape is passed over."""
    return [news for status, sender in _statuses(document) if (news := _meta_status(status, sender))]


def _statuses(document: Any) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Each status, and the number it was sent from."""
    for entry in _objects(document, "entry"):
        for change in _objects(entry, "changes"):
            value = change.get("value")
            for status in _objects(value, "statuses"):
                yield status, _sender(value)


def _sender(value: Any) -> str | None:
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    shown = metadata.get("display_phone_number") if isinstance(metadata, Mapping) else None
    return _e164("+" + "".join(c for c in str(shown) if c.isascii() and c.isdigit())) if shown else None


def _objects(holder: Any, name: str) -> list[Mapping[str, Any]]:
    items = holder.get(name) if isinstance(holder, Mapping) else None
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _meta_status(status: Mapping[str, Any], sender: str | None) -> News | None:
    word, provider_id = status.get("status"), status.get("id")
    if not isinstance(word, str) or word not in META or not isinstance(provider_id, str) or not provider_id:
        return None
    errors = _objects(status, "errors")
    to = _e164(f"+{str(status.get('recipient_id') or '').removeprefix('+')}")
    at = _epoch(status.get("timestamp"))
    raw = json.dumps(errors, ensure_ascii=False) if errors else ""
    return News("whatsapp", provider_id[:128], to, META[word], _meta_evidence(errors), raw, at, sender)


def _meta_evidence(errors: list[Mapping[str, Any]]) -> Evidence:
    if not errors:
        return Evidence(channel="whatsapp", provider="meta")
    first = errors[0]
    details = first.get("error_data")
    said = [first.get("title"), first.get("message")]
    said.append(details.get("details") if isinstance(details, Mapping) else None)
    words = dict.fromkeys(str(part) for part in said if isinstance(part, str) and part)
    code = first.get("code")
    given = str(code)[:16] if isinstance(code, int | str) and not isinstance(code, bool) else None
    return Evidence(text=". ".join(words)[:4000], channel="whatsapp", provider="meta", code=given)


def _e164(number: str) -> str | None:
    digits = number.removeprefix("+")
    fits = number.startswith("+") and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15
    return number if fits else None


def _epoch(value: Any) -> datetime | None:
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    return datetime.fromtimestamp(int(text), UTC)
