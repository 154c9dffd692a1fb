"""Looking: the newest open messages of one person, and everything a screen says about them. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from canvas.domain.fix import Line, Situation
from canvas.domain.fixes import offered
from canvas.domain.message import Message, Status
from canvas.domain.pattern import LOOKED_AT, pattern
from canvas.domain.story import Story, Teller, tell
from canvas.domain.templates import Template
from canvas.flows.chores import template_from
from canvas.flows.context import Flow
from canvas.knowledge.model import UNKNOWN, Reason
from canvas.store import actions, channels, messages, templates
from canvas.store.installs import Install


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the screen is about: the contact's id, the numbers known of them, and where a note could go."""

    contact_id: str | None = None
    numbers: tuple[str, ...] = ()
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a first screen shows: the newest few stories, and how many open messages there are in all."""

    stories: tuple[Story, ...]
    total: int
    generated_at: datetime


def look(
    conn: Connection, flow: Flow, install: Install, person: Person, limit: int = 3, offset: int = 0
) -> Look:
    """The open messages of one person, newest first."""
    now = flow.clock()
    found, total = messages.open_for_person(
        conn, install.id, person.contact_id, person.numbers, limit, offset
    )
    if not found:
        return Look((), 0, now)
    around = Surroundings.read(conn, flow, install, person)
    return Look(tuple(around.story(conn, message) for message in found), total, now)


def detail(conn: Connection, flow: Flow, install: Install, person: Person, message: Message) -> Story:
    """Everything about one message, with all its attempts."""
    around = Surroundings.read(conn, flow, install, person)
    return around.story(conn, message, messages.thread(conn, install.id, message.thread_id), told=True)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the messages of one screen share: the install, its channels, the person and the moment."""

    flow: Flow
    install: Install
    person: Person
    now: datetime
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, conn: Connection, flow: Flow, install: Install, person: Person) -> Surroundings:
        lines = tuple(
            Line(c.id, c.kind, c.name, c.blocked_until, c.changed_at, c.worked_at)
            for c in channels.of_install(conn, install.id)
        )
        return cls(flow, install, person, flow.clock(), lines)

    def story(
        self, conn: Connection, message: Message, thread: Sequence[Message] = (), *, told: bool = False
    ) -> Story:
        """The words and the fixes of one message; with `told`, also the pattern it is part of."""
        situation = self.situation(conn, message)
        queued = None
        if message.status is Status.QUEUED:
            action = actions.by_key(conn, self.install.id, send_key(message.id))
            queued = action.due_at if action else None
        teller = Teller(self.now, self.install.tz, self.flow.catalogue.reasons, queued)
        seen = pattern(message, messages.recent_outcomes(conn, self.install.id, LOOKED_AT)) if told else None
        words = seen.sentence() if seen else None
        return tell(teller, message, situation.reason, offered(situation), thread, words)

    def situation(self, conn: Connection, message: Message) -> Situation:
        """All that decides which fixes this message gets."""
        reason = self.reason(message)
        choices, own = self._templates(conn, message, reason)
        seen_at = own[1] if own else None
        return Situation(
            message=message,
            reason=reason,
            now=self.now,
            lines=self.lines,
            template=own[0] if own else None,
            template_seen_at=seen_at,
            choices=choices,
            contact_numbers=self.person.numbers,
            region=self.install.settings.get("country") or self.flow.default_region,
            tz=self.install.tz,
            opted_out=messages.has_opted_out(conn, self.install.id, message.to),
            has_child=self._has_child(conn, message),
            platform=self.install.platform,
            can_ask_admin=bool(self.person.conversation_id or message.conversation_id),
            settings_url=self.flow.settings_url,
        )

    def reason(self, message: Message) -> Reason:
        known = self.flow.catalogue.reasons
        return known.get(message.reason or UNKNOWN, known[UNKNOWN])

    def _has_child(self, conn: Connection, message: Message) -> bool:
        # An open message has no child, by definition of open; only others must be asked about.
        return not message.open and messages.child_of(conn, self.install.id, message.id) is not None

    def _templates(
        self, conn: Connection, message: Message, reason: Reason
    ) -> tuple[tuple[Template, ...], tuple[Template, datetime] | None]:
        """The templates a fix could use, and this message's own, read only when a fix of its reason needs them."""
        wanted = {"choose_template", "supply_variables", "replace_media_url"} & set(reason.fixes)
        if not wanted and (message.channel != "sms" or "send_other_channel" not in reason.fixes):
            return (), None
        found = [(c, template_from(data), at) for c, data, at in templates.of_install(conn, self.install.id)]
        own = next(
            (
                (t, at)
                for c, t, at in found
                if c == message.channel_id and t.id == message.content.template_id
            ),
            None,
        )
        return tuple(t for c, t, _ in found if c == message.channel_id or message.channel == "sms"), own


def send_key(message_id: str) -> str:
    """The key of the action that sends this message: there can only be one."""
    return f"send:{message_id}"
