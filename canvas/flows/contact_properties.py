"""The real final outcome on the HubSpot contact, where lists and workflows can use it. Off unless switched on."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, Refused
from canvas.domain.action_kinds import CONTACT_PROPERTIES
from canvas.domain.message import Message
from canvas.domain.wording import LABELS
from canvas.flows import chores
from canvas.flows.context import Flow
from canvas.flows.hubspot_access import calling
from canvas.store import actions, messages, people
from canvas.store.actions import Action
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

SETTING = "contact_properties"
OUTCOME, REASON = "redeliver_last_outcome", "redeliver_last_failed_reason"
FAILED_AT, COUNT = "redeliver_last_failed_at", "redeliver_failed_messages"


def _definition(name: str, label: str, kind: str, field: str) -> dict[str, str]:
    group = "contactinformation"
    return {"name": name, "label": label, "type": kind, "fieldType": field, "groupName": group}


DEFINITIONS = (
    _definition(OUTCOME, "Last message: outcome", "string", "text"),
    _definition(REASON, "Last failed message: reason", "string", "text"),
    _definition(FAILED_AT, "Last failed message: when", "datetime", "date"),
    _definition(COUNT, "Failed messages", "number", "number"),
)


def news(conn: Connection, flow: Flow, install: Install, message: Message) -> None:
    """Have the contact's properties say how this person's messages stand, where the account wants that."""
    if install.settings.get(SETTING) and message.contact_id:
        now = flow.clock()
        key = f"properties:{message.id}:{message.version}"
        actions.ensure(conn, install.id, CONTACT_PROPERTIES, key, now, now, message_id=message.id)


def write(flow: Flow, action: Action) -> None:
    """Write what is true now; repeating it is harmless."""
    install = chores.install_of(flow, action)
    with reading(flow.engine) as conn:
        message = messages.get(conn, install.id, action.message_id or "")
        contact_id = message.contact_id if message else None
        values = _values(conn, flow, install, contact_id) if contact_id else {}
    try:
        if contact_id:
            _written(flow, install, contact_id, values)
    except (CallFailed, CannotOpen) as error:
        chores.failed(flow, action, error)
    else:
        chores.finish(flow, action, actions.DONE)


def _values(conn: Connection, flow: Flow, install: Install, contact_id: str) -> dict[str, str]:
    standing = people.standing(conn, install.id, contact_id)
    values = {COUNT: str(standing.failures)}
    if standing.newest:
        values[OUTCOME] = LABELS[standing.newest.status][0]
    failed = standing.last_failed
    if failed and failed.failed_at:
        reason = flow.catalogue.reasons.get(failed.reason or "")
        values[REASON] = reason.title if reason else ""
        values[FAILED_AT] = str(round(failed.failed_at.timestamp() * 1000))
    return values


def _written(flow: Flow, install: Install, contact_id: str, values: Mapping[str, str]) -> None:
    def put(token: str) -> None:
        flow.hubspot.set_properties(token, contact_id, values)

    try:
        calling(flow, install, put)
    except Refused as refused:
        if refused.details.get("error") != "PROPERTY_DOESNT_EXIST":
            raise
        for definition in DEFINITIONS:
            calling(flow, install, lambda token, one=definition: flow.hubspot.ensure_property(token, one))  # type: ignore[misc]
        calling(flow, install, put)
