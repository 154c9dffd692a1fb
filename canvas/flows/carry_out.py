"""Carrying out actions: claim what is due, do it, write down how it went. Only the worker comes here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from canvas.domain import action_kinds as kinds
from canvas.domain.schedule import OTHER_TRIES, backoff
from canvas.flows import (
    alerts,
    auto_retry,
    bulk,
    chores,
    contact_properties,
    discovery,
    incidents,
    insights,
    intercom_events,
    polling,
    sending,
    timeline,
    workflow,
)
from canvas.flows.context import Flow
from canvas.store import actions, messages
from canvas.store.actions import Action
from canvas.store.database import reading, writing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind of action is done.

    `endless` ones end by what they find, or never: given up for trouble of ours, nobody would ever begin them again.
    What `looked_for` ones wrote may be there when they are done again, and HubSpot's search must know of it by then.
    """

    run: Callable[[Flow, Action], None]
    endless: bool = False
    looked_for: bool = False


HANDLERS: dict[str, Handler] = {
    kinds.SEND: Handler(sending.send, endless=True),
    kinds.BULK: Handler(bulk.carry_on, endless=True),
    kinds.WATCH: Handler(incidents.watch, endless=True),
    kinds.TALLY: Handler(insights.tally, endless=True),
    kinds.ALERT: Handler(alerts.deliver, looked_for=True),
    kinds.POLL: Handler(polling.poll, endless=True),
    kinds.RECONCILE: Handler(polling.reconcile),
    kinds.LET_GO: Handler(polling.let_go, endless=True),
    kinds.DISCOVER: Handler(discovery.discover, endless=True),
    kinds.TEMPLATES: Handler(chores.list_templates, endless=True),
    kinds.WRITE_PHONE: Handler(chores.write_phone),
    kinds.ASK_ADMIN: Handler(chores.ask_admin),
    kinds.TIMELINE: Handler(timeline.write, looked_for=True),
    kinds.CONTACT_PROPERTIES: Handler(contact_properties.write),
    kinds.TIMELINE_UPDATE: Handler(timeline.rewrite),
    kinds.CALLBACK: Handler(workflow.complete, endless=True),
    kinds.INTERCOM_EVENT: Handler(intercom_events.carry_out),
    kinds.AUTO_RETRY: Handler(auto_retry.carry_out),
}


def carry_out(flow: Flow, action_id: str) -> bool:
    """Do one action if it is due and nobody else has it; says whether it was ours."""
    with writing(flow.engine) as conn:
        action = actions.claim(conn, action_id, flow.clock())
    if action is None:
        return False
    log.info("action.begin", action=action.id, kind=action.kind, tries=action.tries)
    try:
        HANDLERS[action.kind].run(flow, action)
    except Exception:
        flow.counters.count("actions", action.kind, "broke")
        _hand_back(flow, action)
        raise
    flow.counters.count("actions", action.kind, "carried out")
    return True


def _hand_back(flow: Flow, action: Action) -> None:
    """After an error of ours: try later, and in the end give up what may be given up.

    A send knows by its status what had happened.
    """
    now = flow.clock()
    handler = HANDLERS.get(action.kind)  # none for a kind that only another version knows
    due = backoff(action.tries, now)
    if handler and handler.looked_for:
        due = max(due, now + timeline.INDEXED_AFTER)
    endless = handler is not None and handler.endless
    with writing(flow.engine) as conn:
        if endless and _about_nothing(conn, action):
            actions.forget(conn, action)
        elif endless or action.tries < OTHER_TRIES:
            actions.again(conn, action, due)
        else:
            actions.finish(conn, action, actions.FAILED, now, {"error": "It kept failing here; see the log."})


def _about_nothing(conn: Connection, action: Action) -> bool:
    """Whether its message was purged or erased in the moment in which it was asked for."""
    return action.message_id is not None and messages.get(conn, action.install_id, action.message_id) is None


def sweep(flow: Flow, limit: int = 200) -> int:
    """Carry out whatever is due, whoever was to be woken for it; the number of actions done."""
    with reading(flow.engine) as conn:
        due = actions.due(conn, flow.clock(), limit)
    done = 0
    for action_id in due:
        try:
            done += carry_out(flow, action_id)
        except Exception:
            # One broken action must not keep the others waiting; it was handed back and is told in the log.
            log.exception("action.broke", action=action_id)
    return done
