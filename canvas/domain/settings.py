"""What an install's admin may choose: defaults, bounds, and one clear sentence for each choice that cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import phonenumbers

from canvas.domain.dates import zone
from canvas.domain.retry_classes import CLASSES, MINUTES, class_of
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
MOST_DAYS = 3650
MOST_LANGUAGES = 5  # each is one more call whenever the templates are listed
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one install.

    `country` is where numbers without a country code are read; `languages` are those that the workspace writes
    in, as Octopods' codes, the preferred one first; `undo_seconds` is how long a send that could go
    at once waits so that it can be taken back. `auto_…` are minutes after which what failed for a passing reason of
    that class is sent again by itself, 0 never; `auto_most` is how many times that may happen to one message.
    """

    country: str = "US"
    timezone: str = ""
    languages: str = ""
    timeline: str = "activity"
    undo_seconds: int = 0
    auto_trouble: int = 0
    auto_reach: int = 0
    auto_limit: int = 0
    auto_most: int = 1
    retention_days: int = 90
    may_fix: str = EVERYONE
    may_bulk: str = ADMINS

    def retry_after(self, reason: str) -> timedelta | None:
        """How long after a failure for that reason it is sent again by itself; None is never."""
        found = class_of(reason)
        minutes = getattr(self, found.setting) if found else 0
        return timedelta(minutes=minutes) if minutes else None

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


def language_codes(text: str) -> tuple[str, ...]:
    """`en, pt_BR` as codes, each once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _languages(text: str) -> str:
    codes = language_codes(text)
    if len(codes) > MOST_LANGUAGES or not all(_LANGUAGE.fullmatch(code) for code in codes):
        raise ValueError(f"Enter at most {MOST_LANGUAGES} languages by their codes, such as en, de or pt_BR.")
    return ", ".join(codes)


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


def _minutes(text: str) -> int:
    return int(_one_of(MINUTES)(text))


CHECKS: dict[str, Callable[[str], Any]] = {
    "country": _country,
    "timezone": _zone,
    "languages": _languages,
    "timeline": _one_of(TIMELINE),
    "undo_seconds": _between(0, MOST_UNDO_SECONDS),
    **{each.setting: _minutes for each in CLASSES},
    "auto_most": _between(1, MOST_RETRIES),
    "retention_days": _between(1, MOST_DAYS),
    "may_fix": _one_of(FIXERS),
    "may_bulk": _one_of(BULK_FIXERS),
}
