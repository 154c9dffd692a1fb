"""What is no longer needed: the content of settled messages, then the messages themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select, update

from canvas.domain.message import IN_FLIGHT, Status
from canvas.store.bulk import DRAFT
from canvas.store.tables import actions, alert_events, bulk_jobs, idempotency, messages, unknown_reasons

LOT = 500  # rows in one transaction, so that nobody waits long for the lock


def drop_content(conn: Connection, before: datetime) -> int:
    """Drop text, variables, links and preview of up to LOT messages that no fix may need any more.

    That is a message somebody handled, or one that settled before that time and was not left open. The words
    of the failure stay.
    """
    child = messages.alias("child")
    waiting = child.c.status.in_([str(Status.QUEUED), str(Status.SENDING)])
    undoable = select(child.c.id).where(child.c.parent_id == messages.c.id, waiting).exists()
    busy = messages.c.status.in_([str(s) for s in IN_FLIGHT])
    query = (
        select(messages.c.id, messages.c.template_id)
        .where(messages.c.content_dropped.is_(False), messages.c.open.is_(False))
        .where(or_(messages.c.handled_at.is_not(None), messages.c.updated_at < before))
        .where(~busy, ~undoable)
        .limit(LOT)
    )
    found = [
        {"id_": row.id, "content": {"template_id": row.template_id} if row.template_id else {}}
        for row in conn.execute(query)
    ]
    if found:
        change = update(messages).where(messages.c.id == bindparam("id_"))
        conn.execute(change.values(content=bindparam("content"), preview=None, content_dropped=True), found)
    return len(found)


def remove(conn: Connection, install_id: int, before: datetime) -> int:
    """Remove up to LOT messages made before that time, with all deeds about them; none that is leaving now."""
    leaving = messages.c.status.in_([str(Status.QUEUED), str(Status.SENDING)])
    old = (messages.c.install_id == install_id) & (messages.c.created_at < before) & ~leaving
    # Ids sort by time, so the oldest are found without reading the others.
    ids = [
        id_ for (id_,) in conn.execute(select(messages.c.id).where(old).order_by(messages.c.id).limit(LOT))
    ]
    for table in (actions, idempotency):
        conn.execute(delete(table).where(table.c.install_id == install_id, table.c.message_id.in_(ids)))
    return conn.execute(
        delete(messages).where(messages.c.install_id == install_id, messages.c.id.in_(ids))
    ).rowcount


def remove_other(conn: Connection, install_id: int, before: datetime, drafts_before: datetime) -> int:
    """Remove finished deeds and bulk jobs, alerts and unnamed failure texts from before that time; dry runs sooner."""

    def _gone(table: Any, where: ColumnElement[bool]) -> int:
        return int(conn.execute(delete(table).where(table.c.install_id == install_id, where)).rowcount)

    unnamed = unknown_reasons.c.reason.is_(None) & (unknown_reasons.c.last_at < before)
    dry_runs = (bulk_jobs.c.state == DRAFT) & (bulk_jobs.c.created_at < drafts_before)
    return (
        _gone(actions, actions.c.finished_at < before)
        + _gone(unknown_reasons, unnamed)
        + _gone(bulk_jobs, or_(dry_runs, bulk_jobs.c.finished_at < before))  # their items go with them
        + _gone(alert_events, alert_events.c.created_at < before)
    )
