"""Whether a failed message is to be sent again by itself: passing reasons only, counted, never in a circle."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from canvas.domain import settings
from canvas.domain.action_kinds import AUTO_RETRY, action_key
from canvas.domain.fix import may_have_arrived
from canvas.domain.message import Actor, Message, callers_to_repeat
from canvas.knowledge.model import Reason
from canvas.store import actions, installs, messages

POLICY = Actor("policy", None, "Automatic retry")


def plan(conn: Connection, message: Message, reason: Reason, now: datetime) -> None:
    """After a failure: have it sent again later, if the install's policy wants that for this one."""
    install = installs.get(conn, message.install_id)
    if install is None or reason.retry != "transient" or message.keeps_failing:
        return
    if may_have_arrived(reason):
        return  # only a person may risk a second one
    if callers_to_repeat(message):
        return  # two that repeat, neither knowing of the other, are two messages to one person
    policy = settings.read(install.settings)
    wait = policy.retry_after(reason.id)
    if wait is None:
        return
    before = messages.thread(conn, install.id, message.thread_id)
    made = sum(1 for one in before if one.sender and one.sender.kind == POLICY.kind)
    parent = next((one for one in before if one.id == message.parent_id), None)
    if made >= policy.auto_most or (parent and parent.reason == message.reason):
        return
    key = action_key(AUTO_RETRY, message.id)
    actions.ensure(conn, install.id, AUTO_RETRY, key, now + wait, now, message_id=message.id)
