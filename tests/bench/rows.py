"""One row of the table that `make bench` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, the figure, what it should be, and whether it is. `ok` None: told, not judged."""

    what: str
    measured: str
    aim: str
    ok: bool | None
