"""Looking: the newest open messages of one person, and everything a screen says about them. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from canvas.domain.action_kinds import send_key
from canvas.domain.fix import ChannelState, Situation, over_at
from canvas.domain.fixes import offered
from canvas.domain.message import Actor, Message, Status
from canvas.domain.pattern import LOOKED_AT, Pattern, pattern
from canvas.domain.phones import same_line
from canvas.domain.ranking import ranked
from canvas.domain.rights import ALL, Rights
from canvas.domain.settings import language_codes
from canvas.domain.story import Story
from canvas.domain.templates import Template
from canvas.domain.wording import WordingContext
from canvas.flows import rights as who
from canvas.flows.chores import template_from
from canvas.flows.context import Flow
from canvas.knowledge.model import UNKNOWN, Reason
from canvas.store import actions, channels, messages, opt_outs, templates
from canvas.store.channels import Channel
from canvas.store.database import Row
from canvas.store.installs import Install
from canvas.store.messages import Opened


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the screen is about: the contact's id, the numbers known of them, and where a note could go."""

    contact_id: str | None = None
    numbers: tuple[str, ...] = ()
    conversation_id: str | None = None


def person_of(message: Message) -> Person:
    """The person a message is to, as far as the message itself knows."""
    return Person(message.contact_id, (message.to,) if message.to else (), message.conversation_id)


@dataclass(frozen=True, slots=True)
class Look:
    """What a first screen shows: the newest few stories, and how many open messages there are in all.

    `lasting` says that nothing in it waits for a time and nothing was read but the rows it was made of.
    """

    stories: tuple[Story, ...]
    total: int
    generated_at: datetime
    lasting: bool = True


def look(
    conn: Connection,
    flow: Flow,
    install: Install,
    person: Person,
    limit: int = 3,
    offset: int = 0,
    viewer: Actor | None = None,
    connected: Sequence[Channel] | None = None,
) -> Look:
    """The open messages of one person, newest first, as `viewer` may see to them; None is the app itself.

    `connected` are the install's channels, where they were read already.
    """
    rows = messages.open_rows(conn, install.id, person.contact_id, person.numbers, limit, offset)
    return look_at(conn, flow, install, person, rows, connected, viewer=viewer)


def look_at(
    conn: Connection,
    flow: Flow,
    install: Install,
    person: Person,
    rows: tuple[Row, ...],
    connected: Sequence[Channel] | None = None,
    with_fixes: int | None = None,
    viewer: Actor | None = None,
) -> Look:
    """The same from rows that were read already.

    Only the first `with_fixes` stories get their fixes (None: all), for a screen that draws no more.
    """
    if not rows:
        return Look((), 0, flow.clock())
    found, total = messages.read_open(conn, rows)
    context = MessageContext.read(conn, flow, install, person, connected, viewer)
    stories = [context.opened(conn, each) for each in found[:with_fixes]]
    stories += [context.plain(each) for each in found[len(stories) :]]
    return Look(tuple(stories), total, context.now, context.lasting(stories))


def detail(
    conn: Connection,
    flow: Flow,
    install: Install,
    person: Person,
    message: Message,
    viewer: Actor | None = None,
) -> Story:
    """Everything about one message, with all its attempts, as `viewer` may see to it; None is the app itself."""
    context = MessageContext.read(conn, flow, install, person, viewer=viewer)
    return context.story(conn, message, messages.thread(conn, install.id, message.thread_id), told=True)


def _state(c: Channel) -> ChannelState:
    return ChannelState(c.id, c.kind, c.name, c.blocked_until, c.changed_at, c.worked_at, c.delivered_at)


class TemplateCache:
    """The install's templates by channel, read once for all the messages of a screen."""

    def __init__(self) -> None:
        self.loaded = False
        self._by_channel: dict[int, list[Template]] = {}

    def read(self, conn: Connection, install_id: int) -> dict[int, list[Template]]:
        if not self.loaded:
            self.loaded = True
            for channel_id, data, _ in templates.of_install(conn, install_id):
                self._by_channel.setdefault(channel_id, []).append(template_from(data))
        return self._by_channel


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What the messages of one screen share: the install, its channels, the person and the moment."""

    flow: Flow
    install: Install
    person: Person
    now: datetime
    channels: tuple[ChannelState, ...]
    rights: Rights = ALL
    _cache: TemplateCache = field(default_factory=TemplateCache)

    @classmethod
    def read(
        cls,
        conn: Connection,
        flow: Flow,
        install: Install,
        person: Person,
        connected: Sequence[Channel] | None = None,
        viewer: Actor | None = None,
    ) -> MessageContext:
        found = channels.of_install(conn, install.id) if connected is None else connected
        rights = who.to_fix(conn, install, viewer)
        return cls(flow, install, person, flow.clock(), tuple(_state(channel) for channel in found), rights)

    def opened(self, conn: Connection, opened: Opened) -> Story:
        """The words and the fixes of an open message."""
        situation = self.situation(conn, opened.message, opened)
        wording = self._wording(opened.due_at, opened.opted_out)
        return Story(wording, opened.message, situation.reason, offered(situation))

    def plain(self, opened: Opened) -> Story:
        """The words alone."""
        return Story(
            self._wording(opened.due_at, opened.opted_out), opened.message, self.reason(opened.message)
        )

    def lasting(self, stories: Sequence[Story]) -> bool:
        """Whether these stories will be told in the same words as long as their rows stay the same."""
        waiting = any(c.blocked_until and c.blocked_until > self.now for c in self.channels)
        timed = any(s.context.queued_until or any(fix.run_at for fix in s.fixes) for s in stories)
        # A template is held to be refused only while its copy is fresh.
        refused = any(s.message.content.template_id and any(fix.why for fix in s.fixes) for s in stories)
        # What earlier attempts say of the channels is not among these rows.
        chained = any(s.message.attempt > 1 and s.fixes for s in stories)
        return not (waiting or timed or refused or chained or self._cache.loaded)

    def story(
        self, conn: Connection, message: Message, thread: Sequence[Message] = (), *, told: bool = False
    ) -> Story:
        """The words and the fixes of one message; with `told`, also the pattern it is part of."""
        situation = self.situation(conn, message)
        queued = leaves_at(conn, message)
        seen = self._pattern(conn, message, situation.reason) if told else None
        words = seen.sentence() if seen else None
        fixes = offered(situation)
        wording = self._wording(queued, situation.opted_out)
        return Story(wording, message, situation.reason, fixes, tuple(thread), words)

    def _pattern(self, conn: Connection, message: Message, reason: Reason) -> Pattern | None:
        return pattern(message, reason, messages.recent_outcomes(conn, self.install.id, LOOKED_AT))

    def _wording(self, queued_until: datetime | None, opted_out: bool) -> WordingContext:
        reasons = self.flow.catalogue.reasons
        return WordingContext(self.now, self.install.tz, reasons, queued_until, self.rights, opted_out)

    def situation(self, conn: Connection, message: Message, opened: Opened | None = None) -> Situation:
        """All that decides which fixes this message gets. `opened` is the same message, where more was read with it."""
        reason = self.reason(message)
        known = self._templates(conn, message, reason)
        opened = opened or self._open(conn, message)
        earlier = self._earlier(conn, message)
        return Situation(
            message=message,
            reason=reason,
            now=self.now,
            channels=self.channels,
            template=template_from(opened.template) if opened.template else None,
            listed_at=opened.listed_at,
            choices=known,
            contact_numbers=self.person.numbers,
            region=self.flow.country(self.install),
            languages=language_codes(self.install.settings.get("languages") or "") if known else (),
            tz=self.install.tz,
            opted_out=opened.opted_out,
            waits=self._waits(earlier),
            closed=self._closed(message, earlier),
            has_child=self._has_child(conn, message),
            platform=self.install.platform,
            can_ask_admin=bool(self.person.conversation_id or message.conversation_id),
            settings_url=self.flow.settings_url,
            rights=self.rights,
        )

    def reason(self, message: Message) -> Reason:
        known = self.flow.catalogue.reasons
        return ranked(known.get(message.reason or UNKNOWN, known[UNKNOWN]), self.install.fix_scores)

    def _has_child(self, conn: Connection, message: Message) -> bool:
        # An open message has no child, by definition of open; only others must be asked about.
        return not message.open and messages.child_of(conn, self.install.id, message.id) is not None

    def _open(self, conn: Connection, message: Message) -> Opened:
        """What an open message is read together with."""
        mine, channel_id = self.install.id, message.channel_id or 0
        stopped = opt_outs.exists(conn, mine, message.to, self.flow.sealer)
        if message.content.template_id is None:
            return Opened(message, stopped, None, None, None)
        copy = templates.get(conn, mine, channel_id, message.content.template_id)
        listed_at = copy[1] if copy else templates.listed_at(conn, mine, channel_id)
        return Opened(message, stopped, None, copy[0] if copy else None, listed_at)

    def _earlier(self, conn: Connection, message: Message) -> list[Message]:
        """The attempts before this one to the same line."""
        if message.attempt == 1 or message.to is None:
            return []
        thread, line = messages.thread(conn, self.install.id, message.thread_id), same_line(message.to)
        return [one for one in thread if one.attempt < message.attempt and one.to in line]

    def _waits(self, earlier: Sequence[Message]) -> dict[str, datetime]:
        """Until when nothing may be sent on each kind of channel, by what the earlier attempts failed with."""
        over = [(one.channel, at) for one in earlier if (at := over_at(one, self.reason(one)))]
        return {kind: max(at for other, at in over if other == kind) for kind, _ in over}

    def _closed(self, message: Message, earlier: Sequence[Message]) -> frozenset[str]:
        """The kinds on which an earlier attempt to this number failed for good, for a reason of the person."""
        # The other spelling of a number may be the one a channel knows.
        reasons = ((one.channel, self.reason(one)) for one in earlier if one.to == message.to)
        return frozenset(kind for kind, r in reasons if r.category == "recipient" and r.retry == "never")

    def _templates(self, conn: Connection, message: Message, reason: Reason) -> dict[int, list[Template]]:
        """The templates by channel, read only when a fix of this reason needs them."""
        wanted = {"choose_template", "supply_variables", "replace_media_url"} & set(reason.fixes)
        if not wanted and (message.channel != "sms" or "send_other_channel" not in reason.fixes):
            return {}
        return self._cache.read(conn, self.install.id)


def leaves_at(conn: Connection, message: Message) -> datetime | None:
    """When a message that waits will be sent; None for one that does not wait."""
    if message.status is not Status.QUEUED:
        return None
    action = actions.by_key(conn, message.install_id, send_key(message.id))
    return action.due_at if action else None
