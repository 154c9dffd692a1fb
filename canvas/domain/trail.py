"""The audit trail for people: its deeds in words, and what each changed."""

from __future__ import annotations

import json
from typing import Any


def deed_words(deed: str) -> str:
    """A deed for people: `fix.send_other_channel` as "Fix: send other channel"."""
    return deed.replace(".", ": ").replace("_", " ").capitalize()


def changes(before: Any, after: Any) -> list[str]:
    """What a deed changed, a line each; what stayed the same is left out."""
    before, after = before or {}, after or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [f"{_plain(before)} → {_plain(after)}"]
    lines = []
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            shown = _plain(before.get(name, after.get(name)))
        elif before[name] != after[name]:
            shown = f"{_plain(before[name])} → {_plain(after[name])}"
        else:
            continue
        lines.append(f"{name.replace('_', ' ')}: {shown}")
    return lines


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
