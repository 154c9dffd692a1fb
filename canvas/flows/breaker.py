"""A circuit breaker for each channel: while the channel itself keeps failing, nothing is sent on it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from sqlalchemy import Connection

from canvas.domain.message import Status
from canvas.flows.context import Flow
from canvas.store import channels, incidents
from canvas.store.incidents import Ended

FAILURES = 5  # in a row, all of the channel's own making, open the breaker


@dataclass(frozen=True, slots=True)
class Broken:
    """The reason of the newest failure, and the message that the row of failures began with."""

    reason: str
    since: str


def broken(conn: Connection, flow: Flow, install_id: int, channel_id: int) -> Broken | None:
    """Whether this channel's newest messages all failed for reasons of its own; None while it may be used.

    It closes by itself when a message gets through, or when an admin changes its key or says it is repaired.
    """
    channel = channels.get(conn, install_id, channel_id)
    newest = (e for e in incidents.recent(conn, install_id) if e.channel_id == channel_id)
    row = list(takewhile(lambda ended: _channels_own(flow, ended), newest))
    if channel is None or len(row) < FAILURES or channel.changed_at > max(e.ended_at for e in row):
        return None
    return Broken(row[0].reason or "", row[-1].id)


def _channels_own(flow: Flow, ended: Ended) -> bool:
    reason = flow.catalogue.reasons.get(ended.reason or "")
    return ended.status is Status.FAILED and reason is not None and reason.category == "channel"
