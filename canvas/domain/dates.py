"""Dates as Intercom's review rules ask: `Jan 8, 2019 at 1:05PM`, absolute, in the reader's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=512)
def zone(name: str | None) -> ZoneInfo | None:
    """The time zone of that IANA name, or None when it is missing or unknown."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _local(moment: datetime, tz: str | None) -> tuple[datetime, str]:
    # Without a known zone the reader must be told which clock this is.
    known = zone(tz)
    return (moment.astimezone(known), "") if known else (moment.astimezone(UTC), " UTC")


def clock(moment: datetime, tz: str | None) -> str:
    """The time of day, `1:05PM`."""
    local, suffix = _local(moment, tz)
    return f"{local.hour % 12 or 12}:{local.minute:02d}{'AM' if local.hour < 12 else 'PM'}{suffix}"


def day(moment: datetime, tz: str | None) -> str:
    """The date, `Jan 8, 2019`."""
    local, _ = _local(moment, tz)
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}"


def when(moment: datetime, tz: str | None) -> str:
    """Date and time, `Jan 8, 2019 at 1:05PM`."""
    return f"{day(moment, tz)} at {clock(moment, tz)}"


def soon(moment: datetime, now: datetime, tz: str | None) -> str:
    """The clock time when it is today for the reader, else date and time."""
    return clock(moment, tz) if day(moment, tz) == day(now, tz) else when(moment, tz)


def at_soon(moment: datetime, now: datetime, tz: str | None) -> str:
    """`at 1:05PM` when it is today for the reader, else `on Jan 8, 2019 at 1:05PM`: to stand in a sentence."""
    return f"{'at' if day(moment, tz) == day(now, tz) else 'on'} {soon(moment, now, tz)}"


def at_or_on(moment: datetime, now: datetime, tz: str | None) -> str:
    """`at 1:05PM` when it is today for the reader, else `on Jan 8, 2019`: short enough for a button."""
    if day(moment, tz) == day(now, tz):
        return f"at {clock(moment, tz)}"
    return f"on {day(moment, tz)}"
