"""Check a message: an agent pastes an id or what a failure said, reads what it means, and ties it to the person."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from canvas.domain.action_kinds import POLL, action_key
from canvas.domain.fix import CHANNEL_NAMES, Field, Option
from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Message, Status
from canvas.flows import come_in, outcome, timeline
from canvas.flows.come_in import Contact
from canvas.flows.context import Flow
from canvas.flows.look import Person
from canvas.flows.looking_up import explain
from canvas.knowledge.model import Evidence
from canvas.store import actions, audit, channels, messages
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

_OCTOPODS_ID = re.compile(r"[0-9]{4,18}")
# Ids that Octopods cannot be asked by: ours, Twilio's, Meta's, and that of a request.
_OTHER_ID = re.compile(
    r"msg_[0-9a-z]{26}|[SM]M[0-9a-f]{32}|wamid\.\S+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
LONGEST_TEXT = 8000

TITLE = "Check a message"
EXPLAIN = "Explain"
ATTACH = "Attach to this person"
ATTACHED = "Attached to this person."
ASKED_WHOSE = "Attached to this person, unless Octopods says that it went to a number they do not have."
NOT_THEIRS = (
    "This message is not attached, because it is not known to have gone to a number of this person. "
    "Press Explain to see it."
)
NOTHING_PASTED = "Paste an id or the text of the failure first."
NOT_ATTACHED = "This cannot be attached. Connect a channel first, or paste it again."
NOT_KNOWN_YET = (
    "Not known here yet",
    "No message with this id is known here. Attach it, and Octopods is asked how it stands and to whom it went.",
)
NOT_KNOWN = ("Not known here", "No message with this id is known here.")
OTHERS = ("Sent to another contact", "This message was sent to another contact. Open that contact to see it.")
TEXT, KIND = "check_text", "check_kind"
PASTED = Field(
    TEXT, "Id or text", type="textarea", help="Paste a message id, or what the failed message says."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the pasted words are: a message known here, or what an id or a text means.

    `nonce` holds, sealed, the id of the message that was shown or that attaching would make, so that a second click
    makes no second one. `kinds` are the channels it may have come by.
    """

    nonce: str
    kinds: tuple[str, ...]
    message: Message | None = None
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def attachable(self) -> bool:
        """Whether there is something that can become this person's message."""
        return self.message.contact_id is None if self.message else bool(self.kinds)

    @property
    def sent_by(self) -> tuple[Field, ...]:
        """The question by which channel it came, where there is more than one answer."""
        if self.message or len(self.kinds) < 2:
            return ()
        options = tuple(Option(kind, CHANNEL_NAMES[kind]) for kind in self.kinds)
        return (Field(KIND, "Sent by", self.kinds[0], "select", options),)


def check(flow: Flow, install: Install, words: str) -> Checked:
    """Nothing is stored and nobody is asked."""
    words = _plain(words)
    with reading(flow.engine) as conn:
        connected = {channel.kind for channel in channels.of_install(conn, install.id)}
        message = _known(conn, install.id, words)
    kinds = tuple(kind for kind in ("whatsapp", "sms", "vbm") if kind in connected)
    id_ = message.id if message else new_id("msg", flow.clock())
    nonce = flow.sealer.seal(f"{_for(install)}{id_}")
    if message:
        return Checked(nonce, kinds, message)
    if _OCTOPODS_ID.fullmatch(words):
        # Octopods cannot be asked about a Viber message.
        return Checked(nonce, tuple(kind for kind in kinds if kind != "vbm"), lines=(NOT_KNOWN_YET,))
    if _OTHER_ID.fullmatch(words):
        return Checked(nonce, (), lines=(NOT_KNOWN,))
    return Checked(nonce, kinds, lines=explain(flow, words))


def _for(install: Install) -> str:
    return f"attach:{install.id}:"


def _id_in(flow: Flow, install: Install, nonce: str) -> str | None:
    """The id we sealed for this install, or None: one that the caller chose would tell which ids exist elsewhere."""
    try:
        said = flow.sealer.open(nonce)
    except CannotOpen:
        return None
    return said.removeprefix(_for(install)) if said.startswith(_for(install)) else None


def _plain(words: str) -> str:
    return words.replace("\x00", "").strip()[:LONGEST_TEXT]


def _known(conn: Connection, install_id: int, words: str) -> Message | None:
    """The message of this install that has this id: ours, Octopods', its request's or its provider's."""
    if not words or len(words) > 128 or any(c.isspace() for c in words):
        return None
    for kind in ("whatsapp", "sms", "vbm"):
        found = messages.by_any_id(conn, install_id, kind, words)
        found = found or messages.by_provider_id(conn, install_id, kind, words)
        if found:
            return found
    return None


def attach(
    flow: Flow, install: Install, person: Person, words: str, kind: str, nonce: str, actor: Actor
) -> Message | None:
    """Tie what was pasted to this person; the message, or None when that is not possible.

    A known message of nobody becomes theirs. An id is asked for at Octopods, and stays theirs if the number it went
    to is. A text becomes a failed message.
    `kind` is the channel it came by; empty, the first it may have come by.
    """
    words, now = _plain(words), flow.clock()
    kinds = check(flow, install, words).kinds
    kind = kind or next(iter(kinds), "")
    message_id = _id_in(flow, install, nonce)
    if not words or message_id is None:
        return None
    with writing(flow.engine) as conn:
        if seen := messages.get(conn, install.id, message_id):
            return _tied(conn, flow, install, seen, person, actor, now)
        if known := _known(conn, install.id, words):
            return known  # since the button was drawn, perhaps by its first click: whose it is has to be seen
        channel = next(
            (c for c in channels.of_install(conn, install.id) if c.kind == kind and kind in kinds), None
        )
    if channel is None:
        return None
    if _OCTOPODS_ID.fullmatch(words):
        return _asked(flow, channel, person, words, now)
    return _made(flow, install, channel, person, words, message_id, actor, now)


def _tied(
    conn: Connection,
    flow: Flow,
    install: Install,
    message: Message,
    person: Person,
    actor: Actor,
    now: datetime,
) -> Message:
    if message.contact_id or not person.contact_id:
        return message
    held = messages.locked(conn, install.id, message.id)
    audit.write(conn, install.id, now, actor, "message.attached", held.id)
    fresh = outcome.store(conn, replace(held, contact_id=person.contact_id), now)
    if fresh.status is Status.FAILED:
        timeline.news(conn, flow, fresh, now)
    return fresh


def _asked(flow: Flow, channel: Channel, person: Person, octopods_id: str, now: datetime) -> Message:
    """To which number it went Octopods alone can tell: the id may be of a message to somebody else."""
    contact = Contact(person.contact_id, person.conversation_id, person.numbers)
    message = come_in.track(flow, channel, {}, octopods_id, None, contact, None)
    with writing(flow.engine) as conn:
        poll = actions.hasten(conn, message.install_id, action_key(POLL, message.id), now)
    if poll:
        flow.wake(poll, now)
    with reading(flow.engine) as conn:
        return messages.get(conn, message.install_id, message.id) or message


def _made(
    flow: Flow,
    install: Install,
    channel: Channel,
    person: Person,
    words: str,
    message_id: str,
    actor: Actor,
    now: datetime,
) -> Message | None:
    number = person.numbers[0] if person.numbers else None
    message = Message(
        id=message_id,
        install_id=install.id,
        channel=channel.kind,
        channel_id=channel.id,
        status=Status.SENT,
        created_at=now,
        updated_at=now,
        raw_to=number or "",
        to=number,
        contact_id=person.contact_id,
        conversation_id=person.conversation_id,
        source="manual",
        sender=actor,
        thread_id=message_id,
    )
    try:
        with writing(flow.engine) as conn:
            messages.add(conn, message)
            audit.write(conn, install.id, now, actor, "message.attached", message_id)
            return outcome.failed(conn, flow, message, Evidence(text=words, channel=channel.kind), words, now)
    except IntegrityError:  # a second click at the same moment
        with reading(flow.engine) as conn:
            return messages.get(conn, install.id, message_id)
