"""The people cover the catalogue, and what comes back for each is diagnosed as the reason they stand for."""

from __future__ import annotations

import re

import pytest

from canvas.knowledge import catalogue
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import Evidence
from canvas.sandbox import seed
from canvas.sandbox.octopods.templates import BY_ID as TEMPLATES
from canvas.sandbox.people import BY_PHONE, PEOPLE, Person
from canvas.sandbox.topics import TOPICS

TROUBLED = [person for person in PEOPLE if person.at != "arrives"]
TOLD = [person for person in TROUBLED if person.text]


def test_every_reason_happens_to_somebody() -> None:
    assert {person.id for person in TROUBLED} == set(catalogue.load().reasons)


def test_everybody_has_a_number_of_their_own() -> None:
    assert len(BY_PHONE) == len(PEOPLE)
    assert all(re.fullmatch(r"\+[1-9]\d{6,14}", phone) for phone in BY_PHONE)


@pytest.mark.parametrize("person", TOLD, ids=lambda person: person.id)
def test_what_comes_back_means_what_the_person_stands_for(person: Person) -> None:
    provider = {"whatsapp": "meta", "sms": "twilio", "vbm": "viber_business"}[person.channel]
    code = str(person.code) if person.code else None
    found = diagnose(Evidence(person.text, person.channel, provider if code else None, code))
    assert found.reason == person.id


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_a_topic_fills_its_templates(topic) -> None:  # type: ignore[no-untyped-def]
    for number, values in ((topic.whatsapp, topic.whatsapp_values), (topic.vbm, topic.vbm_values)):
        assert TEMPLATES[number].places()["body"] == len(values)
        assert not TEMPLATES[number].media or topic.header


def test_a_send_to_a_number_on_record_carries_it_as_it_stands_there() -> None:
    bodies = {person.id: seed.send_of(person).body for person in PEOPLE}
    assert bodies["invalid_phone"]["destination_phone"] == "0171 39200 12"
    assert "destination_phone" not in bodies["missing_phone"]
