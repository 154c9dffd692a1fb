"""When to try, poll or look again. Pure arithmetic: the time comes in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

LEASE = timedelta(seconds=120)  # longer than any single call may take
SEND_TRIES = 6
OTHER_TRIES = 12
GIVE_UP_POLLING = timedelta(hours=24)
POLL_SHARE = 0.05
LONGEST_SPACING = timedelta(seconds=10)  # slower, and outcomes would not be known the same day
LESSON = timedelta(hours=24)  # how long what a 429 taught is held on to
MANY_NEW = 30  # of the hundred that a list shows
BACKOFF_FIRST = 5.0
BACKOFF_CAP = 15 * 60.0


def backoff(tries: int, now: datetime) -> datetime:
    """The next attempt after `tries` failures: doubled each time, capped, jittered so that a herd spreads."""
    doublings = min(max(0, tries - 1), 30)  # far beyond the cap, and still a number
    seconds = min(BACKOFF_CAP, BACKOFF_FIRST * 2**doublings)
    return now + timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret  # nosec B311 # spreads load


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


def poll_spacing(least: timedelta, tolerated: int | None) -> timedelta:
    """The time between two of our own questions on one key.

    `tolerated` is how many requests a minute the key was seen to bear when Octopods answered 429; from then on
    we take at most a twentieth of that, but six a minute at least. Octopods' limit itself is documented nowhere.
    """
    if tolerated is None or not least:
        return least
    share = timedelta(minutes=1) / (max(1, tolerated) * POLL_SHARE)
    return max(least, min(share, LONGEST_SPACING))


def next_look(every: timedelta, new: int) -> timedelta:
    """When to look into a list again: sooner when much came since, later when nothing did."""
    if new >= MANY_NEW:
        return every / 5
    return every if new else every * 3
