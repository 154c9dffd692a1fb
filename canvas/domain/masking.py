"""What may be written down about people and secrets where neither is needed: logs, metrics, the audit trail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(hidden)"
DEPTH = 6  # levels of a structure that are looked into; what lies deeper is hidden whole

# A number as people and providers write it. Bounded repeats only, so that no text makes it slow.
_NUMBER = re.compile(r"(?<![\w.:/-])(?:\+|00)?\(?\d[\d ().\u00a0\u2011-]{5,24}\d(?!\w)")
_SECRET = re.compile(
    r"(?:secret|token|password|authorization|cookie|api_?key|_sealed|_hash|webhook)$", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]{1,100}:[^/\s@]{1,200}(?=@)|(?<=Bearer )\S+", re.IGNORECASE)
_CONTENT = frozenset({"text", "body", "preview", "variables", "message_variables", "content", "header_url"})


def mask_number(number: str) -> str:
    """The two ends of a phone number: enough to recognise one's own, too little to call it."""
    digits = [c for c in number if c.isdigit()]
    plus = "+" if number.lstrip("( ").startswith(("+", "00")) else ""
    return f"{plus}{''.join(digits[:2])}…{''.join(digits[-2:])}"


def mask_text(text: str) -> str:
    """The text with every phone number and every credential of an address in it masked."""
    return _NUMBER.sub(_if_phone, _CREDENTIALS.sub(HIDDEN, text))


def _if_phone(match: re.Match[str]) -> str:
    found = match.group()
    digits = sum(c.isdigit() for c in found)
    least = 7 if found.lstrip("(").startswith("+") else 9  # eight digits alone are usually a date
    return mask_number(found) if least <= digits <= 17 else found


def masked(value: Any, depth: int = DEPTH) -> Any:
    """A JSON-like value that may be kept: numbers masked, secrets and the words of messages hidden."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, int) and not isinstance(value, bool) and 10**9 <= value < 10**15:
        return mask_number(str(value))
    if depth == 0 and isinstance(value, Mapping | list | tuple):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(name): _masked_entry(str(name), entry, depth) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [masked(entry, depth - 1) for entry in value]
    return value


def _masked_entry(name: str, entry: Any, depth: int) -> Any:
    if entry is None or isinstance(entry, bool):
        return entry
    if _SECRET.search(name) or name in _CONTENT:
        return HIDDEN
    return masked(entry, depth - 1)
