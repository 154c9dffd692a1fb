"""HubSpot's CRM search over records in memory ("CRM API | Search"): groups are OR, filters in one AND."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

NATIONAL = "hs_searchable_calculated_phone_number"
NATIONAL_MOBILE = "hs_searchable_calculated_mobile_number"
COUNTRY_CODES = ("353", "46", "49", "44", "1")


def _tokens(text: str) -> set[str]:
    return set(re.split(r"[^\w+]+", text.lower()))


OPERATORS: dict[str, Callable[[str, Any], bool]] = {
    "EQ": lambda stored, value: stored.lower() == str(value).lower(),
    "NEQ": lambda stored, value: stored.lower() != str(value).lower(),
    "IN": lambda stored, value: stored.lower() in value,
    "HAS_PROPERTY": lambda stored, value: bool(stored),
    "NOT_HAS_PROPERTY": lambda stored, value: not stored,
    "CONTAINS_TOKEN": lambda stored, value: _tokens(str(value)) <= _tokens(stored),
}


def matches(record: Mapping[str, Any], groups: list[dict[str, Any]]) -> bool:
    return not groups or any(all(_passes(record, one) for one in group["filters"]) for group in groups)


def _passes(record: Mapping[str, Any], wish: Mapping[str, Any]) -> bool:
    stored = _value(record["properties"], wish["propertyName"])
    return OPERATORS[wish["operator"]](stored, wish.get("values", wish.get("value")))


def _value(properties: Mapping[str, Any], name: str) -> str:
    if name == NATIONAL:
        return national(properties.get("phone"))
    if name == NATIONAL_MOBILE:
        return national(properties.get("mobilephone"))
    return str(properties.get(name) or "")


def national(phone: str | None) -> str:
    """The number without country code and separators, which is what HubSpot searches by."""
    digits = re.sub(r"\D", "", phone or "")
    if (phone or "").startswith("+"):
        code = next((code for code in COUNTRY_CODES if digits.startswith(code)), "")
        return digits.removeprefix(code)
    return digits.lstrip("0")
