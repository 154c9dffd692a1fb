"""When a vendor that said "too many requests" may be asked again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DEFAULT_WAIT = timedelta(seconds=60)
LONGEST_WAIT = timedelta(hours=24)

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: ?UTC|Z|[+-]\d\d:?\d\d)?")
_EPOCH = re.compile(r"(?<![\d.+-])(\d{10}|\d{13})(?![\d-])")
_SECONDS = re.compile(
    r"retry[_ -]?(?:after|in)[\"']?\s*[:=]?\s*[\"']?(\d{1,5})(?:\.\d+)?(?![\d:T-])", re.IGNORECASE
)


def retry_at(
    headers: Mapping[str, str], body: str, now: datetime, default: timedelta = DEFAULT_WAIT
) -> datetime:
    """The moment to try again: `Retry-After`, else the latest plausible time named in the body, else
    `default`.

    Octopods' error articles promise "a retry timestamp" without its field or format, so ISO 8601 and epoch
    seconds or milliseconds are found anywhere. A time in the past is not believed, nor one more than a day ahead that
    a body names; a header that clearly asks for longer gets the longest wait, which is a day.
    """
    header = [at for at in _from_header(headers.get("Retry-After", ""), now) if at > now]
    if header:
        return min(header[0], now + LONGEST_WAIT)
    return max((at for at in _from_body(body[:4096], now) if _sane(at, now)), default=now + default)


def _sane(at: datetime, now: datetime) -> bool:
    return now < at <= now + LONGEST_WAIT


def _from_header(value: str, now: datetime) -> Iterator[datetime]:
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", value):
        yield now + timedelta(seconds=float(value))
        return
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        yield from _from_body(value, now)
        return
    yield at if at.tzinfo else at.replace(tzinfo=UTC)


def _from_body(text: str, now: datetime) -> Iterator[datetime]:
    for found in _ISO.findall(text):
        yield from _iso(found)
    for digits in _EPOCH.findall(text):
        yield datetime.fromtimestamp(int(digits) / (1000 if len(digits) == 13 else 1), UTC)
    for seconds in _SECONDS.findall(text):
        yield now + timedelta(seconds=int(seconds))


def _iso(text: str) -> Iterator[datetime]:
    try:
        at = datetime.fromisoformat(text.replace(" UTC", "Z").replace("UTC", "Z"))
    except ValueError:
        return  # looked like a date and is none, such as month 13
    yield at if at.tzinfo else at.replace(tzinfo=UTC)
