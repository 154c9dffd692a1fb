"""What a text offers to be judged by: its concepts, its words, and the patterns it fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from canvas.knowledge.codes_table import GENERIC_TITLES
from canvas.knowledge.patterns import Hit, Matcher
from canvas.knowledge.tokens import key_of_words, words_of

_SENTENCES = 12
_STRONG = 6.0
_NAMED = 4
_weight = attrgetter("weight")


@dataclass(slots=True)
class Features:
    """The features of one text: numbers of concepts, words, and the heaviest hit of each reason.

    `keys` are the sentences as `key_of` would give them.
    """

    keys: list[str] = field(default_factory=list)
    concepts: set[int] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    hits: dict[str, Hit] = field(default_factory=dict)

    def words_for(self, reason: str) -> str:
        """The words that fulfilled a reason's pattern; "" when none did."""
        hit = self.hits.get(reason)
        return hit.said() if hit else ""

    def names(self, channel: str | None) -> list[str]:
        """The features that are names: fulfilled patterns and the channel."""
        ranked = sorted(self.hits.values(), key=_weight, reverse=True)[:_NAMED]
        names = [f"r:{hit.pattern.reason}" for hit in ranked]
        if ranked:
            names.append(f"r1:{ranked[0].pattern.reason}:{'s' if ranked[0].weight > _STRONG else 'w'}")
        if channel:
            names.append(f"ch:{channel}")
        return names


def features_of(sentences: Sequence[str], matcher: Matcher) -> Features:
    """The features of the first sentences of a text. Ordinary ones count only by themselves."""
    features = Features()
    ordinary: list[list[str]] = []
    telling: list[list[str]] = []
    for sentence in sentences[:_SENTENCES]:
        words = words_of(sentence)
        key = key_of_words(words)
        features.keys.append(key)
        (telling if key and key not in GENERIC_TITLES else ordinary).append(words)
    for words in telling or ordinary:
        features.words.update(words)
        for concepts in matcher.lexicon.read(words):
            features.concepts.update(concepts)
            matcher.add_hits(concepts, words, features.hits)
    return features
