"""What is no longer needed: the content of settled messages, then the messages themselves.

Each question finds what is due by an index, so that an hour with little to do costs little, however much is kept.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from canvas.domain.ids import first_id
from canvas.domain.message import Status
from canvas.store.bulk import DRAFT
from canvas.store.tables import (
    actions,
    alert_events,
    bulk_jobs,
    erased,
    messages,
    settled_with_content,
    unknown_reasons,
)

LOT = 500  # rows in one transaction, so that nobody waits long for the lock
_LEAVING = [str(Status.QUEUED), str(Status.SENDING)]


def drop_content(conn: Connection, before: datetime) -> int:
    """Drop text, variables, links and preview of up to LOT messages that no fix may need any more.

    That is a message somebody handled, or one that settled before that time and was not left open. The words
    of the failure stay.
    """
    handled = messages.c.handled_at.is_not(None)
    found = _with_content(conn, handled, messages.c.handled_at, LOT)
    old = ~handled & (messages.c.updated_at < before)
    found += _with_content(conn, old, messages.c.updated_at, LOT - len(found))
    by_template: dict[str | None, list[str]] = defaultdict(list)
    for id_, template_id in found:
        by_template[template_id].append(id_)
    for template_id, ids in by_template.items():
        kept = {"template_id": template_id} if template_id else {}
        change = update(messages).where(messages.c.id.in_(ids))
        conn.execute(change.values(content=kept, preview=None, content_dropped=True))
    return len(found)


def _with_content(
    conn: Connection, due: ColumnElement[bool], since: ColumnElement[datetime], limit: int
) -> list[tuple[str, str | None]]:
    """Ids and templates of settled messages whose content is due, unless their fix may still be undone."""
    query = select(messages.c.id, messages.c.template_id).where(settled_with_content, due, ~_fix_leaves())
    return [(row.id, row.template_id) for row in conn.execute(query.order_by(since).limit(limit))]


def _fix_leaves() -> ColumnElement[bool]:
    """Whether a fix of the message is leaving, or waits and may still be undone."""
    child = messages.alias("child")
    waits = (child.c.parent_id == messages.c.id) & child.c.status.in_(_LEAVING)
    return select(child.c.id).where(waits).exists()


def remove(conn: Connection, install_id: int | None, before: datetime) -> int:
    """Remove up to LOT messages made before that time, with all deeds about them.

    Those of one install, or of all; none that is leaving now, nor one whose fix is or may still be undone. What is
    being written just now is left to the next purge: a message is held before its deeds, here as everywhere.
    """
    # Ids sort by time, so the oldest are found without reading the others.
    old = (messages.c.id < first_id("msg", before)) & messages.c.status.not_in(_LEAVING)
    query = select(messages.c.id).where(old, ~_fix_leaves()).order_by(messages.c.id).limit(LOT)
    if install_id is not None:
        query = query.where(messages.c.install_id == install_id)
    ids = list(conn.execute(query.with_for_update(skip_locked=True, of=messages)).scalars())
    conn.execute(delete(actions).where(actions.c.message_id.in_(ids)))
    return conn.execute(delete(messages).where(messages.c.id.in_(ids))).rowcount


def remove_other(conn: Connection, install_id: int | None, before: datetime, drafts_before: datetime) -> int:
    """Remove other finished deeds, bulk jobs, alerts, unnamed failure texts and erasures from before that time.

    Those of one install, or of all; dry runs go sooner.
    """

    def _gone(table: Any, where: ColumnElement[bool]) -> int:
        if install_id is not None:
            where = where & (table.c.install_id == install_id)
        return int(conn.execute(delete(table).where(where)).rowcount)

    # Deeds about a message went with it; one that came too late for that goes with those of all installs.
    others = (
        actions.c.message_id.is_(None) if install_id is not None else actions.c.id < first_id("act", before)
    )
    unnamed = unknown_reasons.c.reason.is_(None) & (unknown_reasons.c.last_at < before)
    dry_runs = (bulk_jobs.c.state == DRAFT) & (bulk_jobs.c.created_at < drafts_before)
    return (
        _gone(actions, others & (actions.c.finished_at < before))
        + _gone(unknown_reasons, unnamed)
        + _gone(bulk_jobs, or_(dry_runs, bulk_jobs.c.finished_at < before))  # their items go with them
        + _gone(alert_events, alert_events.c.created_at < before)
        + _gone(erased, erased.c.erased_at < before)
    )
