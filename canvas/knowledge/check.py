"""The catalogue's own proof: every example finds its row, and no other row's pattern takes it."""

from __future__ import annotations

from pathlib import Path

from canvas.knowledge import compiled, extract, sources
from canvas.knowledge.catalogue import Catalogue, build
from canvas.knowledge.diagnose import diagnose_with
from canvas.knowledge.model import Evidence
from canvas.knowledge.patterns import Pattern
from canvas.knowledge.sources import CatalogueError
from canvas.knowledge.tokens import words_of


def load_from(home: Path = sources.HOME) -> Catalogue:
    """The catalogue of the files in a folder, fully checked. Raises CatalogueError with file, row and reason."""
    return check(build(compiled.folded(sources.read(home)), home), home)


def check(catalogue: Catalogue, home: Path = sources.HOME) -> Catalogue:
    """The same catalogue, when every example finds its own row and no other row's pattern takes it.

    Raises CatalogueError.
    """
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
