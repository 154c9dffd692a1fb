"""What a text offers to be judged by: its concepts, its words and their neighbours, and the patterns it fulfils."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from canvas.knowledge.codes_table import GENERIC_TITLES
from canvas.knowledge.memo import Memo
from canvas.knowledge.patterns import Hit, Matcher, Said
from canvas.knowledge.tokens import STEM, spelled_of, words_of

_SENTENCES = 12
_stems: Memo[str] = Memo(lambda word: word[:STEM])


@dataclass(slots=True)
class Features:
    """The features of one text: numbers of concepts, words, and pairs of neighbours.

    `keys` are the sentences as `key_of` would give them; `said` is what patterns are looked for in.
    """

    matcher: Matcher
    keys: list[str] = field(default_factory=list)
    concepts: set[int] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)

    def hit_of(self, reason: str) -> Hit | None:
        """The heaviest pattern of a reason that the text fulfils, if any."""
        return self.matcher.heaviest(reason, self.said)


def features_of(sentences: Sequence[str], matcher: Matcher) -> Features:
    """The features of a text; ordinary sentences count only by themselves. Patterns are looked for in all of many."""
    taken = [words_of(sentence) for sentence in sentences]
    spelled = [spelled_of(words) for words in taken[:_SENTENCES]]
    features = Features(matcher, [" ".join(words) for words in spelled])
    first = list(zip(features.keys, spelled, taken, strict=False))
    telling = [one for one in first if one[0] and one[0] not in GENERIC_TITLES]
    for _, words, all_words in telling or first:
        features.words.update(all_words)
        features.pairs.update(pairs_of(words))
        for concepts in matcher.lexicon.read(all_words):
            features.concepts.update(concepts)
            features.said.append((concepts, all_words))
    for words in taken[_SENTENCES:]:
        features.said += [(concepts, words) for concepts in matcher.lexicon.read(words)]
    return features


def pairs_of(words: Iterable[str]) -> Iterable[str]:
    """Each word and the next one of a sentence, by their stems; they tell what the words alone do not."""
    return map(" ".join, pairwise(map(_stems.__getitem__, words)))
