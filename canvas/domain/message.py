"""A Message: one proactive message to one person on one channel, and how its status may move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from canvas.knowledge.model import Diagnosis, Evidence


class Status(StrEnum):
    """Octopods' six words (Understanding Message Delivery Status) and our own four.

    `queued` waits for us, `sending` has left or is about to, `unsure` may or may not have been taken,
    `cancelled` was undone before it left.
    """

    QUEUED = "queued"
    SENDING = "sending"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    DELETED = "deleted"
    FAILED = "failed"
    CANCELLED = "cancelled"


# A status may only be followed by one of a higher rank, so late and repeated news changes nothing.
RANK = {
    Status.QUEUED: 0,
    Status.SENDING: 1,
    Status.UNKNOWN: 2,
    Status.SENT: 3,
    Status.UNSURE: 4,  # declared when waiting ended; only a real outcome may follow it
    Status.DELIVERED: 5,
    Status.READ: 6,
    Status.DELETED: 7,
    Status.FAILED: 9,
    Status.CANCELLED: 9,
}
ARRIVED = frozenset({Status.DELIVERED, Status.READ, Status.DELETED})
SETTLED = ARRIVED | {Status.FAILED, Status.CANCELLED}
IN_FLIGHT = frozenset({Status.QUEUED, Status.SENDING, Status.SENT, Status.UNKNOWN})


def follows(current: Status, incoming: Status) -> bool:
    """Whether news of `incoming` may replace `current`; what arrived cannot fail, nor the reverse."""
    return RANK[incoming] > RANK[current] and not contradict(current, incoming)


def contradict(one: Status, other: Status) -> bool:
    """Whether no message can have been told both: what arrived did not fail, and what failed did not arrive."""
    return (one in ARRIVED and other is Status.FAILED) or (one is Status.FAILED and other in ARRIVED)


@dataclass(frozen=True, slots=True)
class Content:
    """What was sent: `text` (SMS), or a template with variables and header, and the optional fields."""

    text: str | None = None
    template_id: str | None = None
    variables: Any = None
    header_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a teammate, an API key, a workflow, or the worker."""

    kind: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as we know it now.

    `raw_to` is the number as it was given; `to` is E.164 or None. `keeps_failing` says that this person's
    messages fail in this way again and again while others get through, which makes it a recipient problem.
    `failure` is what the diagnosis was read from, `failure_raw` all that came back, verbatim; without the second, the
    first is in our own words. `doubt` is what was known when nobody could tell whether Octopods took it; it stays when
    that is known.
    """

    id: str
    install_id: int
    channel: str
    status: Status
    created_at: datetime
    updated_at: datetime
    raw_to: str = ""
    to: str | None = None
    content: Content = field(default_factory=Content)
    preview: str | None = None
    channel_id: int | None = None
    contact_id: str | None = None
    conversation_id: str | None = None
    source: str = "gateway"
    sender: Actor | None = None
    octopods_id: str | None = None
    request_id: str | None = None
    provider_id: str | None = None
    failure: Evidence | None = None
    failure_raw: str | None = None
    doubt: str | None = None
    diagnosis: Diagnosis | None = None
    keeps_failing: bool = False
    parent_id: str | None = None
    thread_id: str = ""
    attempt: int = 1
    fix_id: str | None = None
    open: bool = False
    handled_at: datetime | None = None
    handled_by: Actor | None = None
    failed_at: datetime | None = None
    sent_at: datetime | None = None
    version: int = 1

    @property
    def reason(self) -> str | None:
        return self.diagnosis.reason if self.diagnosis else None


def callers_to_repeat(message: Message) -> bool:
    """Whether a customer's own request was answered with this failure: they know of it, and the repeat is theirs."""
    return message.source == "gateway" and message.status is Status.FAILED and message.sent_at is None


def needs_attention(message: Message) -> bool:
    """Whether a card shows this message, if it was not sent again: failed or unsure and nobody dealt with it, or a
    fix under way."""
    if message.handled_at:
        return False
    if message.status in (Status.FAILED, Status.UNSURE):
        return True
    return message.parent_id is not None and message.status in IN_FLIGHT
