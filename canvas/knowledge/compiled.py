"""The compiled catalogue: the same facts as the files, in a form that loads in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from canvas.knowledge import sources
from canvas.knowledge.lexicon import parts_of
from canvas.knowledge.tokens import key_of

NAME = "compiled.json"

Facts = dict[str, Any]


def read(home: Path = sources.HOME) -> Facts:
    """The catalogue's facts: from the compiled file when it is fresh, else from the files themselves."""
    path = home / NAME
    if path.exists():
        kept: Facts = orjson.loads(path.read_bytes())
        if kept["stamp"] == sources.stamp(home):
            return kept
    return folded(sources.read(home))


def folded(facts: Facts) -> Facts:
    """The facts with everything folded that is compared with folded texts: vocabulary and titles."""
    facts["vocabulary"] = parts_of(facts["vocabulary"])
    for rows in facts["codes"].values():
        for row in rows:
            row["key"] = key_of(row["title"])
    return facts


def text(home: Path = sources.HOME) -> str:
    """What the compiled file should hold."""
    facts = {"stamp": sources.stamp(home), **folded(sources.read(home))}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")) + "\n"


def write(home: Path = sources.HOME) -> None:
    """Write the compiled file anew."""
    (home / NAME).write_text(text(home), encoding="utf-8")
