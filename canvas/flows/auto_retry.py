"""The worker's part of the automatic retry: the plain retry is pressed as a person would press it."""

from __future__ import annotations

from sqlalchemy import Connection

from canvas.domain import settings
from canvas.domain.fixes import PLAIN_RETRY, offered
from canvas.domain.message import Message
from canvas.flows import fix as fixing
from canvas.flows.breaker import broken
from canvas.flows.context import Flow
from canvas.flows.fix_tokens import FixToken
from canvas.flows.look import MessageContext, person_of
from canvas.flows.retry_policy import POLICY
from canvas.store import actions, installs, messages
from canvas.store.actions import Action
from canvas.store.database import reading, writing
from canvas.store.installs import Install


def carry_out(flow: Flow, action: Action) -> None:
    """Press the plain retry as a person would, if it is still offered: the same rules, and the same one child."""
    with reading(flow.engine) as conn:
        install = installs.get(conn, action.install_id)
        message = messages.get(conn, action.install_id, action.message_id or "")
        token = _token(conn, flow, install, message) if install and message else None
    said = "It is not offered any more."
    if install and message and token:
        clicked = fixing.click(flow, install, token, None, POLICY, person_of(message), patience=0)
        said = clicked.note or clicked.result
    with writing(flow.engine) as conn:
        actions.finish(conn, action, actions.DONE, flow.clock(), {"said": said})


def _token(conn: Connection, flow: Flow, install: Install, message: Message) -> FixToken | None:
    """The plain retry among what is offered now; None when the policy was switched off, or the channel is broken."""
    policy = settings.read(install.settings)
    if install.status != installs.ACTIVE or policy.retry_after(message.reason or "") is None:
        return None
    if message.channel_id is not None and broken(conn, flow, install.id, message.channel_id):
        return None  # it would only fail like the last five
    situation = MessageContext.read(conn, flow, install, person_of(message)).situation(conn, message)
    fix = next((f for f in offered(situation) if f.id in PLAIN_RETRY and f.enabled), None)
    return FixToken(install.id, message.id, fix.id, fix.target, message.version) if fix else None
