"""The catalogue: every reason, every provider code we know, and what finds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from canvas.knowledge import compiled, extract, sources
from canvas.knowledge.codes_table import Codes
from canvas.knowledge.model import UNKNOWN, Evidence, Reason
from canvas.knowledge.patterns import Matcher, Pattern, PatternError, matcher_of
from canvas.knowledge.scores import NAME as scores_file
from canvas.knowledge.scores import Scores
from canvas.knowledge.sources import CatalogueError, Row
from canvas.knowledge.tokens import words_of


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What we know. `reasons` are in the order of the files; `codes` answers by provider and code.

    `error_names` has Octopods' error names by (endpoint family, error_code).
    """

    reasons: dict[str, Reason]
    codes: Codes
    matcher: Matcher
    scores: Scores
    error_names: dict[tuple[str, int], str]

    def reason(self, reason_id: str) -> Reason:
        """The reason of an id; `unknown` for an id that is no longer known."""
        return self.reasons.get(reason_id) or self.reasons[UNKNOWN]


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """The catalogue that comes with this version, read once."""
    return build(compiled.read())


def load_from(home: Path) -> Catalogue:
    """A catalogue from files elsewhere, fully checked. Raises CatalogueError with file, row and reason."""
    return check(build(sources.read(home), home), home)


def build(facts: Row, home: Path = sources.HOME) -> Catalogue:
    """The catalogue of already checked facts. Raises CatalogueError for a pattern that cannot be read."""
    patterns = [
        (name, pattern, key == "matches")
        for name, row in facts["reasons"].items()
        for key in ("matches", "hints")
        for pattern in row.get(key, ())
    ]
    try:
        matcher = matcher_of(patterns, facts["vocabulary"])
    except PatternError as error:
        raise CatalogueError(sources.file_of(error.reason, home), error.reason, str(error)) from error
    reasons = {name: reason_of(name, row) for name, row in facts["reasons"].items()}
    codes = Codes.of(facts["codes"], facts["providers"])
    for name, row in facts["octopods"].items():
        if row["reason"] != UNKNOWN:
            codes.add_own(name, row["reason"], reasons[row["reason"]].retry)
    names = {
        (family, row[family]): name
        for name, row in facts["octopods"].items()
        for family in row
        if family != "reason"
    }
    scores = Scores.read(home / scores_file, matcher.lexicon.numbers)
    return Catalogue(reasons, codes, matcher, scores, names)


def reason_of(name: str, row: dict[str, Any]) -> Reason:
    """One row as a Reason."""
    return Reason(
        id=name,
        title=row["title"],
        meaning=row["meaning"],
        cure=row["cure"],
        again=row["again"],
        who=row["who"],
        category=row["category"],
        retry=row["retry"],
        fixes=tuple(row["fixes"]),
        wait_seconds=row.get("wait_seconds", 0),
        source=row["source"],
        customer_words=row["customer_words"],
        examples=tuple(Evidence(**example) for example in row["examples"]),
    )


def check(catalogue: Catalogue, home: Path = sources.HOME) -> Catalogue:
    """The same catalogue, when every example finds its own row and no other row's pattern takes it.

    Raises CatalogueError.
    """
    from canvas.knowledge.diagnose import diagnose_with

    for reason in catalogue.reasons.values():
        for example in reason.examples:
            found = diagnose_with(catalogue, example).reason
            if found != reason.id:
                why = f"its example {example.text!r} is taken by {found}"
                raise CatalogueError(sources.file_of(reason.id, home), reason.id, why)
            thief = taker(catalogue, reason.id, example)
            if thief:
                why = f"pattern {thief.text!r} matches an example of {reason.id}: {example.text!r}"
                raise CatalogueError(sources.file_of(thief.reason, home), thief.reason, why)
    return catalogue


def taker(catalogue: Catalogue, reason_id: str, example: Evidence) -> Pattern | None:
    """Another row's pattern that says as much about an example's words as its own row does, if any."""
    hits = [
        hit
        for sentence in extract.read(example.text).sentences
        for hit in catalogue.matcher.hits(words_of(sentence))
    ]
    own = max((hit.weight for hit in hits if hit.pattern.reason == reason_id), default=0.0)
    foreign = max(
        (hit for hit in hits if hit.pattern.reason != reason_id), key=lambda hit: hit.weight, default=None
    )
    return foreign.pattern if own and foreign and foreign.weight >= own else None
