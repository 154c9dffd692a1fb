"""One message as a page with plain forms: what its buttons stand for, and what pressing one leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canvas.domain.fix import Fix
from canvas.domain.message import IN_FLIGHT, Actor, Message
from canvas.domain.story import Story
from canvas.flows import fix as fixing
from canvas.flows.context import Flow
from canvas.flows.deeds import Clicked
from canvas.flows.fix_tokens import UNDO, BadToken, Tokens
from canvas.flows.look import detail, person_of
from canvas.store import messages
from canvas.store.database import reading
from canvas.store.installs import Install

MAX_FIELD = 5000
TOO_OLD = "This button is too old or was altered. Look at the message again."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the story, a form that was sent and needs more, and a sentence about the last press."""

    story: Story
    form: Clicked | None = None
    note: str | None = None

    def is_new(self, message_id: str) -> bool:
        """Whether it is another message than the one pressed, with nothing to say of the press but that."""
        return self.form is None and self.note is None and self.story.message.id != message_id

    @property
    def under_way(self) -> bool:
        """Whether loading the page again may show something new."""
        return self.story.message.status in IN_FLIGHT


class Buttons:
    """Signs the buttons of one message's page."""

    def __init__(self, tokens: Tokens, message: Message) -> None:
        self._tokens, self._message = tokens, message

    def fix(self, fix: Fix, shown: str = "") -> str:
        return self._tokens.sign(self._message, fix.id, fix.target, shown)

    def undo(self) -> str:
        return self._tokens.sign(self._message, UNDO)


def show(flow: Flow, install: Install, message_id: str, viewer: Actor) -> Shown | None:
    """The page of a message as `viewer` may see to it, or None when this install has no such message."""
    with reading(flow.engine) as conn:
        message = messages.get(conn, install.id, message_id)
        if message is None:
            return None
        return Shown(detail(conn, flow, install, person_of(message), message, viewer))


def press(
    flow: Flow, tokens: Tokens, install: Install, message_id: str, form: Mapping[str, str], actor: Actor
) -> Shown | None:
    """Carry out the button that `form` names and show what became of it; None when the message is gone."""
    before = show(flow, install, message_id, actor)
    if before is None:
        return None
    try:
        token = tokens.read(form.get("fix", ""))
    except BadToken:
        return Shown(before.story, note=TOO_OLD)
    if token.message_id != message_id:
        return Shown(before.story, note=TOO_OLD)
    person = person_of(before.story.message)
    clicked = fixing.click(flow, install, token, _values(form), actor, person)
    if clicked.message is None:
        return None
    with reading(flow.engine) as conn:
        story = detail(conn, flow, install, person, clicked.message, actor)
    return Shown(story, clicked if clicked.result == "form" else None, clicked.note)


def _values(form: Mapping[str, str]) -> dict[str, str] | None:
    """The filled-in fields; None for a button without any."""
    values = {
        name.removeprefix("field-"): value.replace("\x00", "").replace("\r\n", "\n")[:MAX_FIELD]
        for name, value in form.items()
        if name.startswith("field-")
    }
    return values if values or form.get("form") else None
