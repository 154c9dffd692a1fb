"""Counting the days of an install, so that its insights cost the same however many messages there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from canvas.domain.action_kinds import TALLY, action_key
from canvas.domain.dates import zone
from canvas.flows.context import Flow
from canvas.flows.retention import days_of
from canvas.store import actions, insights, installs
from canvas.store.actions import Action
from canvas.store.database import reading, writing
from canvas.store.installs import Install

EVERY = timedelta(minutes=5)
SOON = timedelta(seconds=1)  # while old days are still to be counted
LIVE_DAYS = 3  # days whose messages may still change: waiting for a status ends after 24 hours
BACK_DAYS = 92  # days that are counted when they never were
RANK_DAYS = 90  # days whose fixes decide which fix is offered first
CHUNK = 10  # old days counted in one turn


def keep_counting(flow: Flow) -> None:
    """See to it that every active install is counted."""
    now = flow.clock()
    with reading(flow.engine) as conn:
        active = [i.id for i in installs.everyone(conn) if i.status == installs.ACTIVE]
        states = actions.states(conn, TALLY)
    for install_id in active:
        key = action_key(TALLY, install_id)
        if states.get(key) not in (actions.DUE, actions.RUNNING):
            with writing(flow.engine) as conn:
                actions.restart(conn, install_id, TALLY, key, now)


def tally(flow: Flow, action: Action) -> None:
    """The worker's deed: count the last days anew and old ones that never were, then come back in a while."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = installs.get(conn, action.install_id)
        if install is None or install.status != installs.ACTIVE:
            actions.forget(conn, action)
            return
    days, more = _days(flow, install, now)
    kept_since = now - timedelta(days=days_of(flow, install))
    for day in days:
        since, until = bounds(day, install.tz)
        with writing(flow.engine) as conn:
            purged = since < kept_since
            insights.count_day(conn, install.id, day.isoformat(), since, until, purged=purged)
    due = now + (SOON if more else EVERY)
    with writing(flow.engine) as conn:
        scores = _scores(conn, install, now)
        if scores != install.fix_scores:
            insights.keep_scores(conn, install.id, scores)
        actions.repeat(conn, action, due)
    flow.wake(action.id, due)


def today(now: datetime, tz: str | None) -> date:
    """The date it is for the workspace."""
    return now.astimezone(zone(tz) or UTC).date()


def bounds(day: date, tz: str | None) -> tuple[datetime, datetime]:
    """The first moment of a local day, and of the next."""
    here = zone(tz) or UTC
    begin, end = (datetime.combine(d, time(), here).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    return begin, end


def _days(flow: Flow, install: Install, now: datetime) -> tuple[list[date], bool]:
    """The days of this turn, and whether there are more."""
    last = today(now, install.tz)
    live = [last - timedelta(days=i) for i in range(LIVE_DAYS)]
    first = max(last - timedelta(days=BACK_DAYS), _began(flow, install))
    with reading(flow.engine) as conn:
        counted = insights.days_counted(conn, install.id, first.isoformat())
    old = (last - timedelta(days=i) for i in range(LIVE_DAYS, (last - first).days + 1))
    missing = [day for day in old if day.isoformat() not in counted]
    return [*live, *missing[:CHUNK]], len(missing) > CHUNK


def _began(flow: Flow, install: Install) -> date:
    """The day of the oldest message that is still kept."""
    with reading(flow.engine) as conn:
        oldest = insights.oldest(conn, install.id)
    return today(oldest or flow.clock(), install.tz)


def _scores(conn: Connection, install: Install, now: datetime) -> dict[str, dict[str, list[int]]]:
    since = today(now, install.tz) - timedelta(days=RANK_DAYS)
    scores: dict[str, dict[str, list[int]]] = {}
    for reason, fix, tried, worked in insights.fix_results(conn, install.id, since.isoformat()):
        scores.setdefault(reason, {})[fix] = [tried, worked]
    return scores


def recount(conn: Connection, flow: Flow, install_id: int, *zones: str | None) -> None:
    """Have every day whose messages are all kept counted anew: their reasons were read differently, or days began
    and ended in other time zones before (`zones`)."""
    now = flow.clock()
    install = installs.get(conn, install_id)
    oldest = insights.oldest(conn, install_id)
    if install and oldest:
        # More was counted of the day that the purge is in than is left of it.
        whole = max(oldest, now - timedelta(days=days_of(flow, install) - 1))
        first = min(today(whole, tz) for tz in (install.tz, *zones))
        insights.forget_from(conn, install_id, first.isoformat())
        actions.hasten(conn, install_id, action_key(TALLY, install_id), now)
