"""From what came back to why: evidence in, diagnosis out. No input or output, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from canvas.knowledge import extract
from canvas.knowledge.catalogue import Catalogue, load
from canvas.knowledge.codes_table import CodeRow
from canvas.knowledge.features import Features, features_of
from canvas.knowledge.model import UNKNOWN, Candidate, Diagnosis, Evidence
from canvas.knowledge.tokens import key_of

OPTED_OUT = "recipient_opted_out"
_REMEMBERED_LENGTH = 4_000
_KNOWN = 0.2
_VAGUE_CAUSES = {
    "invalid_request",
    "provider_unknown_error",
    "carrier_rejected",
    "provider_outage",
    "channel_misconfigured",
}
_CODE, _TITLE, _NAME, _OPT_OUT = 0.98, 0.96, 0.88, 0.97
_VAGUE_CODE, _AMBIGUOUS, _HINT = 0.89, 0.6, 0.55
_BESIDE_A_CODE = 0.5
_REFINES = 0.4
_CLEAR, _POSSIBLE = 0.5, 0.03
_PASSING, _LASTING, _CERTAIN = 0.65, 0.12, 0.95
_SHOWN = 120
_TOO_MANY = 429

Likely = list[tuple[str, float]]


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
    doubt: float = 0.0
    opted_out: bool = False
    documented: set[str] = field(default_factory=set)

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
    provider = catalogue.codes.provider(evidence.provider) or catalogue.codes.provider_of_text(evidence.text)
    features = features_of(reading.sentences, catalogue.matcher)
    likely = likelihoods(catalogue, features, evidence)
    rows = code_rows(catalogue, provider, evidence, reading, likely)
    if rows and {row.cause for row in rows} <= _VAGUE_CAUSES:
        features = features_of(beyond_titles(reading.sentences, rows), catalogue.matcher)
        likely = likelihoods(catalogue, features, evidence)
    weighing = Weighing(opted_out=OPTED_OUT in features.hits)
    weigh_codes(rows, weighing)
    weigh_titles(catalogue, reading.sentences, provider, stranger(catalogue, evidence), weighing)
    weigh_status(evidence, reading, weighing)
    weigh_words(features, likely, " ".join(reading.sentences)[:_SHOWN], weighing)
    return verdict(catalogue, weighing, provider, rows[0].code if rows else evidence.code)


def likelihoods(catalogue: Catalogue, features: Features, evidence: Evidence) -> Likely:
    """The reasons the words speak for, likeliest first."""
    return catalogue.scores.likely(features.concepts, features.names(evidence.channel))


def beyond_titles(sentences: list[str], rows: list[CodeRow]) -> list[str]:
    """The sentences that say more than the title of a code that itself says little."""
    titles = {key_of(row.title) for row in rows}
    return [sentence for sentence in sentences if key_of(sentence) not in titles and " " in sentence]


def code_rows(
    catalogue: Catalogue, provider: str | None, evidence: Evidence, reading: extract.Reading, likely: Likely
) -> list[CodeRow]:
    """The documented rows of the first code that has any, for the provider that is known or fits.

    A number that only looks like a code counts when the words do not clearly say something else.
    """
    table = catalogue.codes
    said = {key_of(sentence) for sentence in reading.sentences}
    for code in ([evidence.code] if evidence.code else []) + reading.codes:
        whose = provider or ("meta" if is_meta(code, evidence.channel or "whatsapp") else None)
        rows = table.look_up(whose, code, evidence.channel, evidence.text) if whose else []
        rows = [row for row in rows if key_of(row.title) in said] or rows
        sure = code == evidence.code or code in reading.sure_codes
        if rows and (sure or not contradicted({row.cause for row in rows}, likely)):
            return rows
    return []


def is_meta(code: str, channel: str) -> bool:
    """Whether a number can only be one of the WhatsApp Cloud API (130000 to 139999)."""
    return channel == "whatsapp" and len(code) == 6 and code.isdecimal() and code.startswith("13")


def contradicted(causes: set[str], likely: Likely) -> bool:
    """Whether the words clearly say something that is none of these causes."""
    chances = dict(likely)
    return (
        bool(likely)
        and likely[0][1] > _CLEAR
        and not any(chances.get(cause, 0) > _POSSIBLE for cause in causes)
    )


def weigh_codes(rows: list[CodeRow], weighing: Weighing) -> None:
    """A documented code decides, unless its rows disagree or it says little."""
    causes = list(dict.fromkeys(row.cause for row in rows))
    for cause in causes:
        confidence = _AMBIGUOUS if len(causes) > 1 else _VAGUE_CODE if cause in _VAGUE_CAUSES else _CODE
        weighing.add(cause, confidence, rows[0].code or "")
        weighing.documented.add(cause)


def stranger(catalogue: Catalogue, evidence: Evidence) -> bool:
    """Whether the text is of a provider named by the caller whose codes we do not have."""
    return bool(evidence.provider) and catalogue.codes.provider(evidence.provider) is None


def weigh_titles(
    catalogue: Catalogue, sentences: Iterable[str], provider: str | None, strange: bool, weighing: Weighing
) -> None:
    """Sentences that are documented titles, and names that are codes; only hints in a stranger's text."""
    for sentence in sentences:
        weigh_rows(own(catalogue.codes.titled(key_of(sentence)), provider), _TITLE, sentence, weighing)
        for name, rows in catalogue.codes.named(sentence):
            weigh_rows(own(rows, provider), _HINT if strange else _NAME, name, weighing)


def own(rows: list[CodeRow], provider: str | None) -> list[CodeRow]:
    """The provider's own rows where it has some, else all."""
    return [row for row in rows if row.provider == provider] or rows


def weigh_rows(rows: list[CodeRow], confidence: float, matched: str, weighing: Weighing) -> None:
    """Rows that agree are strong evidence; rows that do not are hints."""
    causes = {row.cause for row in rows}
    for cause in causes:
        weighing.add(cause, confidence if len(causes) == 1 else _HINT, matched)


def weigh_words(features: Features, likely: Likely, said: str, weighing: Weighing) -> None:
    """What the words say. Beside a telling code they only add candidates; a vague code they refine."""
    if weighing.opted_out:
        weighing.add(OPTED_OUT, _OPT_OUT, features.spans[OPTED_OUT])
    known = {reason for reason, candidate in weighing.best.items() if candidate.confidence > _HINT}
    vague = known <= _VAGUE_CAUSES
    for reason, likelihood in likely:
        confidence = calibrated(likelihood)
        if reason == UNKNOWN:
            weighing.doubt = 0.0 if known else confidence
            continue
        if known and not vague:
            confidence = min(confidence, _BESIDE_A_CODE)
        elif known and reason not in _VAGUE_CAUSES and likelihood >= _REFINES:
            confidence = max(confidence, _VAGUE_CODE + 0.005)
        weighing.add(reason, confidence, features.spans.get(reason, said))


def calibrated(likelihood: float) -> float:
    """How often such an answer is right, measured on labelled texts (docs/catalogue.md)."""
    return likelihood if likelihood < 0.9 else 0.85 + (likelihood - 0.9) * 1.4


def weigh_status(evidence: Evidence, reading: extract.Reading, weighing: Weighing) -> None:
    """An HTTP status says something only where nothing else does."""
    if evidence.http_status == _TOO_MANY and not weighing.best and not reading.sentences:
        weighing.add("rate_limited_api", _VAGUE_CODE, str(_TOO_MANY))
        weighing.documented.add("rate_limited_api")


def verdict(catalogue: Catalogue, weighing: Weighing, provider: str | None, code: str | None) -> Diagnosis:
    """The best reason when it is likely enough, else `unknown` with the candidates there are."""
    ordered = weighing.ordered()
    if weighing.opted_out:
        ordered.sort(key=lambda candidate: candidate.reason != OPTED_OUT)
    best = next((c for c in ordered if safe(catalogue, c, weighing)), None)
    if best is None or best.confidence < max(_KNOWN, weighing.doubt):
        return diagnosis_of(catalogue, UNKNOWN, 0.0, "", tuple(ordered[:4]), provider, code)
    candidates = (best, *(c for c in ordered if c is not best))[:4]
    return diagnosis_of(catalogue, best.reason, best.confidence, best.matched, candidates, provider, code)


def safe(catalogue: Catalogue, candidate: Candidate, weighing: Weighing) -> bool:
    """Whether a plain retry could help: a passing reason must be likely, and lasting ones must not be."""
    if catalogue.reason(candidate.reason).retry != "transient":
        return True
    lasting = [
        c.confidence for c in weighing.best.values() if catalogue.reason(c.reason).retry != "transient"
    ]
    if candidate.reason in weighing.documented or candidate.confidence >= _CERTAIN:
        return max(lasting, default=0.0) < _BESIDE_A_CODE
    return candidate.confidence >= _PASSING and sum(lasting) <= _LASTING


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
