"""What was read out of a raw reason: its sentences and the codes it names."""

from __future__ import annotations

from dataclasses import dataclass, field

from canvas.knowledge.fields import MOST


@dataclass(slots=True)
class Reading:
    """What a raw reason says: sentences as they come, and the codes it names; of a receipt, also its `err:`.

    `framing` are the sentences that are only a field and its word, such as EventType UNDELIVERED.
    """

    sentences: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    sure_codes: set[str] = field(default_factory=set)
    framing: set[str] = field(default_factory=set)
    receipt_error: str = ""

    def say(self, sentence: str, *, framing: bool = False) -> None:
        """Keep a sentence, once."""
        if framing:
            self.framing.add(sentence)
        if sentence and len(self.sentences) < MOST and sentence not in self.sentences:
            self.sentences.append(sentence)

    def name(self, code: str, *, sure: bool = True) -> None:
        """Keep a code, once; it is sure where a key or a form of its own says that it is a code."""
        if sure:
            self.sure_codes.add(code)
        if len(self.codes) < MOST and code not in self.codes:
            self.codes.append(code)
