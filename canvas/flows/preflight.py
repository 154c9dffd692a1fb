"""Would a message to this person fail? Told from what is known here, without sending or asking anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from canvas.domain.dates import soon
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.message import ARRIVED, Message, Status
from canvas.flows.context import Flow
from canvas.store import channels, messages, people
from canvas.store.database import reading
from canvas.store.installs import Install

Verdict = Literal["yes", "no", "unknown"]
LASTING = ("after_fix", "never")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether it would fail; the reason's title, and a sentence."""

    would_fail: Verdict
    reason: str
    message: str


def forecast(flow: Flow, install: Install, channel: str, number: str | None) -> Forecast:
    """The forecast for one message on this channel to this number (E.164, or None when there is none)."""
    name = CHANNEL_NAMES[channel]
    reasons = flow.catalogue.reasons
    if number is None:
        missing = reasons["missing_phone"]
        return Forecast("yes", missing.title, missing.meaning)
    with reading(flow.engine) as conn:
        stopped = messages.has_opted_out(conn, install.id, number)
        connected = _obstacle(conn, flow, install, channel)
        last = people.last_to(conn, install.id, channel, number)
    if stopped:
        return Forecast("yes", reasons["recipient_opted_out"].title, "This person asked not to be messaged.")
    if connected:
        return Forecast("yes", f"{name} is not ready", connected)
    return _by_the_last(flow, last, name)


def _obstacle(conn: Connection, flow: Flow, install: Install, channel: str) -> str | None:
    """Why nothing can go out on this channel now, or None."""
    name, now = CHANNEL_NAMES[channel], flow.clock()
    lines = [c for c in channels.of_install(conn, install.id) if c.kind == channel]
    if not lines:
        return f"No {name} channel is connected."
    blocked = [c.blocked_until for c in lines if c.blocked_until and c.blocked_until > now]
    if len(blocked) == len(lines):
        return f"Octopods takes no {name} messages until {soon(min(blocked), now, install.tz)}."
    return None


def _by_the_last(flow: Flow, last: Message | None, name: str) -> Forecast:
    if last is None:
        return Forecast("unknown", "", f"No {name} message was sent to this number from here yet.")
    if last.status in ARRIVED:
        return Forecast("no", "", f"The last {name} message to this number arrived.")
    reason = flow.catalogue.reasons.get(last.reason or "")
    if last.status is Status.FAILED and reason and reason.category == "recipient" and reason.retry in LASTING:
        return Forecast("yes", reason.title, f"The last {name} message failed: {reason.meaning}")
    return Forecast("unknown", "", f"The last {name} message to this number says nothing about the next.")
