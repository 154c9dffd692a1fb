"""The sandbox's people as Intercom knows them: contact, conversation and teammate objects.

Intercom REST API 2.15, contact and conversation models; ids are strings, as in Canvas Kit requests.
"""

from __future__ import annotations

from typing import Any

from canvas.sandbox.people import BY_ID, PEOPLE, Person
from canvas.sandbox.topics import TOPICS

WORKSPACE = "sandbox"
REGION = "US"
TIMEZONE = "Europe/Stockholm"
FIRST_TALK = 1795424400
"""When the first conversation began: Nov 23, 2026 at 9:00AM UTC."""

ADMIN = {
    "type": "admin",
    "id": "814860",
    "name": "Ana Kos",
    "email": "ana@example.com",
    "away_mode_enabled": False,
    "away_mode_reassign": False,
    "has_inbox_seat": True,
    "avatar": {"image_url": None},
    "team_ids": [26],
}
SOURCES = {"whatsapp": "whatsapp", "sms": "sms", "vbm": "conversation"}


def contact_id(person: Person) -> str:
    return f"667d60d18a68186f43ba{PEOPLE.index(person):04x}"


def conversation_id(person: Person) -> str:
    return str(215470000000000 + PEOPLE.index(person))


def by_contact(identifier: str) -> Person | None:
    return next((person for person in PEOPLE if contact_id(person) == identifier), None)


def contact(person: Person) -> dict[str, Any]:
    return {
        "type": "contact",
        "id": contact_id(person),
        "workspace_id": WORKSPACE,
        "external_id": str(70 + PEOPLE.index(person)),
        "role": "user",
        "email": person.email,
        "phone": person.number_on_record or None,
        "name": person.name,
        "custom_attributes": {},
        "tags": {"type": "list", "data": []},
    }


def conversation(person: Person) -> dict[str, Any]:
    began = FIRST_TALK + 60 * PEOPLE.index(person)
    author = {"type": "user", "id": contact_id(person), "name": person.name}
    return {
        "type": "conversation",
        "id": conversation_id(person),
        "created_at": began,
        "updated_at": began + 600,
        "waiting_since": None,
        "snoozed_until": None,
        "open": True,
        "state": "open",
        "read": True,
        "priority": "not_priority",
        "source": {
            "type": SOURCES[person.channel],
            "id": f"20{PEOPLE.index(person):02}",
            "delivered_as": "customer_initiated",
            "subject": "",
            "body": f"<p>{TOPICS[person.topic].said[0]}</p>",
            "author": author,
            "attachments": [],
        },
        "contacts": {
            "type": "contact.list",
            "contacts": [{"type": "contact", "id": contact_id(person), "external_id": "70"}],
        },
    }


def all_contacts() -> dict[str, dict[str, Any]]:
    return {contact_id(person): contact(person) for person in BY_ID.values()}
