"""Weighing the evidence: what codes, titles and words each say, and how sure that makes us.

Every confidence below is how often such evidence was right on labelled texts (docs/catalogue.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from operator import attrgetter

from canvas.knowledge.codes_table import CodeRow, Codes
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Candidate

# Reasons under which providers file what they do not explain: the words beside such a code know better.
VAGUE = {
    "invalid_request",
    "provider_unknown_error",
    "carrier_rejected",
    "provider_outage",
    "channel_misconfigured",
}
CODE, TITLE, NAME, OPT_OUT = 0.98, 0.96, 0.88, 0.97
VAGUE_CODE, AMBIGUOUS, HINT = 0.88, 0.6, 0.55
# Words this likely can stop the plain retry that a code allows (diagnose.safe); others are candidates beside it.
BESIDE_A_CODE, BELOW_A_STOP, STOPS_FROM = 0.5, 0.49, 0.8
BESIDE_A_VAGUE_CODE = 0.89
ALSO = 0.3
REFINES, REFINED = 0.4, 0.99

# Likelihoods of 0.995 and more were right in 98 of 100 on wordings not learned from; a likelihood of 0.9 in 92.
_SURE_FROM, _SURE_MORE, _LATE = 0.8, 0.155, 8

Likely = list[tuple[str, float]]
_confidence = attrgetter("confidence")


@dataclass(slots=True)
class Weighing:
    """The reasons considered so far, each with its best evidence.

    `impossible` are reasons that cannot be on the message's channel, whatever speaks for them; `doubt` is how likely it
    is that the words tell nothing; `documented` are reasons a provider's code stands for, `refinable` those that
    details beside an ambiguous code may turn it into.
    """

    impossible: Set[str] = frozenset()
    best: dict[str, Candidate] = field(default_factory=dict)
    doubt: float = 0.0
    opted_out: bool = False
    documented: set[str] = field(default_factory=set)
    refinable: set[str] = field(default_factory=set)

    def add(self, reason: str, confidence: float, matched: str) -> None:
        """Consider a reason; the strongest evidence for it is kept."""
        if reason in self.impossible:
            return
        known = self.best.get(reason)
        if known is None or known.confidence < confidence:
            self.best[reason] = Candidate(reason, round(confidence, 2), matched)

    def says_nothing(self, known: float) -> bool:
        """Whether no reason is as likely as that, or likelier than that the words tell nothing."""
        least = max(known, self.doubt)
        return not self.best or max(self.best.values(), key=_confidence).confidence < least

    def decide(self, reason: str, confidence: float, matched: str) -> None:
        """Take this reason; what was considered so far and was not enough stays behind it."""
        self.doubt = 0.0
        below = confidence - 0.01
        self.best = {n: c._replace(confidence=min(c.confidence, below)) for n, c in self.best.items()}
        self.best[reason] = Candidate(reason, confidence, matched)

    def ordered(self) -> list[Candidate]:
        """Best first; an opt-out before everything else."""
        found = sorted(self.best.values(), key=_confidence, reverse=True)
        if self.opted_out:
            found.sort(key=lambda candidate: candidate.reason != OPTED_OUT)
        return found

    def add_codes(self, rows: list[CodeRow], codes: Codes) -> None:
        """A documented code decides, unless its rows disagree or it says little."""
        causes = list(dict.fromkeys(row.cause for row in rows))
        for cause in causes:
            confidence = AMBIGUOUS if len(causes) > 1 else VAGUE_CODE if cause in VAGUE else CODE
            self.add(cause, confidence, rows[0].code or "")
            self.documented.add(cause)
        for row in rows:
            self.add_others(row, codes)
            self.refinable.update(codes.others(row))

    def add_others(self, row: CodeRow, codes: Codes) -> None:
        """What else a provider uses this code or text for."""
        for other in codes.others(row):
            self.add(other, ALSO, row.code or row.title)

    def add_titles(
        self, said: Iterable[tuple[str, str]], codes: Codes, provider: str | None, strange: bool
    ) -> list[CodeRow]:
        """Sentences (with their keys) that are documented titles, and names that are codes; the provider's own rows.

        In the text of a provider whose codes we do not have, titles count less and names are only hints.
        """
        titled: list[tuple[str, list[CodeRow]]] = []
        named: list[tuple[str, list[CodeRow]]] = []
        for sentence, key in said:
            if rows := codes.titled(key, provider) or codes.titled_behind(sentence, provider):
                titled.append((sentence, own(rows, provider)))
            named += [(name, own(rows, provider)) for name, rows in codes.named(sentence)]
        if not titled and not named:
            return []
        telling = set(codes.telling([row for _, rows in titled + named for row in rows]))
        found: list[CodeRow] = []
        for sentence, rows in titled:
            if told := [row for row in rows if row in telling]:
                self.add_rows(told, NAME if strange else TITLE, sentence)
                self.add_others(told[0], codes)
                found += [row for row in told if row.provider == provider]
        for name, rows in named:
            if told := [row for row in rows if row in telling]:
                self.add_rows(told, HINT if strange else NAME, name)
                self.documented.update(row.cause for row in told if row.provider == provider)
        self.documented.update(row.cause for row in found)
        return found

    def add_agreed(self, key: str, codes: Codes) -> None:
        """An ordinary title, such as "Expired", that is all a text says: a hint where several providers agree on it."""
        causes = codes.agreed(key)
        if len(causes) == 1 and causes.isdisjoint(VAGUE):
            self.documented |= causes
            self.add(causes.pop(), HINT, key)

    def add_rows(self, rows: list[CodeRow], confidence: float, matched: str) -> None:
        """Rows that agree are strong evidence; rows that do not are hints."""
        causes = list(dict.fromkeys(row.cause for row in rows))
        for cause in causes:
            sure = min(confidence, VAGUE_CODE) if cause in VAGUE else confidence
            self.add(cause, sure if len(causes) == 1 else HINT, matched)

    def add_words(self, likely: Likely) -> None:
        """What the words say. Beside a telling code they only add candidates; a vague code they refine.

        Which of the words spoke for a reason is looked for when it is shown.
        """
        known = {reason for reason, candidate in self.best.items() if candidate.confidence > HINT}
        vague = known <= VAGUE
        for reason, likelihood in likely:
            confidence = calibrated(likelihood)
            if reason == UNKNOWN:
                self.doubt = 0.0 if known else confidence
                continue
            if reason in self.refinable and likelihood >= REFINES:
                confidence = REFINED
            elif known and not vague:
                confidence = min(confidence, BESIDE_A_CODE if likelihood >= STOPS_FROM else BELOW_A_STOP)
            elif known and reason not in VAGUE and likelihood >= REFINES:
                confidence = BESIDE_A_VAGUE_CODE
            self.add(reason, confidence, "")


def own(rows: list[CodeRow], provider: str | None) -> list[CodeRow]:
    """The provider's own rows where it has some, else all."""
    return [row for row in rows if row.provider == provider] or rows


def calibrated(likelihood: float) -> float:
    """How often an answer the weights find this likely is right."""
    if likelihood < 0.9:
        return min(likelihood, _SURE_FROM)
    return float(_SURE_FROM + _SURE_MORE * ((likelihood - 0.9) / 0.1) ** _LATE)
