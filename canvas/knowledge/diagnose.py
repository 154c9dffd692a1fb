"""From what came back to why: evidence in, diagnosis out. No input or output, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from canvas.knowledge import extract
from canvas.knowledge.catalogue import Catalogue, load
from canvas.knowledge.codes_table import CodeRow
from canvas.knowledge.model import UNKNOWN, Candidate, Diagnosis, Evidence
from canvas.knowledge.patterns import Hit
from canvas.knowledge.tokens import key_of, words_of

OPTED_OUT = "recipient_opted_out"
_REMEMBERED_LENGTH = 4_000
_KNOWN = 0.5
_VAGUE_CAUSES = {
    "invalid_request",
    "provider_unknown_error",
    "carrier_rejected",
    "provider_outage",
    "channel_misconfigured",
}
_CODE, _TITLE, _NAME = 0.98, 0.96, 0.95


def diagnose(evidence: Evidence) -> Diagnosis:
    """The reason behind one failed message, with candidates where it is not certain, or `unknown`.

    Never raises, whatever the text is; never answers a reason that allows a plain retry where the evidence
    speaks of a person who opted out.
    """
    if len(evidence.text) <= _REMEMBERED_LENGTH:
        return _remembered(evidence)
    return diagnose_with(load(), evidence)


@lru_cache(maxsize=4096)
def _remembered(evidence: Evidence) -> Diagnosis:
    return diagnose_with(load(), evidence)


@dataclass(slots=True)
class Weighing:
    """The reasons considered so far, each with its best evidence."""

    best: dict[str, Candidate] = field(default_factory=dict)

    def add(self, reason: str, confidence: float, matched: str) -> None:
        """Consider a reason; the strongest evidence for it is kept."""
        known = self.best.get(reason)
        if known is None or known.confidence < confidence:
            self.best[reason] = Candidate(reason, round(confidence, 2), matched)

    def ordered(self) -> list[Candidate]:
        """Best first."""
        return sorted(self.best.values(), key=lambda candidate: -candidate.confidence)


def diagnose_with(catalogue: Catalogue, evidence: Evidence) -> Diagnosis:
    """`diagnose` with a given catalogue."""
    reading = extract.read(evidence.text)
    codes = ([evidence.code] if evidence.code else []) + reading.codes
    provider = catalogue.codes.provider(evidence.provider) or catalogue.codes.provider_of_text(evidence.text)
    rows = code_rows(catalogue, provider, codes, evidence)
    weighing = Weighing()
    weigh_codes(rows, weighing)
    weigh_titles(catalogue, reading.sentences, weighing)
    weigh_words(catalogue, reading.sentences, weighing, rows)
    weigh_status(evidence, weighing)
    return verdict(catalogue, weighing, provider, rows[0].code if rows else evidence.code)


def code_rows(
    catalogue: Catalogue, provider: str | None, codes: list[str], evidence: Evidence
) -> list[CodeRow]:
    """The documented rows of the first code that has any, for the provider that is known or fits."""
    table = catalogue.codes
    whose = provider or table.home_of(evidence.channel)
    for code in codes:
        rows = table.look_up(provider, code, evidence.channel) if provider else []
        if not rows and whose == "meta" and len(code) == 6 and code.startswith(("130", "131", "132", "133")):
            rows = table.look_up("meta", code, evidence.channel)
        if rows:
            return rows
    return []


def weigh_codes(rows: list[CodeRow], weighing: Weighing) -> None:
    """A documented code decides, unless its rows disagree or it says little."""
    causes = list(dict.fromkeys(row.cause for row in rows))
    for cause in causes:
        confidence = _CODE if len(causes) == 1 else 0.6
        weighing.add(cause, confidence, rows[0].code or "")


def weigh_titles(catalogue: Catalogue, sentences: Iterable[str], weighing: Weighing) -> None:
    """A sentence that is a documented title, and names that are codes of their own."""
    for sentence in sentences:
        weigh_rows(catalogue.codes.titled(key_of(sentence)), _TITLE, sentence, weighing)
        for name, rows in catalogue.codes.named(sentence):
            weigh_rows(rows, _NAME, name, weighing)


def weigh_rows(rows: list[CodeRow], confidence: float, matched: str, weighing: Weighing) -> None:
    """Rows that agree are strong evidence; rows that do not are hints."""
    causes = {row.cause for row in rows}
    for cause in causes:
        weighing.add(cause, confidence if len(causes) == 1 else 0.55, matched)


def weigh_words(catalogue: Catalogue, sentences: list[str], weighing: Weighing, rows: list[CodeRow]) -> None:
    """What the words say: the heaviest pattern wins, less surely the closer the next one is."""
    hits: list[tuple[Hit, list[str]]] = []
    for sentence in sentences:
        words = words_of(sentence)
        hits += [(hit, words) for hit in catalogue.matcher.hits(words)]
    if not hits:
        return
    best: dict[str, tuple[float, str]] = {}
    for hit, words in hits:
        if hit.weight > best.get(hit.pattern.reason, (0.0, ""))[0]:
            best[hit.pattern.reason] = (hit.weight, " ".join(words[hit.first : hit.last + 1]))
    ranked = sorted(best.items(), key=lambda item: -item[1][0])
    if OPTED_OUT in best:
        weighing.add(OPTED_OUT, 0.97, best[OPTED_OUT][1])
    heaviest = ranked[0][1][0]
    vague = not weighing.best or {c.reason for c in weighing.best.values()} <= _VAGUE_CAUSES
    for place, (reason, (weight, matched)) in enumerate(ranked[:4]):
        share = weight / heaviest
        second = ranked[1][1][0] / heaviest if len(ranked) > 1 else 0.0
        confidence = 0.92 - 0.3 * second if place == 0 else 0.5 * share
        if (
            place == 0
            and vague
            and weighing.best
            and reason not in weighing.best
            and reason not in _VAGUE_CAUSES
        ):
            confidence = 0.99
        weighing.add(reason, confidence, matched)


def weigh_status(evidence: Evidence, weighing: Weighing) -> None:
    """An HTTP status says something only where nothing better is known."""
    if evidence.http_status == 429 and not weighing.best:
        weighing.add("rate_limited_api", 0.9, "429")


def verdict(catalogue: Catalogue, weighing: Weighing, provider: str | None, code: str | None) -> Diagnosis:
    """The best reason when it is likely enough, else `unknown` with the candidates there are."""
    ordered = weighing.ordered()
    if OPTED_OUT in weighing.best and ordered[0].reason != OPTED_OUT:
        ordered.sort(key=lambda candidate: candidate.reason != OPTED_OUT)
    if not ordered or ordered[0].confidence < _KNOWN:
        return diagnosis_of(catalogue, UNKNOWN, 0.0, "", tuple(ordered), provider, code)
    best = ordered[0]
    return diagnosis_of(
        catalogue, best.reason, best.confidence, best.matched, tuple(ordered[:4]), provider, code
    )


def diagnosis_of(
    catalogue: Catalogue,
    reason_id: str,
    confidence: float,
    matched: str,
    candidates: tuple[Candidate, ...],
    provider: str | None,
    code: str | None,
) -> Diagnosis:
    """A diagnosis with everything its reason says."""
    reason = catalogue.reason(reason_id)
    return Diagnosis(
        reason_id,
        reason.category,
        reason.retry,
        confidence,
        matched,
        candidates,
        reason.fixes,
        provider,
        code,
    )
