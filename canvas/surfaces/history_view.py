"""From messages to the lines of the history, on a page and in a CSV file. Pure functions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from canvas.domain import phones
from canvas.domain.dates import when
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.masking import mask_number, mask_text
from canvas.domain.message import Message, Status
from canvas.domain.wording import Variant, said, status_label
from canvas.knowledge.catalogue import Catalogue
from canvas.store.history import Entry
from canvas.surfaces.history_filter import CATEGORIES, STATE_LABELS

PREVIEW = 90
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
SOURCES = {"gateway": "API", "track": "API", "discovery": "Found at Octopods", "fix": "A fix"}
CSV_HEADER = (
    "id", "sent_at_utc", "channel", "to", "state", "reason", "category", "word_for_word", "template",
    "contact", "sent_by", "attempt", "octopods_id", "provider_id", "parent",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list, in words."""

    id: str
    when: str
    to: str
    channel: str
    reason: str
    preview: str
    label: str
    variant: Variant
    sender: str


def line(entry: Entry, catalogue: Catalogue, tz: str | None) -> Line:
    label, variant = status_label(Status(entry.status), entry.channel, entry.octopods_id)
    if entry.status == Status.FAILED and entry.handled_at:
        label, variant = "Handled", "default"
    elif entry.status == Status.FAILED and not entry.open:
        label, variant = "Sent again", "default"
    reason = catalogue.reasons.get(entry.reason or "")
    words = entry.preview or (f"Template {entry.template_id}" if entry.template_id else "")
    return Line(
        id=entry.id,
        when=when(entry.created_at, tz),
        to=phones.pretty(entry.to) if entry.to else entry.raw_to or "No number",
        channel=CHANNEL_NAMES[entry.channel],
        reason=reason.title if reason else "",
        preview=words if len(words) <= PREVIEW else f"{words[: PREVIEW - 1].rstrip()}…",
        label=label,
        variant=variant,
        sender=sender(entry.sender),
    )


def sender(value: dict[str, Any] | None) -> str:
    """Who sent, for people: a teammate's name, or which key."""
    if not value:
        return ""
    name = str(value.get("name") or "")
    if value.get("kind") == "key":
        return f"{name or 'API'} (key …{value.get('id') or ''})"
    return name or str(value.get("id") or value.get("kind") or "")


def choices(
    catalogue: Catalogue, templates: Sequence[tuple[str, str]], senders: Sequence[tuple[str, dict[str, Any]]]
) -> dict[str, list[tuple[str, str]]]:
    """The options of each select; the first asks for nothing."""
    reasons = sorted(((r.id, r.title) for r in catalogue.reasons.values()), key=lambda pair: pair[1])
    return {
        "state": [("", "Any state"), *STATE_LABELS.items()],
        "channel": [("", "Any channel"), *CHANNEL_NAMES.items()],
        "reason": [("", "Any reason"), *reasons],
        "category": [("", "Any side"), *CATEGORIES.items()],
        "template": [("", "Any template"), *templates],
        "sender": [("", "Anybody"), *((key, sender(value)) for key, value in senders)],
    }


def facts(message: Message, tz: str | None, template: str | None) -> list[tuple[str, str]]:
    """What is known about how a message was sent."""
    content = message.content
    # Of a message sent elsewhere we know when we were told of it, not when Octopods took it.
    taken = "Reported" if message.source == "track" else "Accepted"
    rows = [
        ("Channel", CHANNEL_NAMES[message.channel]),
        ("To", phones.pretty(message.to) if message.to else message.raw_to or "No number"),
        ("Number as given", message.raw_to if message.raw_to != message.to else ""),
        ("Template", template or content.template_id or ""),
        ("Header file", content.header_url or ""),
        ("Sent by", f"{SOURCES.get(message.source, message.source)}: {_by(message)}".rstrip(": ")),
        (taken, when(message.sent_at, tz) if message.sent_at else ""),
        ("Octopods id", message.octopods_id or ""),
        ("Request id", message.request_id or ""),
        ("Provider id", message.provider_id or ""),
        ("Contact", message.contact_id or ""),
        ("Our id", message.id),
    ]
    return [(name, words) for name, words in rows if words]


def _by(message: Message) -> str:
    if message.sender is None:
        return ""
    return sender({"kind": message.sender.kind, "id": message.sender.id, "name": message.sender.name})


def csv_lines(batches: Iterable[Sequence[Message]], *, masked: bool) -> Iterator[str]:
    """The file, a batch at a time."""
    yield _written([CSV_HEADER])
    for batch in batches:
        yield _written(_csv_row(message, masked) for message in batch)


def _written(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _csv_row(message: Message, masked: bool) -> tuple[str, ...]:
    number = message.to or message.raw_to
    words = said(message) or ""
    return (
        message.id,
        message.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        message.channel,
        mask_number(number) if masked else number,
        str(message.status),
        message.reason or "",
        message.diagnosis.category if message.diagnosis else "",
        mask_text(words) if masked else words,
        message.content.template_id or "",
        message.contact_id or "",
        _by(message),
        str(message.attempt),
        message.octopods_id or "",
        message.provider_id or "",
        message.parent_id or "",
    )
