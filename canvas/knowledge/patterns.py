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
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from math import log2
from operator import itemgetter

from canvas.knowledge.lexicon import Lexicon, Parts

_TERM = re.compile(
    r'(?P<absent>-?)(?P<body>(?:!?@\w+|!?"[^"]+"|!?[^\s|"]+)(?:\|(?:!?@\w+|!?"[^"]+"|!?[^\s|"]+))*)'
)
_HINT = 0.6
_tells = itemgetter(1)
_CHOICE = re.compile(r'!?@\w+|!?"[^"]+"|!?[^\s|"]+')

Choice = tuple[tuple[int, float], ...]


# The concepts of one sentence with where each stands, and the words of the text.
Said = tuple[dict[int, int], Sequence[str]]


class PatternError(ValueError):
    """A pattern of the reason named cannot be read."""

    def __init__(self, reason: str, pattern: str, why: str) -> None:
        super().__init__(f"pattern {pattern!r}: {why}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled pattern of one reason.

    Of each choice in `needs` one concept must occur; each stands with how much it tells, those that tell most first.
    """

    reason: str
    text: str
    needs: tuple[Choice, ...]
    absent: frozenset[int]
    share: float

    def weight_in(self, present: Set[int]) -> float:
        """How much the pattern says of a sentence with these concepts: of each choice what tells most; 0 if nothing."""
        weight = 0.0
        for choice in self.needs:
            for number, tells in choice:
                if number in present:
                    weight += tells
                    break
            else:
                return 0.0
        return weight * self.share if self.absent.isdisjoint(present) else 0.0


@dataclass(slots=True)
class Hit:
    """A pattern found in a sentence, given the sentence's words, its concepts and where each stands."""

    pattern: Pattern
    weight: float
    concepts: dict[int, int]
    words: Sequence[str]

    def said(self) -> str:
        """The words from the first to the last one the pattern needed."""
        seen = self.concepts
        spots = [min([seen[n] for n, _ in choice if n in seen]) for choice in self.pattern.needs]
        return " ".join(self.words[min(spots) : max(spots) + 1])


@dataclass(slots=True)
class Matcher:
    """All patterns, by their reason and the rarest concept each of them needs."""

    lexicon: Lexicon
    _by_reason: dict[str, dict[int, list[Pattern]]] = field(default_factory=dict)

    def sure(self) -> set[str]:
        """The patterns that are more than hints."""
        anchored = (patterns for anchors in self._by_reason.values() for patterns in anchors.values())
        return {pattern.text for patterns in anchored for pattern in patterns if pattern.share == 1.0}

    def heaviest(self, reason: str, said: Iterable[Said]) -> Hit | None:
        """The pattern of this reason that says most of some sentence, if any is fulfilled."""
        found: Hit | None = None
        anchored = self._by_reason.get(reason, {})
        for concepts, words in said:
            present = concepts.keys()
            for number in present & anchored.keys():
                for pattern in anchored[number]:
                    weight = pattern.weight_in(present)
                    if weight > (found.weight if found else 0.0):
                        found = Hit(pattern, weight, concepts, words)
        return found

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """The heaviest hit of each reason in the sentences of a text."""
        said = [(concepts, words) for concepts in self.lexicon.read(words)]
        return [hit for reason in self._by_reason if (hit := self.heaviest(reason, said))]


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
    tells = {n: (n, weight_of(len(u), sizes.get(n - n % 2, 1))) for n, u in users.items()}
    for reason, text, sure, needs, absent in parsed:
        choices = tuple([tuple(sorted([tells[n] for n in need], key=_tells, reverse=True)) for need in needs])
        pattern = Pattern(reason, text, choices, absent, 1.0 if sure else _HINT)
        for number, _ in max(choices, key=lambda choice: choice[-1][1]):
            matcher._by_reason.setdefault(reason, {}).setdefault(number, []).append(pattern)
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
