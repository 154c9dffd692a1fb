"""Everything a fake vendor received, in order: the judge of "exactly one send"."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request. `accepted`: the fake did the deed. `answered`: its answer was not cut off."""

    number: int
    at: str
    method: str
    path: str
    query: str
    key: str
    body: Any
    accepted: bool = False
    outcome: str = ""
    id: str | None = None
    status: int | None = None
    answer: Any = None
    answered: bool = False
    fault: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Journal:
    """Entries since the start or the last reset. Safe between threads."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._count = 0
        self._lock = threading.Lock()

    def open(self, **facts: Any) -> Entry:
        with self._lock:
            self._count += 1
            entry = Entry(number=self._count, **facts)
            self._entries.append(entry)
            return entry

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self._entries if entry.number > after]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
