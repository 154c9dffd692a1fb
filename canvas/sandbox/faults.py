"""What can go wrong on the way to a fake vendor, and for how many requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Kind = Literal["slow", "down", "html", "cut_after", "cut_before", "error_200", "empty", "rate_limited"]

ACCEPTS: dict[str, bool] = {
    "slow": True,
    "down": False,
    "html": False,
    "cut_after": True,
    "cut_before": False,
    "error_200": False,
    "empty": True,
    "rate_limited": False,
}
"""Whether the vendor did what was asked before the answer went wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `ms` is how long `slow` waits; `seconds` is how long `rate_limited` blocks the key. `times` counts
    requests down (0: until cleared). Only requests whose path contains `path`, with this `method` when one
    is given, are hit. `accepted` overrides ACCEPTS: did it happen although the answer says otherwise?
    """

    kind: Kind
    times: int = 1
    ms: int = 3000
    seconds: int = 60
    path: str = ""
    method: str = ""
    accepted: bool | None = None

    @property
    def happens(self) -> bool:
        return ACCEPTS[self.kind] if self.accepted is None else self.accepted

    def hits(self, method: str, path: str) -> bool:
        return self.path in path and self.method.upper() in {"", method.upper()}


def parse(wish: Mapping[str, Any]) -> Fault:
    """A fault from JSON. Raises ValueError for a kind or a field nobody knows."""
    kind = wish.get("kind")
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}")
    known = {name: wish[name] for name in Fault.__dataclass_fields__ if name in wish}
    if unknown := set(wish) - set(known):
        raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
    return Fault(**known)


def parse_header(header: str) -> Fault:
    """A fault for one request, written as `slow=1500`, `rate_limited=30` or just `cut_after`."""
    kind, _, amount = header.partition("=")
    fault = parse({"kind": kind.strip()})
    return replace(fault, ms=int(amount), seconds=int(amount)) if amount else fault


class FaultBoard:
    """The faults waiting for the next requests, oldest first. Safe between threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.hits(method, path):
                    self._count_down(place, fault)
                    return fault
        return None

    def _count_down(self, place: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._faults[place]
        elif fault.times > 1:
            self._faults[place] = replace(fault, times=fault.times - 1)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]
