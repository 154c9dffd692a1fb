"""The catalogue: every reason, every provider code we know, and what finds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from canvas.knowledge import compiled, sources
from canvas.knowledge.codes_table import Codes
from canvas.knowledge.model import UNKNOWN, Channel, Evidence, Reason
from canvas.knowledge.patterns import Matcher, PatternError, matcher_of
from canvas.knowledge.scores import NAME as scores_file
from canvas.knowledge.scores import Scores
from canvas.knowledge.sources import CatalogueError, Row


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What we know. `reasons` are in the order of the files; `codes` answers by provider and code.

    `error_names` has Octopods' error names by (endpoint family, error_code). `unlearned` are the patterns, by
    reason, that were added since the weights were learned; `impossible` are the reasons that cannot be on a channel.
    """

    reasons: dict[str, Reason]
    codes: Codes
    matcher: Matcher
    scores: Scores
    error_names: dict[tuple[str, int], str]
    unlearned: dict[str, set[str]]
    impossible: dict[str | None, frozenset[str]]

    def reason(self, reason_id: str) -> Reason:
        """The reason of an id; `unknown` for an id that is no longer known."""
        return self.reasons.get(reason_id) or self.reasons[UNKNOWN]


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """The catalogue that comes with this version, read once."""
    return build(compiled.read())


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
    codes.add_ambiguous(facts["ambiguous"])
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
    new = {name: set(row.get("matches", ())) - scores.patterns for name, row in facts["reasons"].items()}
    unlearned = {name: patterns for name, patterns in new.items() if patterns}
    impossible: dict[str | None, frozenset[str]] = {
        channel: frozenset(r.id for r in reasons.values() if r.only_on and channel not in r.only_on)
        for channel in get_args(Channel)
    }
    return Catalogue(reasons, codes, matcher, scores, names, unlearned, impossible)


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
        tell=row.get("tell", ""),
        only_on=tuple(row.get("only_on", ())),
        examples=tuple(Evidence(**example) for example in row["examples"]),
    )
