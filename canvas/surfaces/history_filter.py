"""What somebody asks the history for, from a query string: a filter, or one sentence about what makes no sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from canvas.domain.dates import zone
from canvas.domain.fix import CHANNEL_NAMES
from canvas.knowledge.catalogue import Catalogue
from canvas.store.history import ATTENTION, STATES, Filter

NAMES = ("state", "reason", "category", "channel", "template", "sender", "contact", "since", "until", "q")
STATE_LABELS = {
    ATTENTION: "Needs a look",
    "failed": "Failed",
    "unsure": "Not sure it was sent",
    "waiting": "Waiting for delivery",
    "arrived": "Delivered or read",
    "undone": "Undone",
}
CATEGORIES = {
    "recipient": "The person and their number",
    "channel": "The channel and the account",
    "template": "The template and the content",
    "provider": "The provider and the network",
    "unknown": "Not known",
}
LONGEST = 200
CURSOR = re.compile(r"msg_[0-9a-z]{26}")
NUMBER = re.compile(r"\+?[\d\s().\-/]+")


class BadFilter(Exception):
    """The filter cannot be understood; the message says which part and what to enter instead."""


SHORTEST_NUMBER = 7  # digits; a code has fewer


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter, the fields as they were filled in, and the place in the list."""

    filter: Filter
    values: dict[str, str]
    before: str | None = None
    after: str | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.values)

    @property
    def says_words(self) -> bool:
        """Whether what is searched for can be the words or the code of a failure, and is no phone number."""
        asked = self.values.get("q", "")
        return any(map(str.isalpha, asked)) or 0 < sum(map(str.isdigit, asked)) < SHORTEST_NUMBER

    def query(self, **more: str | None) -> str:
        """The query string that asks the same, at another place."""
        return urlencode({**self.values, **{k: v for k, v in more.items() if v}})


def given(args: Mapping[str, str]) -> dict[str, str]:
    """The fields that hold something."""
    return {name: value for name in NAMES if (value := args.get(name, "").replace("\x00", "").strip())}


def read(args: Mapping[str, str], catalogue: Catalogue, tz: str | None) -> Asked:
    """The filter of a query string. Raises BadFilter."""
    values = given(args)
    if any(len(value) > LONGEST for value in values.values()):
        raise BadFilter(f"A filter takes at most {LONGEST} characters. Shorten what you look for.")
    known = {"state": [ATTENTION, *STATES], "reason": catalogue.reasons, "category": CATEGORIES}
    for name, allowed in {**known, "channel": CHANNEL_NAMES}.items():
        if values.get(name) and values[name] not in allowed:
            raise BadFilter(f"There is no {name} called “{values[name]}”. Choose one from the list.")
    since, until = _day(values, "since"), _day(values, "until")
    if since and until and since > until:
        raise BadFilter("The first day is after the last day. Swap them.")
    found = Filter(
        **{n: values.get(n, "") for n in NAMES[:7]},
        since=_midnight(since, tz) if since else None,
        until=_midnight(until + timedelta(days=1), tz) if until else None,
        **_search(values.get("q", "")),
    )
    return Asked(found, values, _cursor(args, "before"), _cursor(args, "after"))


def _cursor(args: Mapping[str, str], name: str) -> str | None:
    value = args.get(name, "")
    if value and not CURSOR.fullmatch(value):
        raise BadFilter("This link does not lead to a page of the list. Begin again at the newest.")
    return value or None


def _day(values: Mapping[str, str], name: str) -> date | None:
    if name not in values:
        return None
    try:
        found = date.fromisoformat(values[name])
    except ValueError:
        found = None
    # No message is from another year, and time zones do not reach the first and the last year there is.
    if found is None or not 2000 <= found.year <= 2100:
        words = f"“{values[name]}” is not a date. Enter it as year, month and day, such as 2026-11-23."
        raise BadFilter(words)
    return found


def _midnight(day: date, tz: str | None) -> datetime:
    return datetime.combine(day, time(), zone(tz) or UTC).astimezone(UTC)


def _search(words: str) -> dict[str, str]:
    """What the one search field means: a number, an id, or words of the text."""
    if not words:
        return {}
    digits = re.sub(r"\D", "", words)
    if NUMBER.fullmatch(words) and digits:
        if len(digits) < 4:
            raise BadFilter("Enter at least the last four digits of a number.")
        if words.startswith("+"):
            return {"number": f"+{digits}"}
        return {"number": digits.removeprefix("00"), "ident": digits}
    if " " not in words and any(c.isdigit() for c in words) and len(words) >= 10:
        return {"ident": words}
    return {"words": words}
