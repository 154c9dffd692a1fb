"""The vocabulary made searchable: which concepts the words of a text stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import is_break, words_of

_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff"
_RUN = re.compile(f"[{_NO_SPACES}]+")
_ARABIC_PREFIX = re.compile("^(?:وال|بال|كال|فال|لل|ال|و|ب)(?=...)")
_NEGATION_REACH = 4
_BACKWARD_REACH = 2


Phrase = tuple[tuple[str, ...], int]
Parts = list[list[str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one word stands for: concepts, and those of the phrases it begins, found by their second word.

    Each phrase has what follows its second word. Where only the beginning of that is given (`word*`), the phrase is in
    `begun`, found by its first letter, and has its second word, too.
    """

    concepts: tuple[int, ...] = ()
    phrases: Mapping[str, tuple[Phrase, ...]] | None = None
    begun: Mapping[str, tuple[Phrase, ...]] | None = None


NOTHING, BREAK, RUN = Entry(), Entry(), Entry()


@dataclass(slots=True)
class Lexicon:
    """Words and phrases of every concept, and the number of each concept.

    A concept's number is even; the number after it stands for the concept under a negation.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    _words: dict[str, list[int]] = field(default_factory=dict)
    _prefixes: dict[str, list[int]] = field(default_factory=dict)
    _starts: dict[str, list[tuple[tuple[str, ...], int]]] = field(default_factory=dict)
    _prefix_starts: dict[str, list[tuple[tuple[str, ...], int]]] = field(default_factory=dict)
    _runs: dict[str, list[int]] = field(default_factory=dict)
    _run_pattern: re.Pattern[str] | None = None
    _lengths: tuple[int, ...] = ()
    _entries: Memo[Entry] = field(default_factory=lambda: Memo(lambda _: NOTHING))
    _not: int = -1
    _not_after: int = -1

    @classmethod
    def of(cls, vocabulary: Mapping[str, Parts]) -> Lexicon:
        """The lexicon of a vocabulary: concept -> phrases as lists of folded words (`parts_of`)."""
        lexicon = cls()
        for concept, phrases in vocabulary.items():
            number = lexicon.number(concept)
            for parts in phrases:
                lexicon.add_parts(number, parts)
        return lexicon

    def number(self, concept: str) -> int:
        """The number of a concept, which is made known by asking."""
        return self.numbers.setdefault(concept, 2 * len(self.numbers))

    def add(self, concept: str, phrase: str) -> None:
        """Let a word, a prefix (`word*`) or a phrase of them stand for a concept."""
        parts = phrase_words(phrase)
        if not parts:
            raise ValueError(f"{concept}: nothing to match in {phrase!r}")
        self.add_parts(self.number(concept), parts)

    def add_parts(self, number: int, parts: list[str]) -> None:
        """Let folded words stand for the concept of a number."""
        first = parts[0]
        if len(parts) > 1:
            starts = self._prefix_starts if first[-1] == "*" else self._starts
            starts.setdefault(first.rstrip("*"), []).append((tuple(parts[1:]), number))
        elif first[-1] == "*":
            self._prefixes.setdefault(first[:-1], []).append(number)
        elif not first.isascii() and _RUN.fullmatch(first):
            self._runs.setdefault(first, []).append(number)
        else:
            self._words.setdefault(first, []).append(number)

    def sizes(self) -> dict[int, int]:
        """How many words the phrases given in patterns have, by concept number."""
        return {number: len(name.split()) for name, number in self.numbers.items() if name.startswith('"')}

    def settle(self) -> None:
        """Make ready for reading after the last word was added."""
        self._lengths = tuple(sorted({len(p) for p in [*self._prefixes, *self._prefix_starts]}, reverse=True))
        runs = sorted(self._runs, key=len, reverse=True)
        self._run_pattern = re.compile("|".join(map(re.escape, runs))) if runs else None
        self._not, self._not_after = self.number("not"), self.number("not_after")
        self._entries = Memo(self._look_up)

    def _look_up(self, word: str) -> Entry:
        """What a word stands for, if need be without its Arabic article, conjunction or preposition."""
        bare = _ARABIC_PREFIX.sub("", word)
        return (
            self._found(word)
            or self._found(bare)
            or self._found(_ARABIC_PREFIX.sub("", bare))
            or self._other(word)
        )

    def _other(self, word: str) -> Entry:
        return BREAK if is_break(word) else RUN if self._run_pattern and _RUN.search(word) else NOTHING

    def _found(self, word: str) -> Entry | None:
        concepts = list(self._words.get(word, ()))
        phrases = list(self._starts.get(word, ()))
        for length in self._lengths:
            if length <= len(word):
                concepts += self._prefixes.get(word[:length], ())
                phrases += self._prefix_starts.get(word[:length], ())
        if not concepts and not phrases:
            return None
        whole: dict[str, tuple[Phrase, ...]] = {}
        begun: dict[str, tuple[Phrase, ...]] = {}
        for (second, *rest), number in phrases:
            if second[-1] == "*":
                begun[second[0]] = (*begun.get(second[0], ()), ((second, *rest), number))
            else:
                whole[second] = (*whole.get(second, ()), (tuple(rest), number))
        return Entry(tuple(dict.fromkeys(concepts)), whole or None, begun or None)

    def read(self, words: Sequence[str]) -> list[dict[int, int]]:
        """For each sentence, the concepts in it and the position of the word each was first seen at."""
        sentences: list[dict[int, int]] = []
        found: dict[int, int] = {}
        negated_until, last = -1, len(words) - 1
        for at, entry in enumerate(map(self._entries.__getitem__, words)):
            if entry is NOTHING:
                continue
            if entry is BREAK:
                if found:
                    sentences.append(found)
                    found = {}
                negated_until = -1
                continue
            if entry is RUN:
                self._read_run(words[at], at, found)
                continue
            numbers = entry.concepts
            if entry.phrases and at < last:
                for rest, number in entry.phrases.get(words[at + 1], ()):
                    if not rest or follows(rest, words, at + 2):
                        numbers = (*numbers, number)
            if entry.begun and at < last:
                for rest, number in entry.begun.get(words[at + 1][0], ()):
                    if follows(rest, words, at + 1):
                        numbers = (*numbers, number)
            if at <= negated_until:
                numbers = tuple([n for number in numbers for n in (number, number + 1)])
            for number in numbers:
                found.setdefault(number, at)
            if self._not in numbers:
                negated_until = at + _NEGATION_REACH
            if self._not_after in numbers:
                negate_back(found, at)
        if found:
            sentences.append(found)
        return sentences

    def _read_run(self, word: str, at: int, found: dict[int, int]) -> None:
        """Concepts inside a run of a script that writes no spaces; a negation reaches the next word."""
        assert self._run_pattern
        negated_until = -1
        for match in self._run_pattern.finditer(word):
            for number in self._runs[match.group()]:
                found.setdefault(number, at)
                if match.start() <= negated_until:
                    found.setdefault(number + 1, at)
                if number == self._not:
                    negated_until = match.end() + 2
                if number == self._not_after:
                    negate_back(found, at)


def follows(rest: tuple[str, ...], words: Sequence[str], at: int) -> bool:
    """Whether these words, or words that begin so, stand at a place."""
    if at + len(rest) > len(words):
        return False
    for part in rest:
        if words[at] != part and not (part[-1] == "*" and words[at].startswith(part[:-1])):
            return False
        at += 1
    return True


def negate_back(found: dict[int, int], at: int) -> None:
    """Negate what stands just before a word such as the German "nicht" or the Turkish "değil"."""
    for number, seen in list(found.items()):
        if not number % 2 and at - _BACKWARD_REACH <= seen <= at:
            found.setdefault(number + 1, seen)


def parts_of(vocabulary: Mapping[str, Mapping[str, str]]) -> dict[str, Parts]:
    """The phrases of a vocabulary (concept -> language -> words with commas between) as folded words."""
    return {
        concept: [phrase_words(phrase) for words in languages.values() for phrase in words.split(",")]
        for concept, languages in vocabulary.items()
    }


def phrase_words(phrase: str) -> list[str]:
    """The folded words of a vocabulary phrase, each with its `*` kept."""
    parts: list[str] = []
    for piece in phrase.split():
        words = [w for w in words_of(piece.rstrip("*")) if not is_break(w)]
        if words and piece.endswith("*"):
            words[-1] += "*"
        parts += words
    return parts
