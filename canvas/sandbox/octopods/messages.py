"""The messages the fake has taken, and what becomes of each as its clock moves on."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from canvas.sandbox.octopods.templates import PLACEHOLDER, Template
from canvas.sandbox.people import BY_PHONE, Person

FIRST_ID = {"whatsapp": 5120001, "sms": 6230001, "vbm": 7340001}
FAILS_AFTER = timedelta(seconds=2)
ARRIVES_AFTER = timedelta(seconds=3)
READ_AFTER = timedelta(seconds=9)


@dataclass(frozen=True, slots=True)
class Taken:
    """One message Octopods took. `failure` is the person whose trouble meets it, or None when it arrives."""

    id: int
    channel: str
    key: str
    phone: str
    body: dict[str, Any]
    template: Template | None
    at: datetime
    failure: Person | None
    request_id: str
    provider_id: str

    def status(self, now: datetime) -> tuple[str, datetime]:
        """The status in upper case, and since when."""
        waited = now - self.at
        if self.failure:
            word = "UNKNOWN" if self.failure.at == "silence" else "FAILED"
            steps = [(FAILS_AFTER, word)]
        else:
            steps = [(ARRIVES_AFTER, "DELIVERED")]
            steps += [(READ_AFTER, "READ")] if self.channel == "whatsapp" else []
        reached = [(after, word) for after, word in steps if waited >= after]
        return (reached[-1][1], self.at + reached[-1][0]) if reached else ("SENT", self.at)

    def rendered(self) -> str:
        """The text as the recipient would read it."""
        if self.template is None:
            return str(self.body.get("body", ""))
        values = iter(_body_values(self.body.get("message_variables")))
        return PLACEHOLDER.sub(lambda place: str(next(values, place.group())), self.template.body)


def _body_values(given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    if not isinstance(given, dict):
        return []
    return given["body"] if "body" in given else [given[name] for name in sorted(given)]


Attempt = tuple[str, int | None, dict[str, Any]]
"""Phone, template id and body of a send: what a cure is judged by."""


def _changed(field: str) -> Callable[[Attempt, Attempt], bool]:
    return lambda first, now: first[2].get(field) != now[2].get(field)


CURED: dict[str, Callable[[Attempt, Attempt], bool]] = {
    "again": lambda first, now: True,
    "number": lambda first, now: first[0] != now[0],
    "template": lambda first, now: first[1] != now[1],
    "text": _changed("body"),
    "variables": _changed("message_variables"),
    "media": lambda first, now: (
        _changed("header_attachment_url")(first, now) or _changed("header_image_url")(first, now)
    ),
}


def _is_cured(cure: str, first: Attempt, now: Attempt) -> bool:
    return cure in CURED and CURED[cure](first, now)


class Outbox:
    """Messages by id, and each person's first failed attempt. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._messages: dict[tuple[str, int], Taken] = {}
            self._next = dict(FIRST_ID)
            self._first_attempts: dict[tuple[str, str], Attempt] = {}
            self._cured: set[str] = set()

    def cure(self, person: str) -> None:
        """An admin has repaired what stood in this person's way."""
        with self._lock:
            self._cured.add(person)

    def trouble(
        self, channel: str, key: str, phone: str, template: Template | None, body: dict[str, Any]
    ) -> Person | None:
        """The person whose trouble this send meets, or None when nothing stands in its way."""
        person = BY_PHONE.get(phone)
        if person is None or person.at in {"arrives", "request"} or person.channel != channel:
            return None
        now: Attempt = (phone, template.id if template else None, body)
        with self._lock:
            first = self._first_attempts.setdefault((key, phone), now)
            is_first = first is now
            cured = person.id in self._cured
        if cured or (not is_first and _is_cured(person.cure, first, now)):
            return None
        return person

    def take(
        self,
        channel: str,
        key: str,
        phone: str,
        body: dict[str, Any],
        template: Template | None,
        at: datetime,
        failure: Person | None,
    ) -> Taken:
        with self._lock:
            number = self._next[channel]
            self._next[channel] = number + 1
            message = Taken(
                number, channel, key, phone, body, template, at, failure,
                request_id=str(uuid.uuid4()), provider_id=_provider_id(channel),
            )  # fmt: skip
            self._messages[channel, number] = message
            return message

    def get(self, channel: str, number: int, key: str) -> Taken | None:
        with self._lock:
            message = self._messages.get((channel, number))
        return message if message and message.key == key else None

    def newest(self, channel: str, key: str, limit: int) -> list[Taken]:
        """This key's messages, newest first."""
        with self._lock:
            newest = (m for m in reversed(self._messages.values()) if m.channel == channel and m.key == key)
            return list(islice(newest, limit))


def _provider_id(channel: str) -> str:
    return {"whatsapp": "wamid.", "sms": "SM", "vbm": "vbm-"}[channel] + uuid.uuid4().hex
