"""The people as the desk lists them: grouped by what goes wrong, each with a conversation to read."""

from __future__ import annotations

from typing import Any

from canvas.domain.fix import CHANNEL_NAMES
from canvas.knowledge import catalogue
from canvas.sandbox.intercom_people import FIRST_TALK, contact, contact_id, conversation_id
from canvas.sandbox.people import PEOPLE, Person
from canvas.sandbox.topics import TOPICS

GROUPS = {
    "recipient": "The person",
    "channel": "Channel and account",
    "template": "Template and content",
    "provider": "Provider",
    "unknown": "Nobody knows why",
    "arrives": "Nothing goes wrong",
}
ARRIVES = "Everything arrives"
COMES_BACK = {
    "request": "Octopods refuses the request itself.",
    "send": "Octopods refuses it at once: “{text}”",
    "delivery": "Octopods takes it; two seconds later it has failed: “{text}”",
    "silence": "Octopods takes it, and no status ever comes; after a day the card says so.",
    "arrives": "Octopods takes it, and it arrives.",
}
CURES = {
    "again": "Sent again, it arrives.",
    "channel": "On another channel, it arrives.",
    "number": "To a right number, it arrives.",
    "text": "With other words, it arrives.",
    "variables": "With other values, it arrives.",
    "media": "With another link, it arrives.",
    "template": "With another template, it arrives.",
    "admin": "It arrives once an admin has repaired the settings.",
    "nothing": "Nothing makes it arrive on this channel.",
}


def groups() -> list[dict[str, Any]]:
    """Non-empty groups in the order of GROUPS."""
    everybody = [(_group(person), described(person)) for person in PEOPLE]
    return [
        {"title": title, "people": members}
        for group, title in GROUPS.items()
        if (members := [person for of, person in everybody if of == group])
    ]


def _group(person: Person) -> str:
    return "arrives" if person.at == "arrives" else catalogue.load().reason(person.id).category


def described(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "phone": person.phone,
        "channel": CHANNEL_NAMES[person.channel],
        "topic": TOPICS[person.topic].title,
        "trouble": ARRIVES if person.at == "arrives" else catalogue.load().reason(person.id).title,
        "comes_back": COMES_BACK[person.at].format(text=person.text),
        "cure": "" if person.at == "arrives" else CURES[person.cure],
        "admin_cures": person.cure == "admin",
        "contact": contact(person),
        "contact_id": contact_id(person),
        "conversation_id": conversation_id(person),
        "conversation": _conversation(person),
    }


def _conversation(person: Person) -> list[dict[str, Any]]:
    began = FIRST_TALK + 60 * PEOPLE.index(person)
    return [
        {
            "from": "person" if turn % 2 == 0 else "teammate",
            "text": line.replace("{first}", person.first_name),
            "at": began + 240 * turn,
        }
        for turn, line in enumerate(TOPICS[person.topic].said)
    ]
