"""The little language in which a catalogue row says what it matches, and the finding of the best row.

A pattern is a list of terms that must all occur in one sentence, in any order:

    @phone @bad          both concepts of vocabulary.toml
    @registered|@exists  either
    !@approved           the concept under a negation ("is not approved")
    landline  "dead number"  unsubscrib*   a word, a phrase, words that begin so
    -@sender             must not occur
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log2

from canvas.knowledge.lexicon import Lexicon, Parts

_TERM = re.compile(
    r'(?P<absent>-?)(?P<body>(?:!?@\w+|!?"[^"]+"|!?[^\s|"]+)(?:\|(?:!?@\w+|!?"[^"]+"|!?[^\s|"]+))*)'
)
_HINT = 0.6
_CHOICE = re.compile(r'!?@\w+|!?"[^"]+"|!?[^\s|"]+')


class PatternError(ValueError):
    """A pattern of the reason named cannot be read."""

    def __init__(self, reason: str, pattern: str, why: str) -> None:
        super().__init__(f"pattern {pattern!r}: {why}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled pattern of one reason. Of each set of concepts in `needs` one must occur."""

    reason: str
    text: str
    needs: tuple[frozenset[int], ...]
    absent: frozenset[int]
    sure: bool


@dataclass(slots=True)
class Hit:
    """A pattern found in a sentence, given the sentence's concepts and where each stands."""

    pattern: Pattern
    weight: float
    concepts: dict[int, int]

    def span(self) -> tuple[int, int]:
        """The places of the first and the last word the pattern needed."""
        spots = [min(self.concepts[n] for n in need if n in self.concepts) for need in self.pattern.needs]
        return min(spots), max(spots)


@dataclass(slots=True)
class Matcher:
    """All patterns, indexed by the rarest concept each of them needs."""

    lexicon: Lexicon
    _by_anchor: dict[int, list[Pattern]] = field(default_factory=dict)
    _weights: dict[int, float] = field(default_factory=dict)

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """Every pattern that some sentence of the text fulfils."""
        return [hit for concepts in self.lexicon.read(words) for hit in self.hits_in(concepts)]

    def hits_in(self, concepts: dict[int, int]) -> list[Hit]:
        """Every pattern that one sentence fulfils, given its concepts and where they stand."""
        found = []
        present = set(concepts)
        for number in present:
            for pattern in self._by_anchor.get(number, ()):
                if fulfils(present, pattern):
                    found.append(Hit(pattern, self._weight(pattern, concepts), concepts))
        return found

    def _weight(self, pattern: Pattern, concepts: dict[int, int]) -> float:
        """How much a fulfilled pattern says: of each choice, the concept that tells most."""
        weight = 0.0
        for need in pattern.needs:
            weight += max([self._weights[number] for number in need if number in concepts])
        return weight if pattern.sure else weight * _HINT


def fulfils(present: set[int], pattern: Pattern) -> bool:
    """Whether a sentence has all the pattern needs and nothing it excludes."""
    for need in pattern.needs:
        if need.isdisjoint(present):
            return False
    return pattern.absent.isdisjoint(present)


def matcher_of(rows: Sequence[tuple[str, str, bool]], vocabulary: dict[str, Parts]) -> Matcher:
    """The matcher of (reason, pattern, sure) rows. Raises PatternError."""
    lexicon = Lexicon.of(vocabulary)
    parsed = []
    for reason, text, sure in rows:
        try:
            parsed.append((reason, text, sure, *parse(text, lexicon, vocabulary)))
        except ValueError as error:
            raise PatternError(reason, text, str(error)) from error
    lexicon.settle()
    matcher = Matcher(lexicon)
    users: dict[int, set[str]] = {}
    for reason, _, _, needs, _ in parsed:
        for number in frozenset().union(*needs):
            users.setdefault(number, set()).add(reason)
    sizes = lexicon.sizes()
    matcher._weights = {n: weight_of(len(u), sizes.get(n - n % 2, 1)) for n, u in users.items()}
    for reason, text, sure, needs, absent in parsed:
        pattern = Pattern(reason, text, needs, absent, sure)
        for number in max(needs, key=lambda need: min(matcher._weights[n] for n in need)):
            matcher._by_anchor.setdefault(number, []).append(pattern)
    return matcher


def weight_of(reasons: int, words: int) -> float:
    """How much a concept tells: more the fewer reasons speak of it, and the longer the phrase."""
    return 1 + log2(60 / reasons) / 2 + 0.8 * (words - 1)


def parse(
    text: str, lexicon: Lexicon, vocabulary: dict[str, Parts]
) -> tuple[tuple[frozenset[int], ...], frozenset[int]]:
    """What a pattern needs and what it excludes, as concept numbers."""
    needs: list[frozenset[int]] = []
    absent: set[int] = set()
    for term in _TERM.finditer(text):
        numbers = frozenset(number_of(c, lexicon, vocabulary) for c in _CHOICE.findall(term["body"]))
        if term["absent"]:
            absent |= numbers
        else:
            needs.append(numbers)
    if not needs:
        raise ValueError("needs nothing")
    return tuple(needs), frozenset(absent)


def number_of(choice: str, lexicon: Lexicon, vocabulary: dict[str, Parts]) -> int:
    """The concept number of one choice of a term; words of a pattern become concepts of their own."""
    negated, name = choice.startswith("!"), choice.removeprefix("!")
    if name.startswith("@"):
        if name[1:] not in vocabulary:
            raise ValueError(f"unknown concept {name}")
        return lexicon.number(name[1:]) + negated
    phrase = name.strip('"')
    concept = f'"{phrase}"'
    if concept not in lexicon.numbers:
        lexicon.add(concept, phrase)
    return lexicon.number(concept) + negated
