"""Learning the weights of canvas.knowledge.scores from labelled wordings: a softmax regression, plainly.

Labelled wordings are the phrases of phrases.tsv, the titles of all documented provider codes, the examples of the
catalogue, and, where given, a labelled corpus.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from canvas.knowledge import extract, sources
from canvas.knowledge.catalogue import Catalogue
from canvas.knowledge.features import Features, features_of
from canvas.knowledge.sources import HOME

_EPOCHS = 30
_LEFT_OUT = 0.4
_STEP = 0.6
_DECAY = 2e-4
_AVERAGED = 15
_WORTH_KEEPING = 0.15
_SEED = 20_261_123
_CHANNELS = {"whatsapp", "sms", "vbm"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One wording and the reason it means."""

    text: str
    channel: str | None
    reason: str


def wordings(catalogue: Catalogue, home: Path = HOME) -> Iterator[Labelled]:
    """Every labelled wording that comes with the catalogue, without repeats of a title."""
    seen = set()
    for row in catalogue.codes.rows:
        key = (row.key, row.cause)
        if key[0] and key not in seen:
            seen.add(key)
            yield Labelled(row.title, row.channel if row.channel in _CHANNELS else None, row.cause)
    for reason in catalogue.reasons.values():
        for example in reason.examples:
            yield Labelled(example.text, example.channel, reason.id)
    for reason_id, phrase in sources.read_phrases(home / "phrases.tsv", catalogue.reasons):
        yield Labelled(phrase, None, reason_id)


def corpus(path: Path) -> Iterator[Labelled]:
    """The lines of a labelled corpus, twice, for they are real and whole."""
    for line in path.read_text(encoding="utf-8").splitlines():
        labelled = of_line(json.loads(line))
        yield from (labelled, labelled)


def of_line(line: dict[str, Any]) -> Labelled:
    """What one line of a labelled corpus teaches."""
    return Labelled(line["text"], line["channel"], line["expected_cause"])


def feature_names(features: Features, channel: str | None, concepts: dict[int, str]) -> list[str]:
    """All features as names; concepts begin with @, or with !@ when negated."""
    named = [
        ("!@" if number % 2 else "@") + concepts[number - number % 2] for number in sorted(features.concepts)
    ]
    return [*named, *sorted(features.names(channel))]


def learn(
    samples: list[tuple[list[str], int]], labels: int
) -> tuple[list[float], dict[str, dict[int, float]]]:
    """Bias and weights after a fixed number of passes; the same samples give the same weights.

    Each pass leaves out some features of a sample by chance, so that no single word decides; the weights are then
    lowered by the same share. What stands after the later passes is averaged, so that chance decides less.
    """
    bias, weights = [0.0] * labels, {name: dict[int, float]() for names, _ in samples for name in names}
    order, chance = list(range(len(samples))), random.Random(_SEED)  # noqa: S311  # nosec B311 # shuffling
    mean_bias, mean = [0.0] * labels, {name: dict[int, float]() for name in weights}
    for epoch in range(_EPOCHS):
        chance.shuffle(order)
        step = _STEP / (1 + epoch * 0.15)
        for at in order:
            names, label = samples[at]
            kept = [name for name in names if chance.random() > _LEFT_OUT] or names
            learn_one(kept, label, bias, weights, step)
        if epoch >= _EPOCHS - _AVERAGED:
            mean_bias = [total + one / _AVERAGED for total, one in zip(mean_bias, bias, strict=True)]
            add(weights, mean, (1 - _LEFT_OUT) / _AVERAGED)
    return mean_bias, mean


def add(weights: dict[str, dict[int, float]], mean: dict[str, dict[int, float]], share: float) -> None:
    """Add a share of some weights to others."""
    for name, row in weights.items():
        sums = mean[name]
        for place, weight in row.items():
            sums[place] = sums.get(place, 0.0) + weight * share


def learn_one(
    names: list[str], label: int, bias: list[float], weights: dict[str, dict[int, float]], step: float
) -> None:
    """One step of gradient descent on one sample."""
    sums = bias.copy()
    for name in names:
        for place, weight in weights[name].items():
            sums[place] += weight
    top = max(sums)
    parts = [exp(total - top) for total in sums]
    whole = sum(parts)
    share = step / max(1.0, len(names) ** 0.5)
    for place, part in enumerate(parts):
        gradient = part / whole - (place == label)
        if abs(gradient) > 0.01:
            bias[place] -= step * gradient * 0.1
            for name in names:
                row = weights[name]
                row[place] = row.get(place, 0.0) * (1 - step * _DECAY) - share * gradient


def learned(catalogue: Catalogue, labelled: list[Labelled]) -> str:
    """The weights file for these wordings."""
    labels = list(catalogue.reasons)
    concepts = {number: name for name, number in catalogue.matcher.lexicon.numbers.items()}
    samples = []
    for one in labelled:
        features = features_of(extract.read(one.text).sentences, catalogue.matcher)
        samples.append((feature_names(features, one.channel, concepts), labels.index(one.reason)))
    bias, weights = learn(samples, len(labels))
    kept = {name: flat(row) for name, row in sorted(weights.items())}
    return json.dumps(
        {
            "stamp": sources.stamp(),
            "labels": labels,
            "bias": [round(value, 2) for value in bias],
            "concepts": {n.replace("@", "", 1): row for n, row in kept.items() if is_concept(n) and row},
            "names": {n: row for n, row in kept.items() if not is_concept(n) and row},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def is_concept(name: str) -> bool:
    """Whether a feature is a concept, plain or negated."""
    return name.startswith(("@", "!@"))


def flat(row: dict[int, float]) -> list[float]:
    """The weights worth keeping as place, weight, place, weight."""
    kept = [
        (place, round(weight, 2)) for place, weight in sorted(row.items()) if abs(weight) >= _WORTH_KEEPING
    ]
    return [part for pair in kept for part in pair]
