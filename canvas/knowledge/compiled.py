"""The compiled catalogue: the same facts as the files, in a form that loads in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from canvas.knowledge import sources

NAME = "compiled.json"


def read(home: Path = sources.HOME) -> dict[str, Any]:
    """The catalogue's facts: from the compiled file when it is fresh, else from the files themselves."""
    path = home / NAME
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_bytes())
        if kept["stamp"] == sources.stamp(home):
            return kept
    return sources.read(home)


def text(home: Path = sources.HOME) -> str:
    """What the compiled file should hold."""
    facts = {"stamp": sources.stamp(home), **sources.read(home)}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")) + "\n"


def write(home: Path = sources.HOME) -> None:
    """Write the compiled file anew."""
    (home / NAME).write_text(text(home), encoding="utf-8")
