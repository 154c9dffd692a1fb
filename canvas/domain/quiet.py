"""Quiet hours: when nobody is to be woken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from canvas.domain.dates import zone


def quiet_until(now: datetime, start: int | None, end: int | None, tz: str | None) -> datetime | None:
    """The end of the quiet hours that `now` lies in (whole local hours, over midnight too), or None."""
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(zone(tz) or UTC)
    inside = start <= local.hour < end if start < end else local.hour >= start or local.hour < end
    if not inside:
        return None
    over = local.replace(hour=end, minute=0, second=0, microsecond=0)
    return (over if over > local else over + timedelta(days=1)).astimezone(UTC)
