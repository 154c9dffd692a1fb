"""Check a message on the card: what a rep pasted, what it means, and tying it to the contact beside the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from canvas.domain.message import Actor, Message
from canvas.flows import manual
from canvas.flows.context import Flow
from canvas.flows.look import Person, detail
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces import hubspot_view as view
from canvas.surfaces.hubspot_view import CardView, Json


@dataclass(frozen=True, slots=True)
class Checking:
    """One request about something pasted: in which account, beside which contact, by whom, and how it is drawn."""

    flow: Flow
    install: Install
    person: Person
    actor: Actor
    draw: CardView

    def check(self, values: Mapping[str, str]) -> Json:
        """Say what was pasted. Nothing is stored and nobody is asked."""
        words = values.get(manual.TEXT, "").strip()
        if not words:
            return view.refusal("invalid", manual.NOTHING_PASTED, manual.TEXT)
        found = manual.check(self.flow, self.install, words)
        if found.message is None:
            return view.checked(found, None)
        if not self._theirs(found.message):
            return view.checked(replace(found, message=None, kinds=(), lines=(manual.OTHERS,)), None)
        return view.checked(found, self._drawn(found.message))

    def attach(self, values: Mapping[str, str], nonce: str) -> Json:
        """Tie it to the contact; HubSpot's repeat of the call finds the message that the first one made."""
        words, kind = values.get(manual.TEXT, ""), values.get(manual.KIND, "")
        message = None
        if self.person.contact_id:
            message = manual.attach(self.flow, self.install, self.person, words, kind, nonce, self.actor)
        if message is None:
            return view.refusal("invalid", manual.NOT_ATTACHED, manual.TEXT)
        if message.contact_id is None:
            return view.refusal("invalid", manual.NOT_THEIRS, manual.TEXT)
        if not self._theirs(message):
            return view.refusal("invalid", manual.OTHERS[1], manual.TEXT)
        return view.attached(message, self._drawn(message))

    def _theirs(self, message: Message) -> bool:
        return message.contact_id in (None, self.person.contact_id)

    def _drawn(self, message: Message) -> Json:
        with reading(self.flow.engine) as conn:
            story = detail(conn, self.flow, self.install, self.person, message, self.actor)
        return self.draw.failure(story)
