"""What other messages tell about this failure: one person, one template, one channel, or everyone.

The repeat rule is the help article's ("Troubleshooting Failed Proactive Messages"): a provider error that keeps
coming back for one recipient, while others get through, is that recipient's problem and no outage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from canvas.domain.message import ARRIVED, Message, Status
from canvas.knowledge.model import UNKNOWN, Reason

Scope = Literal["person", "template", "channel", "everyone"]
LOOKED_AT = 200  # newest settled messages that are looked through
WINDOW = 10  # of a scope, that a sentence speaks of
TELLING = 0.6  # share of them that must have failed alike
FEWEST = 4  # of them there must be
REPEATS = 3  # failures in a row that make a passing error a recipient problem
PASSING = frozenset({"transient", "unknown"})


class Ended(Protocol):
    """How some other message ended."""

    @property
    def status(self) -> Status: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def channel_id(self) -> int | None: ...
    @property
    def template_id(self) -> str | None: ...
    @property
    def to(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """`same` of the last `total` in this scope failed for the same reason; `people` is how many they were to."""

    scope: Scope
    same: int
    total: int
    people: int

    @property
    def incident(self) -> bool:
        """One cause that hits many people: for whoever runs the channel, not for each conversation."""
        return self.scope != "person" and self.people >= FEWEST

    def sentence(self) -> str:
        where = {
            "person": "to this person",
            "template": "with this template",
            "channel": "on this channel",
            "everyone": "of this workspace",
        }[self.scope]
        told = f"{self.same} of the last {self.total} messages {where} failed the same way."
        if self.incident:
            return f"{told} It is one problem for many people: tell an admin once, and wait with the others."
        return told


def pattern(message: Message, reason: Reason, recent: Sequence[Ended]) -> Pattern | None:
    """The most telling pattern this failure is part of, the narrowest first; None when it stands alone.

    What nobody knows is not one reason, and what lies with each person is no problem of a channel.
    """
    if message.reason is None or reason.id == UNKNOWN:
        return None
    template = message.content.template_id
    scopes: list[tuple[Scope, Callable[[Ended], bool]]] = [
        ("template", lambda e: template is not None and e.template_id == template),
        ("channel", lambda e: e.channel_id == message.channel_id and e.channel == message.channel),
        ("everyone", lambda e: True),
        ("person", lambda e: message.to is not None and e.to == message.to),
    ]
    found = [
        made for scope, belongs in scopes if (made := _tally(scope, message.reason, filter(belongs, recent)))
    ]
    many = [p for p in found if p.incident and reason.category != "recipient"]
    return next(iter(many), next((p for p in found if p.scope == "person"), None))


def _tally(scope: Scope, reason: str, ended: Iterable[Ended]) -> Pattern | None:
    window = list(islice(ended, WINDOW))
    same = [e for e in window if e.status is Status.FAILED and e.reason == reason]
    if len(window) < FEWEST or len(same) < FEWEST or len(same) / len(window) < TELLING:
        return None
    return Pattern(scope, len(same), len(window), len({e.to for e in same}))


def keeps_failing(message: Message, reason: Reason, recent: Sequence[Ended]) -> bool:
    """Whether this failure, just come, is one too many for this person while others get through.

    `recent` is newest first and does not hold the message itself.
    """
    if message.to is None or reason.retry not in PASSING:
        return False
    in_a_row = 1
    for past in recent:
        if past.to != message.to or past.channel != message.channel:
            continue
        if past.status is not Status.FAILED or past.reason != reason.id:
            break
        in_a_row += 1
    others = any(e.status in ARRIVED and e.to != message.to and e.channel == message.channel for e in recent)
    return in_a_row >= REPEATS and others
