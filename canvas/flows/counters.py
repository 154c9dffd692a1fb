"""The counters behind /metrics: in memory first, added to the database's every few seconds."""

from __future__ import annotations

import threading
from collections import Counter

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from canvas.store import counts
from canvas.store.counts import Key
from canvas.store.database import writing

log = structlog.get_logger()
EVERY_SECONDS = 10.0  # what a process that dies takes with it
MOST_KEYS = 2000  # labels are routes and statuses of ours; anything beyond this is somebody's nonsense


class Counters:
    """The counts of one process. Nothing runs while nothing is counted."""

    def __init__(self, engine: Engine, every: float = EVERY_SECONDS) -> None:
        self._engine = engine
        self._every = every
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._timer: threading.Timer | None = None

    def count(self, name: str, label: str, sublabel: str = "") -> None:
        """Add one. Costs no input or output."""
        key = (name, label[:120], sublabel[:40])
        with self._lock:
            if key in self._counts or len(self._counts) < MOST_KEYS:
                self._counts[key] += 1
            if self._timer is None:
                self._timer = threading.Timer(self._every, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted to the database; when it does not answer, keep it for the next time."""
        with self._lock:
            counted, self._counts, self._timer = self._counts, Counter(), None
        if not counted:
            return
        try:
            with writing(self._engine) as conn:
                counts.add(conn, counted)
        except SQLAlchemyError as error:
            log.warning("counts.kept_back", error=type(error).__name__)
            with self._lock:
                self._counts.update(counted)
