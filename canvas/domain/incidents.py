"""Incidents: one cause that hits many people. What opens one, and what shows that it is over.

The cause decides how far it reaches: a template's own, a channel's own (its key, its account), or a provider's on
every channel of that kind. What lies with each person by themselves is no incident, however often it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from canvas.domain import pattern
from canvas.domain.message import ARRIVED, Status
from canvas.domain.pattern import FEWEST, TELLING, WINDOW
from canvas.knowledge.model import Reason

Scope = Literal["template", "channel", "provider"]
SOLVED_BY = 3  # messages that got through after the last such failure; silence proves nothing
STALE = timedelta(hours=24)  # older failures open nothing


class Ended(pattern.Ended, Protocol):
    """How some message ended, and when; newest first in every sequence here."""

    @property
    def id(self) -> str: ...
    @property
    def ended_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Cause:
    """What an incident is about."""

    scope: Scope
    reason: str
    channel: str
    channel_id: int | None = None
    template_id: str | None = None

    def touches(self, ended: Ended) -> bool:
        """Whether a message could have met this cause."""
        return (
            ended.channel == self.channel
            and (self.channel_id is None or ended.channel_id == self.channel_id)
            and (self.template_id is None or ended.template_id == self.template_id)
        )

    @property
    def key(self) -> str:
        return f"{self.scope}:{self.reason}:{self.channel}:{self.channel_id or ''}:{self.template_id or ''}"


def cause_of(ended: Ended, reason: Reason) -> Cause | None:
    """The cause a failure points to; None when it lies with the person."""
    if reason.category == "template" or (reason.id.startswith("template_") and ended.template_id):
        return Cause("template", reason.id, ended.channel, ended.channel_id, ended.template_id)
    if reason.category == "channel":
        return Cause("channel", reason.id, ended.channel, ended.channel_id)
    if reason.category in ("provider", "unknown"):
        return Cause("provider", reason.id, ended.channel)
    return None


def opened(recent: Sequence[Ended], reasons: dict[str, Reason], now: datetime) -> list[Cause]:
    """The causes that now hit many people: most of the last few messages they touch failed for them."""
    failures = (e for e in recent if e.status is Status.FAILED and e.reason in reasons)
    fresh = (e for e in failures if now - e.ended_at <= STALE)
    causes = {cause: None for e in fresh if (cause := cause_of(e, reasons[e.reason or ""]))}
    return [cause for cause in causes if _hits_many(cause, recent)]


def _hits_many(cause: Cause, recent: Iterable[Ended]) -> bool:
    window = [e for e in recent if cause.touches(e)][:WINDOW]
    same = [e for e in window if _same(cause, e)]
    people = {e.to for e in same}
    return len(same) >= FEWEST and len(people) >= FEWEST and len(same) / len(window) >= TELLING


def _same(cause: Cause, ended: Ended) -> bool:
    return ended.status is Status.FAILED and ended.reason == cause.reason


def solved_at(cause: Cause, recent: Sequence[Ended]) -> datetime | None:
    """When enough messages had got through since the last failure of this cause; None while that is not proven."""
    since: list[Ended] = []
    for ended in recent:
        if not cause.touches(ended):
            continue
        if _same(cause, ended):
            break
        if ended.status in ARRIVED:
            since.append(ended)
    return sorted(e.ended_at for e in since)[SOLVED_BY - 1] if len(since) >= SOLVED_BY else None
