"""The sandbox's people: for every reason a message can fail, somebody to whom it happens (people.csv).

What comes back for a person is keyed by their number. Texts are what Octopods documents, or the
provider's own words: Octopods' help article "Troubleshooting Failed Proactive Messages" and API references,
Meta's "Error codes" for the WhatsApp Business Platform, Twilio's "Error and Warning Dictionary", Viber's and
Infobip's status tables. Numbers come from ranges kept free for fiction: Sweden's PTS, Germany's
Bundesnetzagentur, North America's 555-01.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

Channel = Literal["whatsapp", "sms", "vbm"]
At = Literal["request", "send", "delivery", "silence", "arrives"]
Cure = Literal["again", "channel", "number", "text", "variables", "media", "template", "admin", "nothing"]
Flaw = Literal[
    "",
    "no_phone",
    "raw_phone",
    "too_few_values",
    "private_link",
    "rejected_template",
    "no_text",
    "long_text",
    "old_key",
    "offline_key",
    "busy_key",
]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the desk and what happens to a message for them.

    `at` says when it goes wrong: `request` (Octopods refuses the request itself, because of `flaw`), `send`
    (the provider refuses at hand-off), `delivery` (a FAILED status later), `silence` (no status ever comes).
    `cure` is what must change before the same message arrives. `phone` is E.164; `raw_phone` is how the
    contact's record has it, when that differs.
    """

    id: str
    name: str
    phone: str
    channel: Channel
    topic: str
    at: At
    text: str = ""
    code: int | None = None
    cure: Cure = "channel"
    flaw: Flaw = ""
    raw_phone: str | None = None

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def email(self) -> str:
        letters = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return f"{letters.lower().replace(' ', '.')}@example.com"

    @property
    def number_on_record(self) -> str:
        return self.phone if self.raw_phone is None else self.raw_phone


def _read(row: dict[str, str]) -> Person:
    code, raw = row.pop("code"), row.pop("raw_phone")
    return Person(
        **cast(dict[str, Any], row),
        code=int(code) if code else None,
        raw_phone={"": None, "none": ""}.get(raw, raw),
    )


def _load() -> tuple[Person, ...]:
    with (Path(__file__).parent / "people.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(_read(row) for row in csv.DictReader(lines))


PEOPLE = _load()
BY_ID = {person.id: person for person in PEOPLE}
BY_PHONE = {person.phone: person for person in PEOPLE}
