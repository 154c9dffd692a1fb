"""Providers tell us directly how a message stands: who they are, which message it is, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.clients.octopods_answers import StatusReport
from canvas.domain.ids import new_id
from canvas.domain.message import IN_FLIGHT, Actor, Message, Status
from canvas.domain.provider_news import News
from canvas.flows import outcome
from canvas.flows.context import Flow
from canvas.flows.installs import Refused, named
from canvas.store import audit, channels, hook_secrets, installs, messages
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
    platform, _, external_id = public_id.partition(":")
    with reading(flow.engine) as conn:
        install = installs.find(conn, platform, external_id)
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
            _take_one(conn, flow, install, one, now)


def _take_one(conn: Connection, flow: Flow, install: Install, news: News, now: datetime) -> None:
    message = messages.by_provider_id(conn, install.id, news.channel, news.provider_id)
    if message is None:
        past = _candidates(conn, install.id, news, now)
        if not past and news.status is Status.FAILED:
            message = _made(conn, install, news, now)
        elif len(past) == 1:
            message = past[0]
        else:
            # Of several nobody can tell which is meant; asking Octopods by id will.
            log.info("hook.unmatched", provider_id=news.provider_id, candidates=len(past))
            return
    held = messages.locked(conn, install.id, message.id)
    if held.provider_id is None:
        held = outcome.store(conn, replace(held, provider_id=news.provider_id), now)
    report = StatusReport(message_id=None, status=str(news.status), failure_reason=news.raw or None)
    outcome.reported(conn, flow, held, report, now, evidence=news.evidence)


def _candidates(conn: Connection, install_id: int, news: News, now: datetime) -> list[Message]:
    """Messages to that number, sent lately, of which the provider's id is not known yet."""
    if news.to is None:
        return []
    past = messages.newest_to(conn, install_id, news.channel, news.to, LOOK_BACK)
    lately = (news.at or now) - MATCHED_WITHIN
    nameless = [m for m in past if m.provider_id is None and m.created_at >= lately and _left(m)]
    flying = [m for m in nameless if m.status in IN_FLIGHT or m.status is Status.UNSURE]
    return flying or nameless


def _left(message: Message) -> bool:
    """Whether the provider may have got this message at all."""
    known = message.octopods_id or message.request_id
    return bool(known) or message.status in (Status.SENDING, Status.UNSURE)


def _made(conn: Connection, install: Install, news: News, now: datetime) -> Message:
    """A failure of a message that was sent from elsewhere."""
    at = min(news.at or now, now)
    line = next((c for c in channels.of_install(conn, install.id) if c.kind == news.channel), None)
    message_id = new_id("msg", at)
    message = Message(
        id=message_id,
        install_id=install.id,
        channel=news.channel,
        channel_id=line.id if line else None,
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
    messages.add(conn, message)
    return message
