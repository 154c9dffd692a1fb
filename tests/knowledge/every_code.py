"""Every documented code in the bodies its provider sends (tests/data/bodies.toml), and what is read out of them."""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from canvas.knowledge.catalogue import load
from canvas.knowledge.codes_table import CodeRow, normal_code
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import Diagnosis, Evidence

BODIES = Path(__file__).parent.parent / "data" / "bodies.toml"
WRITTEN: dict[str, Callable[[str], str]] = {
    "json": lambda words: json.dumps(words, ensure_ascii=False)[1:-1],
    "xml": html.escape,
    "url": quote_plus,
    "plain": str,
}
_BRACKET = re.compile(r" \([^()]*\)$")
Body = dict[str, Any]


@dataclass(frozen=True)
class Filled:
    """One code in one body, and what was answered."""

    row: CodeRow
    right: set[str]
    found: Diagnosis

    @property
    def is_right(self) -> bool:
        """Whether the reason is one that the provider uses this code for."""
        return self.found.reason in self.right

    @property
    def is_read(self) -> bool:
        """Whether this code was found in the body, whatever the words beside it changed."""
        return self.is_right or normal_code(self.found.code or "") == normal_code(self.row.code or "")


def bodies() -> list[Body]:
    """The bodies of the file."""
    return list(tomllib.loads(BODIES.read_text(encoding="utf-8"))["body"])


def filled(body: Body) -> Iterator[Filled]:
    """Each fitting code in this body, with its provider named beside it."""
    codes = load().codes
    for row in codes.rows:
        if not fits(row, body):
            continue
        meanings = {r.cause for r in codes.rows if (r.provider, r.code) == (row.provider, row.code)}
        right = {row.cause, *codes.others(row), *(meanings if row.code else ())}
        for channel in body.get("channels", [None if row.channel == "any" else row.channel]):
            if row.channel in (channel, "any"):
                yield Filled(row, right, diagnose(Evidence(text_of(row, body), channel, row.provider)))


def fits(row: CodeRow, body: Body) -> bool:
    """Whether the provider sends this code in this body."""
    if row.provider != body["provider"] or ("spaces" in body and row.space not in body["spaces"]):
        return False
    return re.fullmatch(body.get("codes", ".+"), row.code or "") is not None


def text_of(row: CodeRow, body: Body) -> str:
    """The body with this code in it."""
    written = WRITTEN[body["form"]]
    code = row.code or ""
    number = int(code, 16) if code.startswith("0x") else 0
    words = {
        "{HEX8}": f"{number:08x}",
        "{CODE}": str(number) if body.get("base") == 10 else code,
        "{TITLE}": row.title,
        "{WORDS}": _BRACKET.sub("", row.title).replace("_", " "),
    }
    text = str(body["text"])
    for mark, value in words.items():
        text = text.replace(mark, written(value))
    return text
