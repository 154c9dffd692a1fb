"""Diagnosing for an install: the catalogue first, then what its admin taught it; what nobody knows is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from canvas.domain.message import ARRIVED, Message
from canvas.flows import insights
from canvas.flows.context import Flow
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Candidate, Diagnosis, Evidence
from canvas.knowledge.shape import shape, shape_hash
from canvas.store import messages, opt_outs, unknown
from canvas.store.database import reading, writing

MAX_EXAMPLE = 2000
BATCH = 500
LOOK_BACK = 100  # messages to one line; after an opt-out few are sent


class NoSuch(Exception):
    """There is no such shape or reason; the message says what to do."""


def diagnose_for(
    conn: Connection, flow: Flow, install_id: int, evidence: Evidence, now: datetime, *, counted: bool = True
) -> Diagnosis:
    """The diagnosis of `evidence` in this install. A text nobody knows is counted by its shape."""
    found = diagnose(evidence)
    text = evidence.text.strip()
    if found.reason != UNKNOWN or not text:
        return found
    key = shape_hash(text)
    taught = unknown.named(conn, install_id, key)
    if counted:
        example = text[:MAX_EXAMPLE].replace("\x00", "")
        unknown.count(conn, install_id, key, shape(example), example, evidence.channel or "", now)
    return as_taught(flow, taught, text) if taught in flow.catalogue.reasons else found


def as_taught(flow: Flow, reason_id: str | None, text: str) -> Diagnosis:
    """What an admin said this text means. It is theirs to be sure of, so it counts as certain."""
    reason = flow.catalogue.reasons[reason_id or UNKNOWN]
    return Diagnosis(
        reason=reason.id,
        category=reason.category,
        retry=reason.retry,
        confidence=1.0,
        matched=text,
        candidates=(Candidate(reason.id, 1.0, text),),
        fixes=reason.fixes,
    )


def listed(flow: Flow, install_id: int) -> list[unknown.UnknownReason]:
    with reading(flow.engine) as conn:
        return unknown.listed(conn, install_id)


def name(flow: Flow, install_id: int, key: str, reason_id: str) -> int:
    """Teach this install what a shape means, and re-read its messages; how many changed. Raises NoSuch."""
    if reason_id not in flow.catalogue.reasons:
        raise NoSuch(f"There is no reason {reason_id}. /reasons lists those there are.")
    with writing(flow.engine) as conn:
        before = unknown.named(conn, install_id, key)
        if not unknown.name(conn, install_id, key, None if reason_id == UNKNOWN else reason_id):
            raise NoSuch(f"There is no unknown text {key} in this install.")
    return rediagnose(flow, install_id, only=(UNKNOWN, before or UNKNOWN, reason_id))


def rediagnose(flow: Flow, install_id: int, only: tuple[str, ...] = ()) -> int:
    """Read stored evidence again with today's catalogue; how many messages now have another diagnosis."""
    changed, after = 0, ""
    while True:
        with writing(flow.engine) as conn:
            found = messages.failed_after(conn, install_id, after, BATCH, only)
            changed += sum(_read_again(conn, flow, message) for message in found)
        if len(found) < BATCH:
            break
        after = found[-1].id
    if changed:
        with writing(flow.engine) as conn:
            insights.recount(conn, flow, install_id)
    return changed


def _read_again(conn: Connection, flow: Flow, message: Message) -> bool:
    """Diagnose one message anew, and remember or forget that its person opted out; whether it was changed."""
    evidence = message.failure or Evidence(channel=message.channel)
    fresh = diagnose_for(conn, flow, message.install_id, evidence, flow.clock(), counted=False)
    if fresh == message.diagnosis:
        return False
    changed = messages.save(conn, replace(message, diagnosis=fresh), flow.clock())
    was, now_is = message.reason == OPTED_OUT, fresh.reason == OPTED_OUT
    if now_is and not was:
        remember_opt_out(conn, message)
    elif changed and was and not now_is and opt_outs.take_back(conn, message):
        said = (one for one in _line_of(conn, message) if one.reason == OPTED_OUT and one.failure_raw)
        if another := next(said, None):
            remember_opt_out(conn, another)
    return changed


def _line_of(conn: Connection, message: Message) -> list[Message]:
    """The messages to the same line on the same channel, newest first."""
    return messages.newest_to(conn, message.install_id, message.channel, message.to or "", LOOK_BACK)


def remember_opt_out(conn: Connection, message: Message) -> None:
    """Remember an opt-out as of when it was told, unless what was sent since shows that the person opted in again."""
    at = message.failed_at or message.updated_at
    line = _line_of(conn, message)
    if not any(one.status in ARRIVED and one.source != "track" and one.created_at > at for one in line):
        opt_outs.add(conn, message, at)


def contribution(flow: Flow, install_id: int) -> list[dict[str, object]]:
    """What this install taught itself, ready to be given to the catalogue: an example for each named shape."""
    return [
        {"reason": row.reason, "text": row.shape, "channel": row.channel or None, "seen": row.count}
        for row in listed(flow, install_id)
        if row.reason
    ]
