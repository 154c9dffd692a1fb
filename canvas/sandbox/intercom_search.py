"""Intercom's contact search language over contacts in memory ("Search contacts", operators and nesting)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

OPERATORS: dict[str, Callable[[str, Any], bool]] = {
    "=": lambda stored, value: stored == str(value),
    "!=": lambda stored, value: stored != str(value),
    "IN": lambda stored, value: stored in map(str, value),
    "NIN": lambda stored, value: stored not in map(str, value),
    "~": lambda stored, value: str(value) in stored,
    "!~": lambda stored, value: str(value) not in stored,
    "^": lambda stored, value: stored.startswith(str(value)),
    "$": lambda stored, value: stored.endswith(str(value)),
}


def matches(contact: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Does the contact pass? A text is compared as stored: a phone with spaces is another phone."""
    operator = query["operator"]
    if operator in {"AND", "OR"}:
        verdicts = [matches(contact, part) for part in query["value"]]
        return all(verdicts) if operator == "AND" else any(verdicts)
    return OPERATORS[operator](str(contact.get(query["field"]) or ""), query["value"])
