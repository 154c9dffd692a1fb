"""How likely each reason is, given the features of a text: weights learned from labelled wordings.

A softmax over sums of weights. The weights are made by `canvas.knowledge.build.learn` and only read here. All weights
of a feature are kept as the lanes of one large integer, so that adding up features is adding up integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from itertools import chain
from math import exp
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import orjson

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import parts_of

NAME = "weights.json"

Feature = TypeVar("Feature", int, str)

_SCALE = 1000
_OFFSET = 1 << 16
_FAR = 7 * _SCALE
_WORTH_A_WORD = 0.02
_by_part = itemgetter(1)


class Rows(dict[Feature, int]):
    """The lanes of every learned feature, packed at first use, so that loading stays cheap."""

    def __init__(self, rows: Mapping[Feature, str], count: int) -> None:
        super().__init__()
        self._rows: Mapping[Feature, str] = rows
        self._count = count

    def __missing__(self, feature: Feature) -> int:
        row = self._rows.get(feature)
        if row is None:
            return 0
        self[feature] = lanes = packed(row, self._count)
        return lanes


class Scores:
    """The learned weights. `labels` are reason ids; `patterns` stood in the catalogue when they were learned."""

    def __init__(self, kept: dict[str, Any], numbers: Mapping[str, int]) -> None:
        """The weights as learned, with concept names as the numbers the lexicon gave them."""
        self.labels: list[str] = kept["labels"]
        self.patterns = set(kept["patterns"])
        count = len(self.labels)
        concepts = {}
        for name, row in kept["concepts"].items():
            plain = name.removeprefix("!")
            if plain in numbers:
                concepts[numbers[plain] + (name[0] == "!")] = row
        self._concepts, self._names = Rows(concepts, count), Rows[str](kept["names"], count)
        self._words = Memo(lambda word: sum(map(self._names.__getitem__, parts_of(word))))
        self._bias = packed(kept["bias"], count)
        self._lanes = struct.Struct(f"<{count}I")

    @classmethod
    def read(cls, path: Path, numbers: Mapping[str, int]) -> Scores:
        """The weights of a file, with concept names as the numbers the lexicon gave them.

        A catalogue that nothing was learned for yet has a file missing, and scores nothing.
        """
        nothing = {"patterns": [], "labels": [], "bias": "", "concepts": {}, "names": {}}
        return cls(orjson.loads(path.read_bytes()) if path.exists() else nothing, numbers)

    def likely(
        self, concepts: Iterable[int], words: Iterable[str], names: Iterable[str]
    ) -> list[tuple[str, float]]:
        """The reasons and their probabilities, likeliest first; only those worth a word (over 2 %)."""
        if not self.labels:
            return []
        concept, word, name = self._concepts.__getitem__, self._words.__getitem__, self._names.__getitem__
        lanes = sum(chain(map(concept, concepts), map(word, words), map(name, names)), self._bias)
        sums = self._lanes.unpack(lanes.to_bytes(self._lanes.size, "little"))
        top = max(sums)
        least = top - _FAR
        near = [
            (label, exp((total - top) / _SCALE))
            for label, total in zip(self.labels, sums, strict=True)
            if total > least
        ]
        whole = sum([part for _, part in near])
        worth = _WORTH_A_WORD * whole
        found = [(label, part / whole) for label, part in near if part > worth]
        return sorted(found, key=_by_part, reverse=True)


def packed(row: str, count: int) -> int:
    """The weights of one feature as lanes of one integer; done at first use, so that loading stays cheap.

    A row names places and their weights in hundredths, in turns. Every lane of a feature is raised by the same offset,
    which no difference between lanes shows.
    """
    lanes = [_OFFSET] * count
    parts = row.split()
    for place, weight in zip(parts[::2], parts[1::2], strict=True):
        lanes[int(place)] += int(weight) * _SCALE // 100
    return int.from_bytes(struct.pack(f"<{count}I", *lanes), "little")
