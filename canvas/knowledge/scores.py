"""How likely each reason is, given the features of a text: weights learned from labelled wordings.

A softmax over sums of weights. The weights are made by `canvas.knowledge.build.learn` and only read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp
from pathlib import Path

NAME = "weights.json"

Weights = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """The learned weights. `labels` are reason ids; `bias` is how common each is on its own."""

    labels: list[str]
    bias: list[float]
    by_concept: dict[int, Weights]
    by_name: dict[str, Weights]

    @classmethod
    def read(cls, path: Path, numbers: Mapping[str, int]) -> Scores:
        """The weights of a file, with concept names as the numbers the lexicon gave them.

        A catalogue that nothing was learned for yet has a file missing, and scores nothing.
        """
        if not path.exists():
            return cls([], [], {}, {})
        kept = json.loads(path.read_bytes())
        by_concept: dict[int, Weights] = {}
        for name, flat in kept["concepts"].items():
            plain = name.removeprefix("!")
            if plain in numbers:
                by_concept[numbers[plain] + (name[0] == "!")] = pairs(flat)
        by_name = {name: pairs(flat) for name, flat in kept["names"].items()}
        return cls(kept["labels"], kept["bias"], by_concept, by_name)

    def likely(self, concepts: Iterable[int], names: Iterable[str]) -> list[tuple[str, float]]:
        """The reasons and their probabilities, likeliest first; only those worth a word (over 2 %)."""
        if not self.labels:
            return []
        sums = self.bias.copy()
        get_concept, get_name = self.by_concept.get, self.by_name.get
        for number in concepts:
            for place, weight in get_concept(number, ()):
                sums[place] += weight
        for name in names:
            for place, weight in get_name(name, ()):
                sums[place] += weight
        top = max(sums)
        parts = [exp(total - top) for total in sums]
        whole = sum(parts)
        found = [
            (label, part / whole)
            for label, part in zip(self.labels, parts, strict=True)
            if part > 0.02 * whole
        ]
        return sorted(found, key=lambda item: -item[1])


def pairs(flat: list[float]) -> Weights:
    """(place, weight) pairs of a flat list."""
    return tuple((int(place), weight) for place, weight in zip(flat[::2], flat[1::2], strict=True))
