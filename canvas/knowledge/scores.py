"""How likely each reason is, given the features of a text: weights learned from labelled wordings.

A softmax over sums of weights. The weights are made by `canvas.knowledge.build.learn` and only read here. All weights
of a feature are kept as the lanes of one large integer, so that adding up features is adding up integers.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from math import exp
from pathlib import Path
from typing import Any

import orjson

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import parts_of

NAME = "weights.tsv"

# A lane holds the weights of one reason in hundredths, times this, plus the reason's place: sorted lanes tell both.
PLACES = 64
# What is added to every weight, so that no lane is ever below zero. A lane of 32 bits holds 65,536 weights below twice
# this, and the longest text that is read (extract.LONGEST) has fewer features than that.
OFFSET = 1 << 9
_LANE = "L"
# How many hundredths a reason may be behind the likeliest one to count, and what it then counts beside it.
_FAR = 700
_SHARES = [exp(-hundredths / 100) for hundredths in range(_FAR + 1)]
_WORTH_A_WORD = 0.02


class Concepts(dict[int, int]):
    """The lanes of every concept, packed at first use, so that loading stays cheap.

    A concept that nothing was learned of weighs the same for every reason.
    """

    def __init__(self, rows: Mapping[int, str], count: int) -> None:
        super().__init__()
        self._rows = rows
        self._count = count

    def __missing__(self, number: int) -> int:
        self[number] = lanes = packed(self._rows.get(number, ""), self._count)
        return lanes


class Scores:
    """The learned weights. `labels` are reason ids; `patterns` stood in the catalogue when they were learned."""

    def __init__(self, data: bytes, numbers: Mapping[str, int]) -> None:
        """The weights as the file has them, with concept names as the numbers the lexicon gave them.

        The first line is an object; of the others, which are sorted, each is a word or a pair of neighbours, a tab and
        a row. They are many, and each is read when a text first has it.
        """
        first, *self._lines = data.split(b"\n")
        kept: dict[str, Any] = orjson.loads(first)
        self.labels: list[str] = kept["labels"]
        self.patterns = set(kept["patterns"])
        self._count = len(self.labels)
        named = {(name.removeprefix("!"), name[0] == "!"): row for name, row in kept["concepts"].items()}
        rows = {numbers[name] + negated: row for (name, negated), row in named.items() if name in numbers}
        self._concepts = Concepts(rows, self._count)
        self._names = Memo(self._lanes_of)
        self._words = Memo(lambda word: sum(map(self._names.__getitem__, parts_of(word))))
        self._bias = packed(kept["bias"], self._count) + lanes_of(range(self._count))
        self._lanes = struct.Struct(f"<{self._count}{_LANE}")

    @classmethod
    def read(cls, path: Path, numbers: Mapping[str, int]) -> Scores:
        """The weights of a file, with concept names as the numbers the lexicon gave them.

        A catalogue that nothing was learned for yet has a file missing, and scores nothing.
        """
        nothing = {"patterns": [], "labels": [], "bias": "", "concepts": {}}
        return cls(path.read_bytes() if path.exists() else orjson.dumps(nothing), numbers)

    def _lanes_of(self, name: str) -> int:
        """The lanes of a word, a piece of one, or a pair; 0 for one that nothing was learned of."""
        begin = name.encode("utf-8", "replace") + b"\t"
        at = bisect_left(self._lines, begin)
        if at == len(self._lines) or not self._lines[at].startswith(begin):
            return 0
        return packed(self._lines[at][len(begin) :].decode(), self._count)

    def likely(
        self, concepts: Iterable[int], words: Iterable[str], names: Iterable[str]
    ) -> list[tuple[str, float]]:
        """The reasons and their probabilities, likeliest first; only those worth a word (over 2 %)."""
        if not self.labels:
            return []
        lanes = sum(map(self._concepts.__getitem__, concepts), self._bias)
        lanes = sum(map(self._words.__getitem__, words), lanes)
        lanes = sum(map(self._names.__getitem__, names), lanes)
        sums = self._lanes.unpack(lanes.to_bytes(self._lanes.size, "little"))
        highest = max(sums)
        far = highest - _FAR * PLACES
        near = sorted([total for total in sums if total > far], reverse=True)
        parts = [_SHARES[highest // PLACES - total // PLACES] for total in near]
        whole = sum(parts)
        return [
            (self.labels[total % PLACES], part / whole)
            for total, part in zip(near, parts, strict=True)
            if part > _WORTH_A_WORD * whole
        ]


def lanes_of(values: Iterable[int]) -> int:
    """Values side by side in one integer."""
    values = tuple(values)
    return int.from_bytes(struct.pack(f"<{len(values)}{_LANE}", *values), "little")


def packed(row: str, count: int) -> int:
    """The weights of one feature as lanes of one integer; done at first use, so that loading stays cheap.

    A row names places and their weights in hundredths, in turns. Every lane of a feature is raised by the same offset,
    which no difference between lanes shows.
    """
    if not row:
        return 0
    lanes = [OFFSET] * count
    parts = row.split()
    for place, weight in zip(parts[::2], parts[1::2], strict=True):
        lanes[int(place)] += int(weight)
    return lanes_of([lane * PLACES for lane in lanes])
