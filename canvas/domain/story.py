"""One message as every surface tells it; the words themselves are in wording.py."""

from __future__ import annotations

from dataclasses import dataclass

from canvas.domain import wording
from canvas.domain.dates import when
from canvas.domain.fix import Fix
from canvas.domain.message import Message, Status
from canvas.domain.wording import Attempt, Variant, WordingContext
from canvas.knowledge.model import Reason


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a surface may say about one message; each part is made when it is asked for.

    `thread` holds all its attempts, oldest first. `pattern` is the sentence about others like it.
    """

    context: WordingContext
    message: Message
    reason: Reason
    fixes: tuple[Fix, ...] = ()
    thread: tuple[Message, ...] = ()
    pattern: str | None = None

    @property
    def newest(self) -> Message | None:
        """The last attempt after this one; an undone one was none."""
        if self.message.status is Status.CANCELLED:
            return None
        tried = (m for m in self.thread if m.status is not Status.CANCELLED)
        later = [m for m in tried if m.attempt > self.message.attempt]
        return later[-1] if later else None

    @property
    def title(self) -> str:
        return wording.title(self.message, self.reason)

    @property
    def line(self) -> str:
        """The muted line under the title: channel, number, time."""
        return f"{self.way} · {self.moment}"

    @property
    def way(self) -> str:
        """Channel and number: `WhatsApp to +353 87 123 4567`."""
        return f"{wording.channel_name(self.message.channel)} to {wording.number(self.message)}"

    @property
    def moment(self) -> str:
        """When it failed, or else was sent or made."""
        return when(wording.happened_at(self.message), self.context.tz)

    @property
    def text(self) -> str:
        """One sentence: what happened, or what became of it."""
        return wording.text(self.context, self.message, self.reason)

    @property
    def label(self) -> str:
        return self._label[0]

    @property
    def variant(self) -> Variant:
        return self._label[1]

    @property
    def _label(self) -> tuple[str, Variant]:
        if self.message.status is Status.FAILED and not self.message.open:
            return ("Handled" if self.message.handled_at else "Sent again"), "default"
        return wording.status_label(self.message.status, self.message.channel, self.message.octopods_id)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What happened, who can fix it, will sending again help, what to do now."""
        return wording.four_lines(self.context, self.message, self.reason, self.fixes)

    @property
    def refusal(self) -> str | None:
        """Who may fix this message, for a reader who may not."""
        message = self.message
        fixable = message.status in (Status.FAILED, Status.UNSURE) and not message.handled_at
        return self.context.rights.sentence if fixable else None

    @property
    def undoable(self) -> bool:
        """Whether this reader may take the send back: it waits still."""
        waits = self.message.status is Status.QUEUED and self.message.parent_id is not None
        return waits and self.context.rights.may_fix

    @property
    def said(self) -> str | None:
        """The provider's own words, verbatim."""
        return wording.said(self.message)

    @property
    def speaker(self) -> str:
        """Whose words those are."""
        return wording.speaker(self.message)

    @property
    def noted(self) -> str | None:
        """Our own words about why, where nothing came back."""
        return wording.noted(self.message)

    @property
    def told(self) -> str | None:
        """Why, word for word, and whose words they are."""
        if self.said:
            return f"{self.speaker} said: {self.said}"
        return f"Redeliver noted: {self.noted}" if self.noted else None

    @property
    def code(self) -> str | None:
        return wording.code(self.message)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(wording.attempt(self.context, m) for m in self.thread or (self.message,))

    @property
    def candidates(self) -> tuple[tuple[str, str, str], ...]:
        return wording.candidates(self.context, self.message)

    @property
    def support(self) -> str:
        """The report for Octopods' support, ready to paste."""
        return wording.support(self.message, self.reason, self.thread or (self.message,))

    @property
    def preview(self) -> str | None:
        """The text that the first fix would send, when it is not the text that was sent."""
        return next((fix.preview for fix in self.fixes if fix.enabled and fix.preview), None)
