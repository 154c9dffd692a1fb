"""How likely each reason is, given the features of a text: weights learned from labelled wordings.

A softmax over sums of weights. The weights are made by `canvas.knowledge.build.learn` and only read here. All weights
of a feature are kept as the lanes of one large integer, so that adding up features is adding up integers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from pathlib import Path
from typing import Any, TypeVar

from canvas.knowledge.tokens import parts_of

NAME = "weights.json"

Feature = TypeVar("Feature", int, str)

_LANE_BYTES = 4
_SCALE = 1000
_OFFSET = 1 << 16
_FAR = 7 * _SCALE
_WORTH_A_WORD = 0.02
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Scores:
    """The learned weights. `labels` are reason ids; `bias` is how common each is on its own, as lanes."""

    labels: list[str]
    shape: str
    bias: int
    by_concept: dict[int, str | int]
    by_name: dict[str, str | int]
    _by_word: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, numbers: Mapping[str, int]) -> Scores:
        """The weights of a file, with concept names as the numbers the lexicon gave them.

        A catalogue that nothing was learned for yet has a file missing, and scores nothing.
        """
        if not path.exists():
            return cls([], "", 0, {}, {})
        return cls.of(json.loads(path.read_bytes()), numbers)

    @classmethod
    def of(cls, kept: dict[str, Any], numbers: Mapping[str, int]) -> Scores:
        """The weights as learned, with concept names as the numbers the lexicon gave them."""
        by_concept: dict[int, str | int] = {}
        for name, flat in kept["concepts"].items():
            plain = name.removeprefix("!")
            if plain in numbers:
                by_concept[numbers[plain] + (name[0] == "!")] = flat
        count = len(kept["labels"])
        bias = packed(kept["bias"], count)
        return cls(kept["labels"], f"<{count}I", bias, by_concept, kept["names"])

    def likely(
        self, concepts: Iterable[int], words: Iterable[str], names: Iterable[str]
    ) -> list[tuple[str, float]]:
        """The reasons and their probabilities, likeliest first; only those worth a word (over 2 %)."""
        if not self.labels:
            return []
        lanes = self._added(self.by_concept, concepts) + self._added(self.by_name, names) + self.bias
        known = self._by_word
        for word in words:
            part = known.get(word)
            lanes += self._of_word(word) if part is None else part
        sums = struct.unpack(self.shape, lanes.to_bytes(len(self.labels) * _LANE_BYTES, "little"))
        top = max(sums)
        near = [(at, exp((total - top) / _SCALE)) for at, total in enumerate(sums) if total > top - _FAR]
        least = _WORTH_A_WORD * sum([part for _, part in near])
        return [
            (self.labels[at], part * _WORTH_A_WORD / least)
            for at, part in sorted(near, key=_by_part, reverse=True)
            if part > least
        ]

    def _of_word(self, word: str) -> int:
        """The lanes of all parts of a word, which are remembered, for words return."""
        lanes = self._added(self.by_name, parts_of(word))
        if len(self._by_word) < _REMEMBERED:
            self._by_word[word] = lanes
        return lanes

    def _added(self, weights: dict[Feature, str | int], features: Iterable[Feature]) -> int:
        """The lanes of these features added up."""
        total = 0
        for feature in features:
            row = weights.get(feature)
            if row is not None:
                if isinstance(row, str):
                    row = weights[feature] = packed(row, len(self.labels))
                total += row
        return total


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


def _by_part(item: tuple[int, float]) -> float:
    return item[1]
