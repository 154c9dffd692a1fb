"""Carrying out actions: claim what is due, do it, write down how it went. Only the worker comes here."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from canvas.domain.action_kinds import (
    ALERT,
    ASK_ADMIN,
    AUTO_RETRY,
    BULK,
    CALLBACK,
    CONTACT_PROPERTIES,
    DISCOVER,
    INTERCOM_EVENT,
    LET_GO,
    POLL,
    RECONCILE,
    SEND,
    TALLY,
    TEMPLATES,
    TIMELINE,
    TIMELINE_UPDATE,
    WATCH,
    WRITE_PHONE,
)
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
from canvas.store import actions
from canvas.store.actions import Action
from canvas.store.database import reading, writing

log = structlog.get_logger()
Deed = Callable[[Flow, Action], None]

DEEDS: dict[str, Deed] = {
    SEND: sending.send,
    BULK: bulk.carry_on,
    WATCH: incidents.watch,
    TALLY: insights.tally,
    ALERT: alerts.deliver,
    POLL: polling.poll,
    RECONCILE: polling.reconcile,
    LET_GO: polling.let_go,
    DISCOVER: discovery.discover,
    TEMPLATES: chores.list_templates,
    WRITE_PHONE: chores.write_phone,
    ASK_ADMIN: chores.ask_admin,
    TIMELINE: timeline.write,
    CONTACT_PROPERTIES: contact_properties.write,
    TIMELINE_UPDATE: timeline.rewrite,
    CALLBACK: workflow.complete,
    INTERCOM_EVENT: intercom_events.carry_out,
    AUTO_RETRY: auto_retry.carry_out,
}


# These end by what they find, or never. Given up for trouble of ours, nobody would ever begin them again.
ENDLESS = frozenset(
    {
        SEND,
        BULK,
        POLL,
        LET_GO,
        DISCOVER,
        TEMPLATES,
        CALLBACK,
        TALLY,
        WATCH,
    }
)
# What these wrote may be there when they are done again, and HubSpot's search must know of it by then.
LOOKED_FOR = frozenset({TIMELINE, ALERT})


def carry_out(flow: Flow, action_id: str) -> bool:
    """Do one action if it is due and nobody else has it; says whether it was ours."""
    with writing(flow.engine) as conn:
        action = actions.claim(conn, action_id, flow.clock())
    if action is None:
        return False
    log.info("action.begin", action=action.id, kind=action.kind, tries=action.tries)
    try:
        DEEDS[action.kind](flow, action)
    except Exception:
        flow.tally.count("actions", action.kind, "broke")
        _hand_back(flow, action)
        raise
    flow.tally.count("actions", action.kind, "carried out")
    return True


def _hand_back(flow: Flow, action: Action) -> None:
    """After an error of ours: try later, and in the end give up what may be given up.

    A send knows by its status what had happened.
    """
    now = flow.clock()
    due = backoff(action.tries, now)
    if action.kind in LOOKED_FOR:
        due = max(due, now + timeline.INDEXED_AFTER)
    with writing(flow.engine) as conn:
        if action.kind in ENDLESS or action.tries < OTHER_TRIES:
            actions.again(conn, action, due)
        else:
            actions.finish(conn, action, actions.FAILED, now, {"error": "It kept failing here; see the log."})


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
