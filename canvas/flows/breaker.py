"""When a channel itself keeps failing, nothing sends on it by itself any more: each try only fails like the last."""

from __future__ import annotations

from sqlalchemy import Connection

from canvas.domain.message import Status
from canvas.domain.pattern import LOOKED_AT
from canvas.flows.context import Flow
from canvas.store import channels, messages

FAILURES = 5  # in a row, all of the channel's own making, open the breaker


def broken(conn: Connection, flow: Flow, install_id: int, channel_id: int) -> str | None:
    """The reason for which this channel's newest messages all failed, or None while it may be used.

    It closes by itself when a message gets through, or when the channel's key is changed.
    """
    recent = messages.recent_outcomes(conn, install_id, LOOKED_AT)
    newest = [outcome for outcome in recent if outcome.channel_id == channel_id][:FAILURES]
    channel = channels.get(conn, install_id, channel_id)
    if len(newest) < FAILURES or channel is None:
        return None
    if not all(o.status is Status.FAILED and _channels_own(flow, o.reason) for o in newest):
        return None
    failed_at = messages.last_failure(conn, install_id, channel_id)
    if failed_at and channel.changed_at > failed_at:
        return None
    return newest[0].reason


def _channels_own(flow: Flow, reason_id: str | None) -> bool:
    reason = flow.catalogue.reasons.get(reason_id or "")
    return reason is not None and reason.category == "channel"
