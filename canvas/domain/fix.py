"""A Fix: one thing that can be done about a message now, and the situation that decides whether it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from canvas.domain import templates
from canvas.domain.message import Message
from canvas.domain.rights import ALL, Rights
from canvas.knowledge.model import Reason

Kind = Literal["one_click", "form", "link", "copy"]
CHANNEL_NAMES = {"whatsapp": "WhatsApp", "sms": "SMS", "vbm": "Viber"}
# Of the channel, but in the way of one country or person only: a message to somebody else proves nothing.
NARROW = frozenset({"unregistered_sender_10dlc", "sender_id_not_allowed", "sandbox_recipient_not_allowed"})
SENDING = frozenset(
    {
        "retry_now",
        "retry_later",
        "reformat_phone",
        "edit_phone",
        "send_other_channel",
        "choose_template",
        "supply_variables",
        "replace_media_url",
        "edit_text",
    }
)
NOT_CONNECTED = "unknown_channel"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a fix's form. `before` is what was sent last time, shown beside the new value."""

    name: str
    label: str
    value: str = ""
    type: Literal["text", "textarea", "select"] = "text"
    options: tuple[Option, ...] = ()
    placeholder: str = ""
    before: str | None = None
    help: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing that can be done about a message now.

    `target` is the id of the channel it would use. `why` is set when it is drawn disabled. `run_at` is set
    when it may only run later. `preview` is what will go out, when it differs from what was sent.
    """

    id: str
    kind: Kind
    label: str
    target: int | None = None
    submit: str = ""
    fields: tuple[Field, ...] = ()
    run_at: datetime | None = None
    why: str | None = None
    preview: str | None = None
    url: str | None = None

    @property
    def says(self) -> str | None:
        """What the fix would change, for the line above its button."""
        if self.preview is None:
            return None
        # Header, body and footer stand on lines of their own; a card has one line for all of them.
        flat = " · ".join(part.strip() for part in self.preview.splitlines() if part.strip())
        return f"Will say: {flat}" if self.id == "send_other_channel" else flat

    @property
    def sends(self) -> bool:
        return self.id in SENDING

    @property
    def enabled(self) -> bool:
        return self.why is None

    @property
    def mends(self) -> bool:
        """Whether it can change, now and from here, how the message stands; a mark on it does not."""
        return self.enabled and self.kind in ("one_click", "form") and self.id != "mark_handled"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A connected channel, as far as it decides which fixes exist.

    `changed_at` is when its key was last set or an admin said that it is repaired, `worked_at` its last accepted
    send, `delivered_at` when the newest message known to be delivered was sent.
    """

    id: int
    kind: str
    name: str
    blocked_until: datetime | None = None
    changed_at: datetime | None = None
    worked_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that decides which fixes exist: the message, its reason, the install around it, and the time."""

    message: Message
    reason: Reason
    now: datetime
    channels: tuple[ChannelState, ...] = ()
    template: templates.Template | None = None
    listed_at: datetime | None = None
    choices: Mapping[int, Sequence[templates.Template]] = field(default_factory=dict)
    contact_numbers: tuple[str, ...] = ()
    region: str = "US"
    languages: tuple[str, ...] = ()
    tz: str | None = None
    opted_out: bool = False
    waits: Mapping[str, datetime] = field(default_factory=dict)  # until when, by kind, for earlier attempts
    closed: frozenset[str] = frozenset()  # kinds on which an earlier attempt found this person out of reach
    has_child: bool = False
    platform: str = "intercom"
    can_ask_admin: bool = True
    settings_url: str = ""
    rights: Rights = ALL


def earliest(s: Situation, channel: ChannelState | None) -> datetime | None:
    """The moment before which nothing may be sent on that channel for this message, or None for now."""
    if channel is None:
        return None
    waits = [channel.blocked_until, s.waits.get(channel.kind)]
    # A reason's wait only concerns the kind of channel it happened on.
    if channel.kind == s.message.channel:
        waits.append(over_at(s.message, s.reason))
    return max((at for at in waits if at and at > s.now), default=None)


def over_at(message: Message, reason: Reason) -> datetime | None:
    """When the wait that its reason asks for is over."""
    return message.failed_at + timedelta(seconds=reason.wait_seconds) if message.failed_at else None


def own_channel(s: Situation) -> ChannelState | None:
    """The channel this message was sent on, or another of its kind when that one is gone."""
    same = [channel for channel in s.channels if channel.kind == s.message.channel]
    exact = (channel for channel in same if channel.id == s.message.channel_id)
    return next(exact, same[0] if same else None)


def may_have_arrived(reason: Reason) -> bool:
    """Whether only the report is missing or broken, so that another message could be the second to arrive."""
    return "check_status" in reason.fixes


def repaired_by_word(reason: Reason) -> bool:
    """Whether it takes an admin's word that it was put right; a template's approval can be looked up instead."""
    looked_up = "choose_template" in reason.fixes
    return reason.retry == "settings" and not looked_up and not may_have_arrived(reason)


def cured(s: Situation) -> bool:
    """Whether what an admin had to change has visibly changed since this message failed."""
    channel, failed = own_channel(s), s.message.failed_at
    if s.reason.retry != "settings" or failed is None or channel is None:
        return False
    if s.reason.id == NOT_CONNECTED and s.message.channel_id not in (None, channel.id):
        return True  # its own is gone, and there is another
    if repaired_by_word(s.reason):
        return any(at and at > failed for at in (channel.changed_at, _shown_by_others(s, channel)))
    # A copy of the templates is of the channel that it was sent on.
    if "choose_template" in s.reason.fixes and channel.id == s.message.channel_id:
        usable = s.template is not None and templates.usable(s.template)
        return usable and s.listed_at is not None and s.listed_at > failed
    return False


def _shown_by_others(s: Situation, channel: ChannelState) -> datetime | None:
    """When another message proved that the channel works, for reasons that would have stopped it, too."""
    if s.reason.category != "channel" or s.reason.id in NARROW:
        return None
    # Of what was taken and failed later, another message that was taken says nothing; it has to arrive.
    message = s.message
    taken = message.octopods_id or message.request_id or message.provider_id or message.sent_at
    return channel.delivered_at if taken else channel.worked_at
