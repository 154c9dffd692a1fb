"""The sandbox's time: the wall clock, plus what somebody has wound it forward."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def wall_clock() -> datetime:
    return datetime.now(UTC)


class SandboxClock:
    """An aware UTC clock that a test or the desk may wind forward. Safe between threads."""

    def __init__(self, source: Callable[[], datetime] = wall_clock) -> None:
        self._source = source
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._source() + self._ahead

    def advance(self, seconds: float) -> datetime:
        with self._lock:
            self._ahead += timedelta(seconds=seconds)
            return self._source() + self._ahead

    def reset(self) -> None:
        with self._lock:
            self._ahead = timedelta()


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC to the second, with a Z: the form every vendor here writes."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
