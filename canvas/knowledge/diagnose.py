"""From what came back to why: evidence in, diagnosis out. No input or output, no clock."""

from __future__ import annotations

from functools import lru_cache

from canvas.knowledge import extract
from canvas.knowledge.catalogue import Catalogue, load
from canvas.knowledge.codes_table import CodeRow
from canvas.knowledge.features import Features, features_of
from canvas.knowledge.model import UNKNOWN, Candidate, Diagnosis, Evidence
from canvas.knowledge.weighing import BESIDE_A_CODE, OPTED_OUT, VAGUE, VAGUE_CODE, Likely, Weighing
from canvas.knowledge.weighing import OPT_OUT as SURE_OPT_OUT

_REMEMBERED_LENGTH = 4_000
_SHOWN = 120
_KNOWN = 0.3
_CLEAR, _POSSIBLE = 0.5, 0.03
_PASSING, _LASTING, _CERTAIN = 0.45, 0.2, 0.95
_CANDIDATES = 4
_WORTH_SHOWING = 0.08
_TOO_MANY_REQUESTS = 429
_NONE = Candidate(UNKNOWN, 0.0, "")


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


def diagnose_with(catalogue: Catalogue, evidence: Evidence) -> Diagnosis:
    """`diagnose` with a given catalogue."""
    reading = extract.read(evidence.text)
    features = features_of(reading.sentences, catalogue.matcher)
    likely = likelihoods(catalogue, features, evidence)
    named = catalogue.codes.provider(evidence.provider)
    provider = named or provider_of(catalogue, evidence, reading)
    rows = code_rows(catalogue, provider, evidence, reading, features.keys, likely)
    weighing = Weighing()
    if OPTED_OUT in features.hits:
        weighing.opted_out = True
        weighing.add(OPTED_OUT, SURE_OPT_OUT, features.words_for(OPTED_OUT))
    if rows:
        weighing.add_codes(rows, catalogue.codes)
    strange = bool(evidence.provider and not named)
    said = zip(reading.sentences, features.keys, strict=False)
    weighing.add_titles(said, catalogue.codes, provider, strange)
    if evidence.http_status == _TOO_MANY_REQUESTS and not weighing.best and not reading.sentences:
        weighing.add("rate_limited_api", VAGUE_CODE, str(_TOO_MANY_REQUESTS))
        weighing.documented.add("rate_limited_api")
    if rows and (weighing.refinable or {row.cause for row in rows} <= VAGUE):
        details = beyond_titles(reading.sentences, features.keys, rows)
        features = features_of(details, catalogue.matcher)
        likely = likelihoods(catalogue, features, evidence) if details else []
    weighing.add_words(features, likely, " ".join(reading.sentences)[:_SHOWN])
    return verdict(catalogue, weighing, provider, rows[0].code if rows else evidence.code)


def likelihoods(catalogue: Catalogue, features: Features, evidence: Evidence) -> Likely:
    """The reasons the words speak for, likeliest first."""
    return catalogue.scores.likely(features.concepts, features.words, features.names(evidence.channel))


def provider_of(catalogue: Catalogue, evidence: Evidence, reading: extract.Reading) -> str | None:
    """Whose words these are where nobody said so: where a code must be read, whose marks the text bears."""
    return catalogue.codes.provider_of_text(evidence.text) if evidence.code or reading.codes else None


def beyond_titles(sentences: list[str], keys: list[str], rows: list[CodeRow]) -> list[str]:
    """The sentences that say more than the title of a code that itself says little."""
    titles = {row.key for row in rows}
    return [said for said, key in zip(sentences, keys, strict=False) if key not in titles and " " in said]


def code_rows(
    catalogue: Catalogue,
    provider: str | None,
    evidence: Evidence,
    reading: extract.Reading,
    keys: list[str],
    likely: Likely,
) -> list[CodeRow]:
    """The documented rows of the first code that has any, for the provider that is known or fits.

    A number that only looks like a code counts when the words do not clearly say something else.
    """
    for code in ([evidence.code] if evidence.code else []) + reading.codes:
        whose = provider or ("meta" if is_meta(code, evidence.channel or "whatsapp") else None)
        rows = catalogue.codes.look_up(whose, code, evidence.channel, evidence.text) if whose else []
        rows = [row for row in rows if row.key in keys] or rows
        sure = code == evidence.code or code in reading.sure_codes
        if rows and (sure or not contradicted({row.cause for row in rows}, likely)):
            return rows
    return []


def is_meta(code: str, channel: str) -> bool:
    """Whether a number can only be one of the WhatsApp Cloud API (130000 to 139999)."""
    return channel == "whatsapp" and len(code) == 6 and code.isdecimal() and code.startswith("13")


def contradicted(causes: set[str], likely: Likely) -> bool:
    """Whether the words clearly say something that is none of these causes."""
    if not likely or likely[0][1] <= _CLEAR:
        return False
    chances = dict(likely)
    return not any(chances.get(cause, 0) > _POSSIBLE for cause in causes)


def verdict(catalogue: Catalogue, weighing: Weighing, provider: str | None, code: str | None) -> Diagnosis:
    """The best reason when it is likely enough, else `unknown` with the candidates there are."""
    ordered = weighing.ordered()
    best = _NONE
    for candidate in ordered:
        if safe(catalogue, candidate, weighing):
            best = candidate
            break
    if best.confidence < max(_KNOWN, weighing.doubt):
        best = _NONE
    others = [c for c in ordered if c is not best and c.confidence >= _WORTH_SHOWING]
    foremost = others[:_CANDIDATES] if best is _NONE else [best, *others[: _CANDIDATES - 1]]
    reason, shown = catalogue.reason(best.reason), with_tests(catalogue, foremost)
    said = (best.confidence, best.matched, shown)
    return Diagnosis(best.reason, reason.category, reason.retry, *said, reason.fixes, provider, code)


def with_tests(catalogue: Catalogue, candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The candidates; where there are several, each with a cheap way to tell it apart."""
    if len(candidates) < 2:
        return tuple(candidates)
    return tuple([c._replace(test=catalogue.reason(c.reason).tell) for c in candidates])


def safe(catalogue: Catalogue, candidate: Candidate, weighing: Weighing) -> bool:
    """Whether a plain retry could help: a passing reason must be likely, and lasting ones must not be."""
    if catalogue.reason(candidate.reason).retry != "transient":
        return True
    lasting = [
        c.confidence for c in weighing.best.values() if catalogue.reason(c.reason).retry != "transient"
    ]
    if candidate.reason in weighing.documented or candidate.confidence >= _CERTAIN:
        return max(lasting, default=0.0) < BESIDE_A_CODE
    return candidate.confidence >= _PASSING and sum(lasting) <= _LASTING
