"""Small readers for JSON that may hold anything: what is not of the wanted kind counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canvas.clients.http import Answer


def json_or_none(answer: Answer) -> Any:
    """The body as JSON, or None when it is not JSON."""
    try:
        return answer.json()
    except ValueError:
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, else none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """`value` when it is text, else None."""
    return value if isinstance(value, str) else None


def identifier(value: Any) -> str | None:
    """An id as text, given as a number or as text; anything else is no id."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
