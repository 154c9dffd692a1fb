"""What an Inbox request says: the parts that we use, whatever shape they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas.domain import phones
from canvas.domain.json_text import json_or_none
from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.flows.look import Person
from canvas.store.installs import Install

MAX_FIELD = 8000
TROUBLE = "redeliver.trouble"
"""Where a WSGI environment keeps what went wrong before the view was asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the Inbox. The person's numbers are as the contact shows them."""

    workspace: str
    actor: Actor
    person: Person
    component: str
    values: Mapping[str, str]


def read(body: bytes) -> Asked | None:
    """The request in a body (Intercom, "Canvas Kit: initialize and submit requests"), or None when it is none."""
    document = json_or_none(body)
    workspace = _workspace(document) if isinstance(document, dict) else None
    if workspace is None:
        return None
    contact = _object(document, "contact") or _object(document, "customer")
    admin = _object(document, "admin")
    conversation = _id(_object(document, "conversation").get("id"))
    return Asked(
        workspace=workspace,
        actor=Actor("intercom_admin", _id(admin.get("id")), _id(admin.get("name"), 200)),
        person=Person(_id(contact.get("id")), _numbers(contact), conversation),
        component=_id(document.get("component_id"), 1000) or "",
        values=_values(_object(document, "input_values")),
    )


def person_of(flow: Flow, install: Install, asked: Asked) -> Person:
    """The person with their numbers in E.164, to find messages by."""
    country = flow.country(install)
    read = (phones.normalise(number, country) for number in asked.person.numbers)
    numbers = tuple(dict.fromkeys(number for number in read if number))
    return Person(asked.person.contact_id, numbers, asked.person.conversation_id)


def _workspace(document: Mapping[str, Any]) -> str | None:
    return _id(document.get("workspace_id") or document.get("app_id"))


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _id(value: Any, limit: int = 64) -> str | None:
    """An id as text: Intercom sends the same one as text here and as a number there."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    words = str(value).replace("\x00", "").strip()
    return words if 0 < len(words) <= limit else None


def _numbers(contact: Mapping[str, Any]) -> tuple[str, ...]:
    """Every phone number the contact shows, as it is written there."""
    found = [contact.get("phone"), contact.get("formatted_phone")]
    found += [v for k, v in _object(contact, "custom_attributes").items() if "phone" in k or "mobile" in k]
    return tuple(dict.fromkeys(str(v)[:64] for v in found if isinstance(v, str | int) and v))


def _values(given: Mapping[str, Any]) -> dict[str, str]:
    """The filled-in fields; what nobody touched may be missing, null, or in a list."""
    values = {}
    for name, value in given.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str | int | float) and not isinstance(first, bool):
            values[str(name)[:100]] = str(first).replace("\x00", "")[:MAX_FIELD]
    return values
