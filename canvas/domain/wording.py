"""The words of one message, the same for every surface: what happened, who can cure it, what to do, did it work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canvas.domain import phones
from canvas.domain.dates import soon, when
from canvas.domain.fix import CHANNEL_NAMES, Fix
from canvas.domain.message import ARRIVED, Actor, Message, Status, callers_to_repeat
from canvas.domain.rights import ALL, Rights
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Candidate, Diagnosis, Reason

Variant = Literal["danger", "warning", "info", "success", "default"]
SURE = 0.9
# Below it the reason is told as what the text reads most like: of such answers three in four were right, of those from
# it on 97 in 100 (docs/catalogue.md).
GUESS = 0.8
STOPPED = "This person asked not to be messaged, so nothing will be sent to them."
GUESSED = "We are not sure. It reads most like this:"
MOST_OF_A_DOUBT = 300  # characters; a gateway's error page can be long
MOST_OF_A_REASON = 5000  # in the report for support, where more words stand after it
WORTH_NAMING = 0.15  # a candidate less likely than this says nothing to anybody

LABELS: dict[Status, tuple[str, Variant]] = {
    Status.QUEUED: ("Queued", "info"),
    Status.SENDING: ("Sending", "info"),
    Status.SENT: ("Waiting for delivery", "info"),
    Status.UNKNOWN: ("Waiting for delivery", "info"),
    Status.DELIVERED: ("Delivered", "success"),
    Status.READ: ("Read", "success"),
    Status.DELETED: ("Delivered, then deleted", "success"),
    Status.FAILED: ("Failed", "danger"),
    Status.UNSURE: ("Not sure it was sent", "warning"),
    Status.CANCELLED: ("Undone", "default"),
}

NOT_KNOWN = "Status not known"


def status_label(status: Status, channel: str, octopods_id: str | None) -> tuple[str, Variant]:
    """The status in words and its colour.

    Nobody waits for Viber's delivery, which Octopods cannot report, nor for a message without an id to ask by.
    """
    if status is Status.UNKNOWN and octopods_id is None:
        return NOT_KNOWN, "default"
    if channel == "vbm" and status in (Status.SENT, Status.UNKNOWN):
        return "Sent", "info"
    return LABELS[status]


@dataclass(frozen=True, slots=True)
class WordingContext:
    """What the words depend on besides the message: the clock, the reader's zone and rights, the catalogue, and
    whether the message's person opted out."""

    now: datetime
    tz: str | None
    reasons: dict[str, Reason]
    queued_until: datetime | None = None
    rights: Rights = ALL
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step in the life of a message, for the life line."""

    at: datetime
    when: str
    text: str
    state: str


def channel_name(channel: str) -> str:
    """WhatsApp, SMS or Viber."""
    return CHANNEL_NAMES.get(channel, channel)


def number(message: Message) -> str:
    """The recipient's number for people, as it was given when it cannot be read."""
    if message.to:
        return phones.pretty(message.to)
    return message.raw_to or "no number"


def happened_at(message: Message) -> datetime:
    return message.failed_at or message.sent_at or message.created_at


def title(message: Message, reason: Reason) -> str:
    if message.status is Status.FAILED:
        return reason.title
    if message.status is Status.UNSURE:
        return "Not sure it was sent" if message.octopods_id is None else "Delivery not confirmed"
    if message.status is Status.UNKNOWN and message.octopods_id is None:
        return NOT_KNOWN
    titles = {
        Status.QUEUED: "Waiting to be sent",
        Status.SENDING: "Sending",
        Status.CANCELLED: "Undone",
        Status.DELIVERED: "Delivered",
        Status.READ: "Read",
        Status.DELETED: "Delivered",
    }
    return titles.get(message.status, "Sent again" if message.parent_id else "Sent")


def text(context: WordingContext, message: Message, reason: Reason) -> str:
    if message.status is Status.FAILED:
        words = KEEPS_FAILING if message.keeps_failing else reason.meaning
        unsure = message.diagnosis is not None and is_guess(message.diagnosis)
        words = f"{GUESSED} {words}" if unsure else words
        return f"{words} {STOPPED}" if context.opted_out and reason.id != OPTED_OUT else words
    if message.status is Status.UNSURE:
        return _unsure(message)
    return receipt(context, message)


def is_guess(diagnosis: Diagnosis) -> bool:
    """Whether a reason is named without being sure of it."""
    return diagnosis.reason != UNKNOWN and diagnosis.confidence < GUESS


def _unsure(message: Message) -> str:
    if message.octopods_id is None:
        return (
            "Octopods gave no clear answer after the message left, so it may or may not have been sent. "
            "It is not sent again by itself. Ask the person whether it arrived; if it did not, write a new message."
        )
    return (
        f"Octopods took it as {message.octopods_id}, but the provider never said whether it arrived. "
        "Ask the person before you send it again."
    )


def receipt(context: WordingContext, message: Message) -> str:
    """What became of a message that was sent; "sent" is said only with Octopods' id in hand."""
    channel = channel_name(message.channel)
    if message.status is Status.QUEUED:
        at = context.queued_until
        return (
            f"Queued until {soon(at, context.now, context.tz)}."
            if at and at > context.now
            else "Sending now."
        )
    if message.status is Status.SENDING:
        return "Sending now."
    if message.status is Status.CANCELLED:
        return "Undone before it was sent."
    given = message.octopods_id or message.request_id
    if given is None:
        return _without_id(message)
    again = "Sent again" if message.parent_id else "Sent"
    return f"{again} by {channel}. Octopods took it as {given}. {_delivery(message)}"


def _without_id(message: Message) -> str:
    """What is known of a message that Octopods gave us no id of: it was reported to us, or its answer was lost."""
    if message.status in ARRIVED:
        return _delivery(message)
    if message.status is Status.UNKNOWN:
        return "Reported to Redeliver without Octopods' id; its status is not known."
    return "Reported as sent. Nobody has said yet whether it arrived."


def _delivery(message: Message) -> str:
    if message.status is Status.DELIVERED:
        return "It was delivered."
    if message.status is Status.READ:
        return "It was read."
    if message.status is Status.DELETED:
        return "It was delivered; the person deleted it later."
    return "Octopods cannot report Viber delivery." if message.channel == "vbm" else "Waiting for delivery."


WHO = {
    "agent": "You can.",
    "admin": "A workspace admin.",
    "recipient": "Only the person themselves.",
    "provider": "The provider; waiting is usually enough.",
}


def who_can_fix(reason: Reason) -> str:
    """Who can cure it, as a sentence."""
    return "Not known yet; support can find out." if reason.id == UNKNOWN else WHO[reason.who]


KEEPS_FAILING = (
    "It keeps happening to this person while others get through, so the number or the channel is wrong."
)


def four_lines(
    context: WordingContext, message: Message, reason: Reason, fixes: Sequence[Fix]
) -> tuple[tuple[str, str], ...]:
    if message.status is not Status.FAILED:
        return ()
    lines = _four_lines(context, message, reason, fixes)
    done = _done(message)
    return (*lines[:-1], (lines[-1][0], done)) if done else lines


def _done(message: Message) -> str | None:
    """What was done about a failed message already, in place of the advice."""
    if message.handled_at:
        by = message.handled_by
        return f"Nothing. It was marked as handled{f' by {by.name}' if by and by.name else ''}."
    return None if message.open else "Nothing. It was sent again."


def _four_lines(
    context: WordingContext, message: Message, reason: Reason, fixes: Sequence[Fix]
) -> tuple[tuple[str, str], ...]:
    if context.opted_out and reason.id != OPTED_OUT:
        asked = context.reasons[OPTED_OUT]
        return (
            ("What happened", f"{reason.meaning} {STOPPED}"),
            ("Who can fix it", who_can_fix(asked)),
            ("Will sending again help?", asked.again),
            ("What to do now", asked.cure),
        )
    if message.keeps_failing:
        return (
            ("What happened", f"{reason.meaning} {KEEPS_FAILING}"),
            ("Who can fix it", _agent(context)),
            ("Will sending again help?", "No. It failed this way three times in a row."),
            ("What to do now", "Use another channel or another number, or ask the person."),
        )
    return (
        ("What happened", reason.meaning),
        ("Who can fix it", _agent(context) if reason.who == "agent" else who_can_fix(reason)),
        ("Will sending again help?", _again(context, reason, fixes)),
        ("What to do now", _now(message, reason)),
    )


def _agent(context: WordingContext) -> str:
    return WHO["agent"] if context.rights.may_fix else "Somebody who may fix messages here."


CALLER_WAS_TOLD = "The system that sent it was told, and may send it again itself."


def _now(message: Message, reason: Reason) -> str:
    """The cure; and whose repeat it may be, lest an agent and a backend both send it."""
    theirs = callers_to_repeat(message) and reason.retry == "transient"
    return f"{reason.cure} {CALLER_WAS_TOLD}" if theirs else reason.cure


def _again(context: WordingContext, reason: Reason, fixes: Sequence[Fix]) -> str:
    # A button that sends on another channel says its own time.
    here = (fix for fix in fixes if fix.sends and fix.enabled and fix.id != "send_other_channel")
    at = next((fix.run_at for fix in here if fix.run_at), None)
    return f"{reason.again} {earliest(context, at)}" if at else reason.again


def earliest(context: WordingContext, at: datetime) -> str:
    return f"Earliest: {soon(at, context.now, context.tz)}."


def said(message: Message) -> str | None:
    """What came back about why, verbatim."""
    if not message.failure_raw:
        return None
    return message.failure.text or message.failure_raw if message.failure else message.failure_raw


PROVIDERS = {"twilio": "Twilio", "meta": "Meta"}


def speaker(message: Message) -> str:
    """Whose words came back: Octopods', or those of a provider who told us of a message sent from elsewhere."""
    provider = message.failure.provider if message.failure and message.source == "hook" else None
    return PROVIDERS.get(provider or "", "Octopods")


def noted(message: Message) -> str | None:
    """What Redeliver itself says about why; where nothing came back, nobody else said anything."""
    if message.failure_raw or message.failure is None:
        return None
    return message.failure.text or None


def code(message: Message) -> str | None:
    if message.failure and message.failure.code:
        return message.failure.code
    return message.diagnosis.code if message.diagnosis else None


def plausible(diagnosis: Diagnosis) -> list[Candidate]:
    """The candidates worth naming, best first."""
    return [c for c in diagnosis.candidates if c.confidence >= WORTH_NAMING and c.reason != UNKNOWN]


def candidates(context: WordingContext, message: Message) -> tuple[tuple[str, str, str], ...]:
    """(id, title, cheap test) of the reasons that remain possible, when no single one is sure."""
    diagnosis = message.diagnosis
    if diagnosis is None or diagnosis.confidence >= SURE:
        return ()
    known = [c for c in plausible(diagnosis) if c.reason in context.reasons]
    if [c.reason for c in known] == [diagnosis.reason]:
        return ()
    return tuple((c.reason, context.reasons[c.reason].title, c.test) for c in known[:4])


def attempt(context: WordingContext, message: Message) -> Attempt:
    at = happened_at(message)
    label = status_label(message.status, message.channel, message.octopods_id)[0]
    reason = context.reasons.get(message.reason or "")
    why = f": {reason.title}" if reason and message.status is Status.FAILED else ""
    who = _by(message.sender)
    words = f"{channel_name(message.channel)} to {number(message)}{who}. {label}{why}.{doubt(message)}"
    return Attempt(at, when(at, context.tz), words, str(message.status))


def doubt(message: Message) -> str:
    """What came back before it was certain whether it was sent; as long as it is not, it stands on its own."""
    if not message.doubt or message.status is Status.UNSURE:
        return ""
    said = _beginning(" ".join(message.doubt.split()), MOST_OF_A_DOUBT)
    return f" At first nobody knew whether it was sent: {said}"


def _beginning(text: str, most: int) -> str:
    return f"{text[:most]}…" if len(text) > most else text


def _by(sender: Actor | None) -> str:
    # A key is named after its channel, which the line begins with.
    return f", by {sender.name}" if sender and sender.name and sender.kind != "key" else ""


def support(message: Message, reason: Reason, thread: Sequence[Message]) -> str:
    """What Octopods' support asks for, ready to paste (Troubleshooting Failed Proactive Messages)."""
    failed = message.failed_at or message.updated_at
    rows = [
        f"Message id: {message.octopods_id or 'none was given'} (ours: {message.id})",
        f"Request id: {message.request_id or 'none was given'}",
        f"Channel: {channel_name(message.channel)}",
        f"Recipient: {message.to or message.raw_to or 'none'}",
        f"Reason, word for word: {_beginning(said(message) or 'none was given', MOST_OF_A_REASON)}",
        *([f"Redeliver's own note: {own}"] if (own := noted(message)) else []),
        f"Code: {code(message) or 'none was given'}",
        f"Read as: {reason.title} ({reason.id})",
        f"Created: {when(message.created_at, 'UTC')} UTC",
        f"Failed: {when(failed, 'UTC')} UTC",
        f"Provider's id: {message.provider_id or 'none was given'}",
        f"Attempts so far: {sum(m.status is not Status.CANCELLED for m in thread)}",
    ]
    return "\n".join(rows)
