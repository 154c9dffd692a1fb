"""Intercom tells of contacts merged and deleted, and of workspaces that leave. All may come twice and late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from canvas.domain.action_kinds import INTERCOM_EVENT, action_key
from canvas.flows import erase
from canvas.flows.context import Flow
from canvas.flows.intercom_access import INTERCOM
from canvas.store import actions, audit, channels, installs, people, teammates
from canvas.store.actions import Action
from canvas.store.database import reading, writing

log = structlog.get_logger()
MERGED = "contact.merged"
DELETED = frozenset({"contact.deleted", "contact.user.deleted", "contact.lead.deleted"})
RECONNECT = "REINSTALL_CTA"


@dataclass(frozen=True, slots=True)
class Event:
    """What we keep of a notification: who it is about, and for a merge the record that is gone."""

    workspace: str
    id: str
    topic: str
    contact: str
    merged_from: str = ""


def store(flow: Flow, event: Event) -> None:
    """Keep an event for the worker, once; those that ask nothing of us are not kept."""
    if event.topic != MERGED and event.topic not in DELETED:
        return
    now = flow.clock()
    key = action_key(INTERCOM_EVENT, event.workspace, event.id)
    payload = {"topic": event.topic, "contact": event.contact, "merged_from": event.merged_from}
    with writing(flow.engine) as conn:
        install = installs.find(conn, "intercom", event.workspace)
        if install is None:
            return
        actions.ensure(conn, install.id, INTERCOM_EVENT, key, now, now, payload=payload)
        stored = actions.by_key(conn, install.id, key)
    if stored and stored.under_way(now):
        flow.wake(stored.id, now)


def carry_out(flow: Flow, action: Action) -> None:
    """The worker's part: messages follow a merged contact, and a deleted one is erased here too."""
    topic, contact = str(action.payload["topic"]), str(action.payload["contact"])
    now = flow.clock()
    with writing(flow.engine) as conn:
        if topic == MERGED:
            gone = str(action.payload["merged_from"])
            touched = people.move(conn, action.install_id, [gone], contact) if gone and contact else 0
            if touched:
                audit.write(conn, action.install_id, now, INTERCOM, topic, result=str(touched))
            actions.finish(conn, action, actions.DONE, now, {"messages": touched})
        else:
            touched = erase.contact(conn, flow, action.install_id, contact, INTERCOM) if contact else 0
            actions.forget(conn, action)  # its row names the contact, who is to be named nowhere
    log.info("intercom.contact", topic=topic, messages=touched)


def leave(flow: Flow, workspace: str) -> None:
    """The app was uninstalled: everybody's sessions end with its token."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = installs.find(conn, "intercom", workspace, hold=True)
        if install is None or install.status == installs.REMOVED:
            return
        installs.let_go(conn, install.id, installs.REMOVED, now)
        teammates.end_sessions_of(conn, install.id)
        audit.write(conn, install.id, now, INTERCOM, "install.uninstalled", install.public_id)
    log.info("intercom.uninstalled", install=install.public_id)


def health(flow: Flow, workspace: str, settings_url: str) -> Mapping[str, Any]:
    """How a workspace stands, as Intercom wants to be told ("Installation health check")."""
    with reading(flow.engine) as conn:
        install = installs.find(conn, "intercom", workspace)
        connected = channels.of_install(conn, install.id) if install else []
    if install is None or install.status != installs.ACTIVE:
        words = "Redeliver is not connected to this workspace any more. Connect it again."
        return {"state": "UNHEALTHY", "message": words, "cta_type": RECONNECT}
    if not connected:
        words = "No Octopods channel is connected, so no failed message can be shown. Connect one."
        way_on = {"cta_type": "URL_CTA", "cta_label": "Open settings", "cta_url": settings_url}
        return {"state": "UNHEALTHY", "message": words, **way_on}
    return {"state": "OK"}
