"""When to try, poll or look again. Pure arithmetic: the time comes in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

LEASE = timedelta(seconds=120)  # longer than any single call may take
SEND_TRIES = 6
OTHER_TRIES = 12
GIVE_UP_POLLING = timedelta(hours=24)
BACKOFF_FIRST = 5.0
BACKOFF_CAP = 15 * 60.0


def backoff(tries: int, now: datetime) -> datetime:
    """The next attempt after `tries` failures: doubled each time, capped, jittered so that a herd spreads."""
    seconds = min(BACKOFF_CAP, BACKOFF_FIRST * 2 ** max(0, tries - 1))
    return now + timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret


def next_poll(
    tries: int,
    sent_at: datetime,
    now: datetime,
    steps: Sequence[float],
    deadline: timedelta = GIVE_UP_POLLING,
) -> datetime | None:
    """When to ask for the status again, or None when it is time to call the outcome unsure.

    `steps` are seconds between questions; the last one repeats until the deadline.
    Source: Octopods, "Understanding Message Delivery Status"; the steps themselves are our choice.
    """
    due = now + timedelta(seconds=steps[min(tries, len(steps) - 1)])
    return due if due <= sent_at + deadline else None
