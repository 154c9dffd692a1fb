"""What a text offers to be judged by: its concepts, its words, and the patterns it fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from canvas.knowledge.codes_table import GENERIC_TITLES
from canvas.knowledge.patterns import Hit, Matcher
from canvas.knowledge.tokens import key_of_words, words_of

_SENTENCES = 12
_STRONG = 6.0
# Numbers by which servers say what they thought of a request, in whatever form they come.
_HTTP = {*("400", "401", "402", "403", "404", "405", "408", "409", "410", "413", "415", "422", "429")}
_HTTP |= {"500", "502", "503", "504"}
_SAYS_NOTHING = {
    *("the", "a", "an", "is", "are", "was", "were", "be", "been", "of", "in", "on", "at", "for", "and", "or"),
    *(
        "by",
        "with",
        "this",
        "that",
        "it",
        "as",
        "you",
        "your",
        "we",
        "our",
        "to",
        "from",
        "has",
        "have",
        "had",
    ),
    *(
        "do",
        "does",
        "did",
        "will",
        "would",
        "can",
        "could",
        "may",
        "should",
        "which",
        "if",
        "not",
        "no",
        "code",
    ),
    *(
        "error",
        "status",
        "command",
        "message",
        "please",
        "because",
        "due",
        "http",
        "https",
        "com",
        "www",
        "id",
        "value",
    ),
}


def _by_weight(item: tuple[str, Hit]) -> float:
    return item[1].weight


@dataclass(slots=True)
class Features:
    """The features of one text: numbers of concepts, words, the heaviest hit of each reason and its sentence.

    `keys` are the sentences as `key_of` would give them.
    """

    concepts: set[int] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    hits: dict[str, Hit] = field(default_factory=dict)
    where: dict[str, Sequence[str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def words_for(self, reason: str) -> str:
        """The words that fulfilled a reason's pattern; "" when none did."""
        if reason not in self.hits:
            return ""
        first, last = self.hits[reason].span()
        return " ".join(self.where[reason][first : last + 1])

    def names(self, channel: str | None) -> list[str]:
        """The features that are names: fulfilled patterns and the channel."""
        ranked = sorted(self.hits.items(), key=_by_weight, reverse=True)[:4] if self.hits else ()
        names = [f"r:{reason}" for reason, _ in ranked]
        if ranked:
            names.append(f"r1:{ranked[0][0]}:{'s' if ranked[0][1].weight > _STRONG else 'w'}")
        if channel:
            names.append(f"ch:{channel}")
        return names


def features_of(sentences: Sequence[str], matcher: Matcher) -> Features:
    """The features of the first sentences of a text. Ordinary ones count only by themselves."""
    features = Features()
    taken = [words_of(sentence) for sentence in sentences[:_SENTENCES]]
    features.keys = [key_of_words(words) for words in taken]
    telling = [
        words for words, key in zip(taken, features.keys, strict=True) if key and key not in GENERIC_TITLES
    ]
    for words in telling or taken:
        for concepts in matcher.lexicon.read(words):
            features.concepts.update(concepts)
            for hit in matcher.hits_in(concepts):
                keep(hit, words, features)
        said = set(words) - _SAYS_NOTHING
        features.words.update([word for word in said if word[0].isalpha() or word in _HTTP])
    return features


def keep(hit: Hit, words: Sequence[str], features: Features) -> None:
    """Remember the heaviest hit of each reason."""
    reason = hit.pattern.reason
    known = features.hits.get(reason)
    if known is None or known.weight < hit.weight:
        features.hits[reason] = hit
        features.where[reason] = words
