"""What an install's admin may choose: defaults, bounds, and one clear sentence for each choice that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import phonenumbers

from canvas.domain.dates import zone
from canvas.domain.rights import ADMINS, EVERYONE, NAMED

TIMELINE = {
    "activity": "An activity on the contact's timeline",
    "app_event": "An app event (approved HubSpot partners)",
    "off": "Nothing",
}
FIXERS = {
    EVERYONE: "Everybody who sees the card",
    NAMED: "Teammates an admin has named, and admins",
    ADMINS: "Admins only",
}
BULK_FIXERS = {EVERYONE: "Everybody who may fix and is signed in", ADMINS: "Admins only"}
MOST_UNDO_SECONDS = 60
MOST_RETRIES = 3
RETRY_MINUTES = (15, 24 * 60)
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one install.

    `country` is where numbers without a country code are read; `undo_seconds` is how long a send that could go
    at once waits so that it can be taken back; `auto_retries` is how many times a message that failed for a
    passing reason is sent again by itself, `auto_retry_minutes` after each failure.
    """

    country: str = "US"
    timezone: str = ""
    timeline: str = "activity"
    undo_seconds: int = 0
    auto_retries: int = 0
    auto_retry_minutes: int = 60
    retention_days: int = 90
    may_fix: str = EVERYONE
    may_bulk: str = ADMINS

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


def read(stored: Mapping[str, Any], **defaults: Any) -> Settings:
    """The settings as they are kept; what is missing or no longer fits has its default."""
    known = {**asdict(Settings()), **defaults}
    return Settings(
        **{name: _kept(stored.get(name), default, CHECKS[name]) for name, default in known.items()}
    )


def _kept(value: Any, default: Any, check: Callable[[str], Any]) -> Any:
    if value is None:
        return default
    try:
        return check(str(value))
    except ValueError:
        return default


def parse(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of a form that was sent, and by field the sentence that says what to enter instead."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, check in CHECKS.items():
        if name not in form:
            continue
        try:
            values[name] = check(form[name].strip())
        except ValueError as error:
            wrong[name] = str(error)
    return values, wrong


def _country(text: str) -> str:
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("Enter a country as two letters, such as IE.")
    return text.upper()


def _zone(text: str) -> str:
    if text and zone(text) is None:
        raise ValueError("Enter a time zone by its name, such as Europe/Dublin.")
    return text


def _one_of(choices: Mapping[str, str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in choices:
            raise ValueError("Choose one of the list.")
        return text

    return check


def _between(least: int, most: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 8 and least <= int(text) <= most):
            raise ValueError(f"Enter a whole number from {least} to {most}.")
        return int(text)

    return check


CHECKS: dict[str, Callable[[str], Any]] = {
    "country": _country,
    "timezone": _zone,
    "timeline": _one_of(TIMELINE),
    "undo_seconds": _between(0, MOST_UNDO_SECONDS),
    "auto_retries": _between(0, MOST_RETRIES),
    "auto_retry_minutes": _between(*RETRY_MINUTES),
    "retention_days": _between(1, MOST_DAYS),
    "may_fix": _one_of(FIXERS),
    "may_bulk": _one_of(BULK_FIXERS),
}
