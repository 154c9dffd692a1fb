"""The sandbox's people as HubSpot knows them: contact records, with every value a string.

HubSpot, "CRM API | Contacts", https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
"""

from __future__ import annotations

from typing import Any

from canvas.sandbox.people import PEOPLE, Person

PORTAL = 62515
USER = 5501
USER_EMAIL = "ana.kos@example.com"
TIMEZONE = "Europe/Stockholm"
FIRST_CONTACT = 901
CREATED = "2026-01-05T09:00:00.000Z"
DEFAULT_PROPERTIES = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")


def contact_id(person: Person) -> str:
    return str(FIRST_CONTACT + PEOPLE.index(person))


def by_contact(identifier: str) -> Person | None:
    return next((person for person in PEOPLE if contact_id(person) == identifier), None)


def contact(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    properties = {
        "createdate": CREATED,
        "email": person.email,
        "firstname": first,
        "hs_object_id": contact_id(person),
        "hs_whatsapp_phone_number": None,
        "lastmodifieddate": CREATED,
        "lastname": last,
        "mobilephone": None,
        "phone": person.number_on_record or None,
    }
    return record(contact_id(person), properties)


def record(identifier: str, properties: dict[str, Any], at: str = CREATED) -> dict[str, Any]:
    return {
        "id": identifier,
        "properties": properties,
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def all_contacts() -> dict[str, dict[str, Any]]:
    return {contact_id(person): contact(person) for person in PEOPLE}
