"""Keeping least data: the hourly purge. Run twice, the second time finds nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.flows.context import Flow
from canvas.store import audit, erasing, installs, rates, retention
from canvas.store.database import reading, writing
from canvas.store.installs import Install

log = structlog.get_logger()
CONTENT_KEPT = timedelta(days=3)  # after a message settled: for the agent who wants to read it once more
DRAFTS_KEPT = timedelta(days=1)  # dry runs of bulk jobs that nobody started


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge did, in rows."""

    contents: int
    messages: int
    other: int
    installs: int


def purge(flow: Flow) -> Purged:
    """Drop contents, messages, deeds, bulk jobs, alerts, audit lines and uninstalled tenants whose time is over."""
    now = flow.clock()
    contents = _in_lots(flow, lambda conn: retention.drop_content(conn, now - CONTENT_KEPT))
    with reading(flow.engine) as conn:
        tenants = installs.everyone(conn)
    erased = sum(_erase(flow, tenant) for tenant in tenants if _is_over(flow, tenant))
    removed, other = _remove(flow, None, flow.retention_days)
    for tenant in tenants:
        days = days_of(flow, tenant)
        if days < flow.retention_days:
            its_messages, its_other = _remove(flow, tenant.id, days)
            removed, other = removed + its_messages, other + its_other
    with writing(flow.engine) as conn:
        other += audit.forget_old(conn, now)
        other += rates.forget_full(conn, int(now.timestamp() * 1000))
    done = Purged(contents, removed, other, erased)
    log.info("purged", contents=contents, messages=removed, other=other, installs=erased)
    return done


def _remove(flow: Flow, install_id: int | None, days: int) -> tuple[int, int]:
    """Remove what is older than so many days, of one install or of all: messages, and other rows."""
    now = flow.clock()
    before = now - timedelta(days=days)
    removed = _in_lots(flow, lambda conn: retention.remove(conn, install_id, before))
    with writing(flow.engine) as conn:
        other = retention.remove_other(conn, install_id, before, max(before, now - DRAFTS_KEPT))
    return removed, other


def days_of(flow: Flow, tenant: Install) -> int:
    """The days messages are kept: what the install's admin chose, but never longer than the operator allows."""
    chosen = tenant.settings.get("retention_days")
    own = chosen if isinstance(chosen, int) and chosen > 0 else flow.retention_days
    return min(own, flow.retention_days)


def kept_since(flow: Flow, tenant: Install) -> datetime:
    """What was sent before is not taken in any more: the next purge would only remove it."""
    return flow.clock() - timedelta(days=days_of(flow, tenant))


def _is_over(flow: Flow, tenant: Install) -> bool:
    """Whether a tenant left, by an uninstall or a grant that was taken back, and its grace is over."""
    left = tenant.removed_at if tenant.status != installs.ACTIVE else None
    return left is not None and left < flow.clock() - flow.erase_after


def _erase(flow: Flow, tenant: Install) -> int:
    """Erase an uninstalled tenant, unless it came back meanwhile."""
    with writing(flow.engine) as conn:
        current = installs.get(conn, tenant.id)
        if current is None or not _is_over(flow, current):
            return 0
        erasing.install(conn, tenant.id)
    log.info("install.erased", install=tenant.public_id)
    return 1


def _in_lots(flow: Flow, step: Callable[[Connection], int]) -> int:
    """Repeat a step in transactions of its own until it does less than a lot."""
    total = 0
    while True:
        with writing(flow.engine) as conn:
            done = step(conn)
        total += done
        if done < retention.LOT:
            return total
