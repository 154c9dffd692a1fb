"""Plays the people's messages through the gateway, as a customer's backend would: the desk has failures.

Each send carries an Idempotency-Key: seeding twice sends once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from canvas.sandbox import hubspot_people, intercom_people
from canvas.sandbox.octopods import keys
from canvas.sandbox.octopods.templates import BY_ID, Template
from canvas.sandbox.people import PEOPLE, Person
from canvas.sandbox.topics import TOPICS, Topic

CHANNELS = (
    ("whatsapp", "WhatsApp", keys.WHATSAPP),
    ("whatsapp", "WhatsApp (old key)", keys.OLD_WHATSAPP),
    ("whatsapp", "WhatsApp (busy)", keys.BUSY_WHATSAPP),
    ("sms", "SMS", keys.SMS),
    ("sms", "SMS (disconnected)", keys.OFFLINE_SMS),
    ("vbm", "Viber", keys.VBM),
)
KEY_OF = {"whatsapp": keys.WHATSAPP, "sms": keys.SMS, "vbm": keys.VBM}
REJECTED_TEMPLATE = 90011
REPEATS = {"marketing_limit_ecosystem": 3}
"""People with more than one failed message, so that the card shows a list."""

AT_THE_SAME_TIME = 4
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tenant:
    """One of the two installs: how its contacts are named, and which of each pair of keys is its own."""

    install: str
    header: str
    contact_of: Callable[[Person], str]
    key_of: Callable[[str], str]


INTERCOM = Tenant("intercom:sandbox", "X-Intercom-Contact-Id", intercom_people.contact_id, str)
HUBSPOT = Tenant(
    f"hubspot:{hubspot_people.PORTAL}", "X-HubSpot-Contact-Id", hubspot_people.contact_id, keys.of_hubspot
)
TENANTS = (INTERCOM, HUBSPOT)


@dataclass(frozen=True, slots=True)
class Send:
    """One send request of a customer's backend."""

    path: str
    key: str
    body: dict[str, Any]


def send_of(person: Person) -> Send:
    """The request that meets the person's trouble; `flaw` says what is wrong with the request itself."""
    topic = TOPICS[person.topic]
    path, body = _sms(person, topic) if person.channel == "sms" else _template(person, topic)
    key = keys.OF_FLAW.get(person.flaw, KEY_OF[person.channel])
    phone = person.raw_phone if person.flaw == "raw_phone" else person.phone
    if person.flaw != "no_phone":
        body = {"destination_phone": phone, **body}
    return Send(path, key, body)


def _sms(person: Person, topic: Topic) -> tuple[str, dict[str, Any]]:
    words = topic.sms.replace("{first}", person.first_name)
    text = {"no_text": "", "long_text": f"{words} " * 40}.get(person.flaw, words)
    return "/sms/messages", {"body": text}


def _template(person: Person, topic: Topic) -> tuple[str, dict[str, Any]]:
    on_whatsapp = person.channel == "whatsapp"
    number = topic.whatsapp if on_whatsapp else topic.vbm
    values = topic.whatsapp_values if on_whatsapp else topic.vbm_values
    if person.flaw == "rejected_template":
        number, values = REJECTED_TEMPLATE, ("{first}",)
    template = BY_ID[number]
    body: dict[str, Any] = {"message_variables": _variables(person, template, values)}
    if template.media:
        field = "header_attachment_url" if on_whatsapp else "header_image_url"
        body[field] = topic.header.replace("/parcels/", "/private/") if person.flaw else topic.header
    return f"/{person.channel}/templates/{number}/messages", body


def _variables(person: Person, template: Template, values: tuple[str, ...]) -> dict[str, list[str]]:
    given = [value.replace("{first}", person.first_name) for value in values]
    places = template.places()
    sections: dict[str, list[str]] = {"header": given[-1:] * places["header"], "body": given, "footer": []}
    if person.channel == "whatsapp":
        sections["buttons"] = given[-1:] * places["buttons"]
    if person.flaw == "too_few_values":
        sections["body"] = given[:-1]
    return sections


def play(app_url: str) -> None:
    """Send every person's message through the gateway of the app at `app_url`, once for each tenant."""
    sends = [
        (tenant, person, turn)
        for tenant in TENANTS
        for person in PEOPLE
        for turn in range(REPEATS.get(person.id, 1))
    ]
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as backend:
        list(backend.map(lambda one: _post(app_url, *one), sends))


def _post(app_url: str, tenant: Tenant, person: Person, turn: int) -> None:
    send = send_of(person)
    headers = {
        "X-Octopods-Auth": tenant.key_of(send.key),
        tenant.header: tenant.contact_of(person),
        "Idempotency-Key": f"seed-{person.id}-{turn}",
    }
    requests.post(f"{app_url}/api/v1{send.path}", json=send.body, headers=headers, timeout=PATIENCE_SECONDS)
