"""Providers tell us directly how a message stands: who they are, which message it is, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.clients.octopods_answers import StatusReport
from canvas.domain import phones
from canvas.domain.action_kinds import POLL, action_key
from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Message, Status, contradict, follows
from canvas.domain.provider_news import News
from canvas.flows import outcome, retention
from canvas.flows.context import Flow
from canvas.flows.installs import Refused, named
from canvas.flows.polling import CLOCK_SLACK, left_at
from canvas.store import actions, audit, channels, erased, hook_secrets, installs, messages
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
PROVIDERS = ("twilio", "whatsapp")
MATCHED_WITHIN = timedelta(hours=24)  # how long after a send a provider may still tell of it
LOOK_BACK = 20


@dataclass(frozen=True, slots=True)
class Hook:
    """An install's hook of one provider, its secrets opened. They never show in a repr."""

    install: Install
    secret: str = field(repr=False)
    verify: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HookState:
    """What settings show of a hook: where the provider must call, and since when the secret is set, if it is."""

    provider: str
    path: str
    changed_at: datetime | None


def set_secret(
    flow: Flow,
    public_id: str,
    provider: str,
    secret: str,
    verify: str | None = None,
    by: Actor = audit.OPERATOR,
) -> None:
    """Have calls of this provider for this install believed. Raises Refused."""
    if provider not in PROVIDERS:
        raise Refused(f"provider must be one of {', '.join(PROVIDERS)}.")
    if not 8 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable():
        raise Refused("The secret has 8 to 200 plain characters.")
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = named(conn, public_id)
        sealed = flow.sealer.seal(verify) if verify else None
        hook_secrets.put(conn, install.id, provider, flow.sealer.seal(secret), sealed, now)
        audit.write(conn, install.id, now, by, "hook.set", provider)


def remove_secret(flow: Flow, public_id: str, provider: str, by: Actor = audit.OPERATOR) -> None:
    """Believe this provider no more. Raises Refused."""
    with writing(flow.engine) as conn:
        install = named(conn, public_id)
        if not hook_secrets.remove(conn, install.id, provider):
            raise Refused(f"There is no {provider} hook for {public_id}.")
        audit.write(conn, install.id, flow.clock(), by, "hook.removed", provider)


def states(flow: Flow, public_id: str) -> list[HookState]:
    """Every hook there could be for this install. Raises Refused."""
    with reading(flow.engine) as conn:
        install = named(conn, public_id)
        held = {found.provider: found.changed_at for found in hook_secrets.of_install(conn, install.id)}
    return [HookState(p, f"/hooks/{p}/{install.public_id}", held.get(p)) for p in PROVIDERS]


def hook(flow: Flow, public_id: str, provider: str) -> Hook | None:
    """The hook of an active install, or None: unknown, foreign and not set up look the same."""
    with reading(flow.engine) as conn:
        install = installs.by_public_id(conn, public_id)
        if install is None or install.status != installs.ACTIVE:
            return None
        found = hook_secrets.get(conn, install.id, provider)
    if found is None:
        return None
    try:
        verify = flow.sealer.open(found.verify_sealed) if found.verify_sealed else None
        return Hook(install, flow.sealer.open(found.secret_sealed), verify)
    except CannotOpen:
        log.warning("hook.sealed_with_a_lost_key", install=install.public_id, provider=provider)
        return None


def take(flow: Flow, install: Install, news: Sequence[News]) -> None:
    """Write down what a provider told; repeated, late and unknown news do no harm."""
    now = flow.clock()
    for one in news:
        with writing(flow.engine) as conn:
            poll = _take_one(conn, flow, install, one, now)
        if poll:
            flow.wake(poll, now)


def _take_one(conn: Connection, flow: Flow, install: Install, news: News, now: datetime) -> str | None:
    """Write down one piece of news; where Octopods has to be asked first, the action that asks it."""
    known = messages.by_provider_id(conn, install.id, news.channel, news.provider_id)
    if known is None and erased.ever(conn, install.id, news.provider_id, flow.sealer):
        return None
    message = known or _nameless(conn, flow, install, news, now)
    if message is None:
        return None
    held = messages.locked(conn, install.id, message.id)
    if held.provider_id is None and held.octopods_id is not None:
        # Its number alone ties the news to it, and a send from elsewhere may have the same: Octopods knows for sure.
        return _ask(conn, held, now) if follows(held.status, news.status) else None
    if held.provider_id is None:
        held = replace(held, provider_id=news.provider_id, sent_at=held.sent_at or left_at(held))
        held = outcome.store(conn, held, now)
    if held.provider_id != news.provider_id:
        return None  # since it was looked at, it turned out to be another one
    report = StatusReport(None, str(news.status), failure_reason=news.raw or None, last_updated=news.at)
    outcome.reported(conn, flow, held, report, now, evidence=news.evidence)
    return None


def _ask(conn: Connection, message: Message, now: datetime) -> str | None:
    """Have Octopods asked for this message's status at once, also when asking was given up."""
    key = action_key(POLL, message.id)
    return actions.restart_now(conn, message.install_id, POLL, key, now, message_id=message.id)


def _nameless(conn: Connection, flow: Flow, install: Install, news: News, now: datetime) -> Message | None:
    """The one message of ours this can be; a new one for a failure nobody else will tell us of; else None."""
    possible = _possible_channels(conn, install, news)
    fitting = _fitting(conn, install.id, possible, news, now)
    if len(fitting) == 1 and (fitting[0].octopods_id or _from_its_number(fitting[0], possible, news)):
        return fitting[0]
    if news.status is not Status.FAILED or (fitting and all(map(_octopods_will_tell, fitting))):
        # Not its id, for that of a WhatsApp message holds the number it went to.
        log.info("hook.unmatched", channel=news.channel, status=str(news.status), fitting=len(fitting))
        return None
    if _is_gone(conn, flow, install, news, now):
        return None
    return _made(conn, install, possible, news, now)


def _is_gone(conn: Connection, flow: Flow, install: Install, news: News, now: datetime) -> bool:
    """Whether what failed was purged since, or went to a person before they were erased, where its time is told."""
    if news.at is None:
        return False
    line = phones.same_line(news.to) if news.to else ()
    return news.at < retention.kept_since(flow, install) or erased.since(
        conn, install.id, line, news.at, flow.sealer
    )


def _possible_channels(conn: Connection, install: Install, news: News) -> list[Channel]:
    """The channels it can have been sent on: that of its sender, else those of its kind of which that is not known."""
    same = [c for c in channels.of_install(conn, install.id) if c.kind == news.channel]
    sure = [c for c in same if _sent_on(c, news)]
    return sure or [c for c in same if _sent_on(c, news) is None]


def _sent_on(channel: Channel, news: News) -> bool | None:
    """Whether the sender is this channel's number; None where either is not known."""
    if not channel.number or not news.sender:
        return None
    return phones.normalise(channel.number, "US") == news.sender  # it was checked to have its country code


def _from_its_number(message: Message, possible: list[Channel], news: News) -> bool:
    return any(channel.id == message.channel_id and _sent_on(channel, news) for channel in possible)


def _octopods_will_tell(message: Message) -> bool:
    """Whether it can be asked for by its id, or an answer is still awaited."""
    return message.octopods_id is not None or message.status is Status.SENDING


def _fitting(
    conn: Connection, install_id: int, possible: list[Channel], news: News, now: datetime
) -> list[Message]:
    """Messages to that number on those channels, lately sent, of unknown provider's id, that this can be about."""
    if news.to is None:
        return []
    ids = {None, *(channel.id for channel in possible)}
    past = messages.newest_to(conn, install_id, news.channel, news.to, LOOK_BACK)
    past = [m for m in past if m.channel_id in ids and m.provider_id is None]
    at = news.at or now
    return [m for m in past if _left(m) and _in_time(m, at) and not contradict(m.status, news.status)]


def _left(message: Message) -> bool:
    """Whether the provider may have got this message at all."""
    known = message.octopods_id or message.request_id
    return bool(known) or message.status in (Status.SENDING, Status.UNSURE)


def _in_time(message: Message, at: datetime) -> bool:
    """Whether it left within a day before the news, as far as two clocks agree."""
    left = message.sent_at or message.created_at
    return at - MATCHED_WITHIN <= left <= at + CLOCK_SLACK


def _made(conn: Connection, install: Install, possible: list[Channel], news: News, now: datetime) -> Message:
    """A failure of a message that was sent from elsewhere, as far as anybody can tell."""
    at = min(news.at or now, now)
    message_id = new_id("msg", at)
    message = Message(
        id=message_id,
        install_id=install.id,
        channel=news.channel,
        channel_id=possible[0].id if len(possible) == 1 else None,
        status=Status.SENT,
        created_at=at,
        updated_at=now,
        raw_to=news.to or "",
        to=news.to,
        source="hook",
        provider_id=news.provider_id,
        sent_at=at,
        thread_id=message_id,
    )
    try:
        messages.add(conn, message)
    except messages.ProviderIdTaken:
        # The same news in another process was faster by a moment: it is about that message.
        other = messages.by_provider_id(conn, install.id, news.channel, news.provider_id)
        assert other is not None  # the database said so
        return other
    return message
