"""Choosing a fix without a person at hand: only what needs no input, and sends."""

from __future__ import annotations

from collections.abc import Sequence

from canvas.domain.fix import Fix, may_have_arrived
from canvas.knowledge.model import Reason

SAME = ("retry_now", "retry_later", "reformat_phone")
WISHES = ("best", "same", "sms")


def choose(fixes: Sequence[Fix], wish: str, reason: Reason) -> Fix | None:
    """The best fix that a workflow may take: `same` keeps the channel, `sms` changes it, `best` takes the first.

    What may have arrived is for a person to judge, who can ask the recipient first.
    """
    if may_have_arrived(reason):
        return None
    possible = [fix for fix in fixes if fix.enabled and fix.kind == "one_click" and fix.sends]
    if wish == "same":
        possible = [fix for fix in possible if fix.id in SAME]
    elif wish == "sms":
        possible = [fix for fix in possible if fix.id == "send_other_channel" and "SMS" in fix.label]
    return possible[0] if possible else None
