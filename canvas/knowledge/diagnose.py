"""From what came back to why: evidence in, diagnosis out. No input or output, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from functools import lru_cache

from canvas.knowledge import extract
from canvas.knowledge.catalogue import Catalogue, load
from canvas.knowledge.codes_table import CodeRow, is_said, short_of
from canvas.knowledge.features import Features, features_of
from canvas.knowledge.model import OPTED_OUT, UNKNOWN, Candidate, Diagnosis, Evidence
from canvas.knowledge.reading import Reading
from canvas.knowledge.weighing import (
    BESIDE_A_CODE,
    HINT,
    REFINES,
    VAGUE,
    VAGUE_CODE,
    Likely,
    Weighing,
)
from canvas.knowledge.weighing import OPT_OUT as SURE_OPT_OUT

_REMEMBERED_LENGTH = 4_000
_SHOWN = 120
_KNOWN = 0.3
_CLEAR, _POSSIBLE = 0.9, 0.03
_PASSING, _LASTING, _CERTAIN = 0.45, 0.2, 0.95
_CANDIDATES = 4
_WORTH_SHOWING = 0.08
_TOO_MANY_REQUESTS = 429
_LONGEST_CODE = 64
_NONE = Candidate(UNKNOWN, 0.0, "")


def diagnose(evidence: Evidence) -> Diagnosis:
    """The reason behind one failed message, with candidates where it is not certain, or `unknown`.

    Never raises, whatever the text is; never answers a reason that allows a plain retry where the evidence
    speaks of a person who opted out.
    """
    evidence = bounded(evidence)
    if len(evidence.text) <= _REMEMBERED_LENGTH:
        return _remembered(evidence)
    return diagnose_with(load(), evidence)


@lru_cache(maxsize=4096)
def _remembered(evidence: Evidence) -> Diagnosis:
    return diagnose_with(load(), evidence)


def diagnose_with(catalogue: Catalogue, evidence: Evidence) -> Diagnosis:
    """`diagnose` with a given catalogue."""
    named = catalogue.codes.provider(evidence.provider)
    evidence = bounded(evidence)
    evidence = numbered(evidence) if named else evidence
    reading = extract.read(evidence.text)
    features = features_of(reading.sentences, catalogue.matcher)
    likely = likelihoods(catalogue, features, evidence)
    strange = bool(evidence.provider and not named)
    provider = provider_of(catalogue, named, evidence)
    rows = catalogue.codes.in_receipt(provider, reading.receipt_error)
    rows = rows or code_rows(catalogue, provider, evidence, reading, features.keys, likely, strange)
    weighing = Weighing(impossible=catalogue.impossible.get(evidence.channel, frozenset()))
    told = add_first(weighing, catalogue, features, reading, rows, provider, strange)
    vague = bool(told) and bool(weighing.refinable or {row.cause for row in told} <= VAGUE)
    if vague or (reading.framing and weighing.best):
        details = beside(reading, features.keys, told if vague else [])
        features = features_of(details, catalogue.matcher)
        likely = likelihoods(catalogue, features, evidence) if details else []
    weighing.add_words(likely)
    if weighing.says_nothing(_KNOWN):
        add_last(catalogue, evidence, features, weighing)
    best, foremost = verdict(catalogue, weighing)
    shown = as_shown(catalogue, foremost, features, reading)
    matched = shown[0].matched if best is not _NONE else ""
    reason, code = catalogue.reason(best.reason), rows[0].code if rows else evidence.code
    how = (best.confidence, matched, shown, reason.fixes, provider, code)
    return Diagnosis(best.reason, reason.category, reason.retry, *how)


def add_first(
    weighing: Weighing,
    catalogue: Catalogue,
    features: Features,
    reading: Reading,
    rows: list[CodeRow],
    provider: str | None,
    strange: bool,
) -> list[CodeRow]:
    """What counts before the words do: an opt-out, codes and titles, of one ordinary word too; the rows of these.

    `strange` is a provider whose codes we lack.
    """
    if opt_out := features.hit_of(OPTED_OUT):
        weighing.opted_out = True
        weighing.add(OPTED_OUT, SURE_OPT_OUT, opt_out.said())
    if rows:
        weighing.add_codes(rows, catalogue.codes)
    said = zip(reading.sentences, features.keys, strict=False)
    titled = weighing.add_titles(said, catalogue.codes, provider, strange)
    if len(features.keys) == 1:
        weighing.add_agreed(features.keys[0], catalogue.codes)
    return rows or titled


def numbered(evidence: Evidence) -> Evidence:
    """The evidence of a provider we know: a number that is all it says is its code. Naught says nothing."""
    text = evidence.text.strip()
    if evidence.code or not text.isdecimal() or not text.strip("0"):
        return evidence
    return replace(evidence, code=text[:_LONGEST_CODE])


def bounded(evidence: Evidence) -> Evidence:
    """The evidence, of which no more is looked at than a provider would say."""
    if len(evidence.text) <= extract.LONGEST and len(evidence.code or "") <= _LONGEST_CODE:
        return evidence
    code = evidence.code[:_LONGEST_CODE] if evidence.code else None
    return replace(evidence, text=evidence.text[: extract.LONGEST], code=code)


def add_last(catalogue: Catalogue, evidence: Evidence, features: Features, weighing: Weighing) -> None:
    """What counts where codes and words say nothing: a status of its own, or a pattern newer than the weights."""
    if evidence.http_status == _TOO_MANY_REQUESTS:
        weighing.decide("rate_limited_api", VAGUE_CODE, str(_TOO_MANY_REQUESTS))
        weighing.documented.add("rate_limited_api")
    hits = [(features.hit_of(reason), patterns) for reason, patterns in catalogue.unlearned.items()]
    new = [hit for hit, patterns in hits if hit and hit.pattern.text in patterns]
    # A pattern nobody has measured opens no plain retry.
    lasting = [hit for hit in new if catalogue.reason(hit.pattern.reason).retry != "transient"]
    if lasting:
        heaviest = max(lasting, key=lambda hit: hit.weight)
        weighing.decide(heaviest.pattern.reason, HINT, heaviest.said())


def likelihoods(catalogue: Catalogue, features: Features, evidence: Evidence) -> Likely:
    """The reasons the words speak for, likeliest first."""
    names = features.pairs | {f"ch:{evidence.channel}"} if evidence.channel else features.pairs
    return catalogue.scores.likely(features.concepts, features.words, names)


def provider_of(catalogue: Catalogue, named: str | None, evidence: Evidence) -> str | None:
    """Whose words these are: who was named, else whose marks the text bears."""
    if named:
        return catalogue.codes.service(named, evidence.text)
    return catalogue.codes.provider_of_text(evidence.text)


def beside(reading: Reading, keys: list[str], vague: list[CodeRow]) -> list[str]:
    """The sentences that say more than a field and its word, and than the titles of rows that themselves say little."""
    keyed = zip(reading.sentences, keys, strict=False)
    found = [(said, key) for said, key in keyed if said not in reading.framing]
    if not vague:
        return [said for said, _ in found]
    titles = {row.key for row in vague} | {short_of(row.title) for row in vague}
    return [rest for said, key in found if " " in said and (rest := beyond(said, key, titles))]


def beyond(said: str, key: str, titles: Set[str]) -> str:
    """A sentence, given its key, without the titles it contains; "" where it is no more than those."""
    rest = f" {key} "
    for title in sorted(titles, key=len, reverse=True):
        if " " in title or title == key:
            rest = rest.replace(f" {title} ", " ")
    rest = rest.strip()
    return said if rest == key else rest


def code_rows(
    catalogue: Catalogue,
    provider: str | None,
    evidence: Evidence,
    reading: Reading,
    keys: list[str],
    likely: Likely,
    strange: bool,
) -> list[CodeRow]:
    """The documented rows of the first code that has any, for the provider that is known or fits.

    The code a caller names comes first, then one of an opt-out, then a code whose own title is said, too, then one of
    what does not pass by itself.
    A number is believed when a key or a form says that it is a code; any other, and any of a strange provider, who may
    pass on another's codes or count for itself, counts when the words do not clearly say something else.
    """
    if not (evidence.code or reading.codes):
        return []
    said = {key.replace(" ", "") for key in keys}
    first: list[CodeRow] = []
    lasting: list[CodeRow] = []
    told: list[CodeRow] = []
    opt_out: list[CodeRow] = []
    for code, found in meanings(catalogue, provider, evidence, reading, said):
        rows = meant(found, keys, likely)
        if code == evidence.code:
            return rows
        sure = code in reading.sure_codes
        believed = sure and not (strange and telling_words(likely))
        if believed or not contradicted({row.cause for row in rows}, likely):
            first = first or rows
            told += [row for row in rows if sure and is_said(row, said)]
            lasting = lasting or (rows if sure and not passing(catalogue, rows) else [])
        if sure and not strange and {row.cause for row in rows} == {OPTED_OUT}:
            opt_out = opt_out or rows
    if opt_out:
        return opt_out
    telling = catalogue.codes.telling(told)
    return [row for row in telling if row.code == telling[0].code] or lasting or first


def passing(catalogue: Catalogue, rows: list[CodeRow]) -> bool:
    """Whether a plain retry may help whatever of these rows is meant."""
    return all(catalogue.reason(row.cause).retry == "transient" for row in rows)


def meanings(
    catalogue: Catalogue, provider: str | None, evidence: Evidence, reading: Reading, said: Set[str]
) -> Iterator[tuple[str, list[list[CodeRow]]]]:
    """Each code with its rows in the numberings its provider may mean; numbers that only look like codes come last."""
    named = [evidence.code] if evidence.code else []
    for code in [*named, *sorted(reading.codes, key=lambda code: code not in reading.sure_codes)]:
        whose = provider or ("meta" if is_meta(code, evidence.channel or "whatsapp") else None)
        services = catalogue.codes.numberings(whose) if whose else ()
        of_services = (
            catalogue.codes.look_up(service, code, evidence.channel, evidence.text, said)
            for service in services
        )
        if found := [rows for rows in of_services if rows]:
            yield code, found


def meant(found: list[list[CodeRow]], keys: list[str], likely: Likely) -> list[CodeRow]:
    """Of a provider's own rows and those of its services, which number for themselves, the ones the words speak of."""
    for rows in found:
        if titled := [row for row in rows if row.key in keys]:
            return titled
    chances = dict(likely)
    own, *others = ([(chances.get(row.cause, 0), rows) for row in rows] for rows in found)
    told = [rows for one in others for chance, rows in one if chance >= REFINES and max(own)[0] < _POSSIBLE]
    return told[0] if told else found[0]


def is_meta(code: str, channel: str) -> bool:
    """Whether a number can only be one of the WhatsApp Cloud API (130000 to 139999)."""
    return channel == "whatsapp" and len(code) == 6 and code.isdecimal() and code.startswith("13")


def telling_words(likely: Likely) -> bool:
    """Whether the words speak for any reason rather than for none."""
    return bool(likely) and likely[0][0] != UNKNOWN


def contradicted(causes: set[str], likely: Likely) -> bool:
    """Whether the words clearly say something that is none of these causes."""
    if not likely or likely[0][1] <= _CLEAR:
        return False
    chances = dict(likely)
    return not any(chances.get(cause, 0) > _POSSIBLE for cause in causes)


def verdict(catalogue: Catalogue, weighing: Weighing) -> tuple[Candidate, list[Candidate]]:
    """The best reason when it is likely enough, else none; and the candidates worth showing, the best one first."""
    ordered = weighing.ordered()
    best = next((candidate for candidate in ordered if safe(catalogue, candidate, weighing)), _NONE)
    if best.confidence < max(_KNOWN, weighing.doubt):
        best = _NONE
    others = [c for c in ordered if c.confidence >= _WORTH_SHOWING and c is not best]
    return best, others[:_CANDIDATES] if best is _NONE else [best, *others[: _CANDIDATES - 1]]


def as_shown(
    catalogue: Catalogue, candidates: list[Candidate], features: Features, reading: Reading
) -> tuple[Candidate, ...]:
    """The candidates with the words that spoke for each and, where there are several, a cheap way to tell it apart."""
    shown = []
    for candidate in candidates:
        hit = None if candidate.matched else features.hit_of(candidate.reason)
        matched = candidate.matched or (hit.said() if hit else " ".join(reading.sentences)[:_SHOWN])
        test = catalogue.reason(candidate.reason).tell if len(candidates) > 1 else ""
        shown.append(Candidate(candidate.reason, candidate.confidence, matched, test))
    return tuple(shown)


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
