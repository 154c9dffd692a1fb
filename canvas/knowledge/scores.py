"""How likely each reason is, given the features of a text: weights learned from labelled wordings.

A softmax over sums of weights. The weights are made by `canvas.knowledge.build.learn` and only read here. All weights
of a feature are kept as the lanes of one large integer, so that adding up features is adding up integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, KeysView, Mapping, Set
from itertools import takewhile
from math import exp
from pathlib import Path
from typing import Any, TypeVar

import orjson

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import parts_of

NAME = "weights.json"

Feature = TypeVar("Feature", int, str)

# A lane holds the weights of one reason in hundredths, times this, plus the reason's place: sorted lanes tell both.
_PLACES = 128
# What is added to every weight, so that no lane is ever below zero.
OFFSET = 1 << 10
_HUNDREDTH = 100 * _PLACES
_FAR = 7 * _HUNDREDTH
_WORTH_A_WORD = 0.02


class Rows(dict[Feature, int]):
    """The lanes of every learned feature, packed at first use, so that loading stays cheap."""

    def __init__(self, rows: Mapping[Feature, str], count: int) -> None:
        super().__init__()
        self.learned: KeysView[Feature] = rows.keys()
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
        # A concept that nothing was learned of weighs the same for every reason.
        concepts = dict.fromkeys(range(2 * len(numbers)), "")
        for name, row in kept["concepts"].items():
            plain = name.removeprefix("!")
            if plain in numbers:
                concepts[numbers[plain] + (name[0] == "!")] = row
        self._concepts, self._names = Rows(concepts, count), Rows[str](kept["names"], count)
        self._words = Memo(lambda word: sum(map(self._names.__getitem__, parts_of(word))))
        self._bias = packed(kept["bias"], count) + lanes_of(range(count))
        self._lanes = struct.Struct(f"<{count}Q")

    @classmethod
    def read(cls, path: Path, numbers: Mapping[str, int]) -> Scores:
        """The weights of a file, with concept names as the numbers the lexicon gave them.

        A catalogue that nothing was learned for yet has a file missing, and scores nothing.
        """
        nothing = {"patterns": [], "labels": [], "bias": "", "concepts": {}, "names": {}}
        return cls(orjson.loads(path.read_bytes()) if path.exists() else nothing, numbers)

    def likely(
        self, concepts: Iterable[int], words: Iterable[str], names: Set[str]
    ) -> list[tuple[str, float]]:
        """The reasons and their probabilities, likeliest first; only those worth a word (over 2 %)."""
        if not self.labels:
            return []
        lanes = sum(map(self._concepts.__getitem__, concepts), self._bias)
        lanes = sum(map(self._words.__getitem__, words), lanes)
        lanes = sum(map(self._names.__getitem__, names & self._names.learned), lanes)
        sums = sorted(self._lanes.unpack(lanes.to_bytes(self._lanes.size, "little")), reverse=True)
        near = [
            (total % _PLACES, exp((total - sums[0]) / _HUNDREDTH))
            for total in takewhile((sums[0] - _FAR).__lt__, sums)
        ]
        whole = sum([part for _, part in near])
        return [(self.labels[place], part / whole) for place, part in near if part > _WORTH_A_WORD * whole]


def lanes_of(values: Iterable[int]) -> int:
    """Values side by side in one integer."""
    values = tuple(values)
    return int.from_bytes(struct.pack(f"<{len(values)}Q", *values), "little")


def packed(row: str, count: int) -> int:
    """The weights of one feature as lanes of one integer; done at first use, so that loading stays cheap.

    A row names places and their weights in hundredths, in turns. Every lane of a feature is raised by the same offset,
    which no difference between lanes shows.
    """
    lanes = [OFFSET] * count
    parts = row.split()
    for place, weight in zip(parts[::2], parts[1::2], strict=True):
        lanes[int(place)] += int(weight)
    return lanes_of([lane * _PLACES for lane in lanes])
