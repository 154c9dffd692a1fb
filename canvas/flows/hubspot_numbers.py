"""Saving a corrected number on the HubSpot contact: into the property that held the wrong one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from canvas.clients.hubspot_answers import PHONES, HubSpotContact
from canvas.domain import phones
from canvas.domain.action_kinds import WRITE_PHONE, action_key, send_key
from canvas.domain.message import Message, Status
from canvas.flows.context import Flow
from canvas.flows.hubspot_access import calling
from canvas.store import actions, messages
from canvas.store.actions import Action
from canvas.store.database import reading
from canvas.store.installs import Install


@dataclass(frozen=True, slots=True)
class Saved:
    """Whether a number was saved after a fix, and HubSpot's own sentence when it was not."""

    done: bool
    words: str


def save(flow: Flow, install: Install, action: Action) -> None:
    """Write the number. Raises CallFailed (a refusal carries HubSpot's sentence) and CannotOpen."""
    contact_id, number = str(action.payload["contact_id"]), str(action.payload["phone"])
    wrong = _wrong_number(flow, install, action)
    contact = calling(flow, install, lambda token: flow.hubspot.get_contact(token, contact_id))
    name = property_to_mend(contact, wrong, flow.country(install))
    calling(flow, install, lambda token: flow.hubspot.set_phone(token, contact.id, number, name))


def _wrong_number(flow: Flow, install: Install, action: Action) -> str:
    with reading(flow.engine) as conn:
        child = messages.get(conn, install.id, action.message_id or "")
        parent = messages.get(conn, install.id, child.parent_id or "") if child else None
    return parent.raw_to if parent else ""


def property_to_mend(contact: HubSpotContact, wrong: str, country: str) -> str:
    """The property that holds the number that failed, however it is written; else `phone`."""
    asked = {wrong, phones.normalise(wrong, country)} - {"", None}
    for name in PHONES:
        stored = contact.properties.get(name, "")
        if asked & ({stored, phones.normalise(stored, country)} - {"", None}):
            return name
    return "phone"


def outcome(conn: Connection, install: Install, message: Message) -> Saved | None:
    """How the saving that belongs to this message went, or None when nothing was to be saved."""
    action = actions.by_key(conn, install.id, action_key(WRITE_PHONE, message.id))
    if action is None:
        return _not_begun(conn, install, message)
    if action.state == actions.DONE:
        return Saved(True, "The number was saved on the contact.")
    if action.state in (actions.FAILED, actions.UNSURE):
        return Saved(False, f"The number was not saved. {(action.result or {}).get('error', '')}".strip())
    return Saved(False, "The number is being saved.")


def _not_begun(conn: Connection, install: Install, message: Message) -> Saved | None:
    """A number is saved when its message has gone out, and not before."""
    send = actions.by_key(conn, install.id, send_key(message.id))
    if send is None or "save" not in send.payload:
        return None
    if message.status in (Status.QUEUED, Status.SENDING, Status.UNSURE):
        return Saved(False, "The number is saved on the contact once Octopods has taken the message.")
    return Saved(False, "The number was not saved.")
