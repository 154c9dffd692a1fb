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
    removed = other = erased = 0
    with reading(flow.engine) as conn:
        tenants = installs.everyone(conn)
    for tenant in tenants:
        if _is_over(flow, tenant):
            erased += _erase(flow, tenant)
            continue
        before = now - timedelta(days=days_of(flow, tenant))
        removed += _remove(flow, tenant.id, before)
        with writing(flow.engine) as conn:
            other += retention.remove_other(conn, tenant.id, before, max(before, now - DRAFTS_KEPT))
    with writing(flow.engine) as conn:
        other += audit.forget_old(conn, now)
        other += rates.forget_full(conn, int(now.timestamp() * 1000))
    done = Purged(contents, removed, other, erased)
    log.info("purged", contents=contents, messages=removed, other=other, installs=erased)
    return done


def days_of(flow: Flow, tenant: Install) -> int:
    """The days messages are kept: what the install's admin chose, but never longer than the operator allows."""
    chosen = tenant.settings.get("retention_days")
    own = chosen if isinstance(chosen, int) and chosen > 0 else flow.retention_days
    return min(own, flow.retention_days)


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


def _remove(flow: Flow, install_id: int, before: datetime) -> int:
    return _in_lots(flow, lambda conn: retention.remove(conn, install_id, before))


def _in_lots(flow: Flow, step: Callable[[Connection], int]) -> int:
    """Repeat a step in transactions of its own until it does less than a lot."""
    total = 0
    while True:
        with writing(flow.engine) as conn:
            done = step(conn)
        total += done
        if done < retention.LOT:
            return total
