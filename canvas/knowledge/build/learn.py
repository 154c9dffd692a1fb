"""Learning the weights of canvas.knowledge.scores from labelled wordings: a softmax regression.

Labelled wordings are the phrases of phrases.tsv, the titles of all documented provider codes, the examples of the
catalogue, the texts beside this module (found, and written in the manner of providers), and labelled corpora.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from canvas.knowledge import extract, sources
from canvas.knowledge.catalogue import Catalogue
from canvas.knowledge.features import Features, features_of
from canvas.knowledge.model import UNKNOWN
from canvas.knowledge.scores import OFFSET, PLACES
from canvas.knowledge.sources import HOME
from canvas.knowledge.tokens import parts_of

# The labelled corpora of tests/data that teach.
CORPORA = ("field", "fresh", "wide", "later", "alike", "hard")
_RUNS = 5
_EPOCHS = 12
_AVERAGED = 6
_BATCH = 64
_LEFT_OUT = 0.6
_STEP = 0.15
_CALM = 1e-3
_EMPTY = 3
_WORTH_KEEPING, _WORTH_A_PAIR = 0.3, 0.5
_SEED = 20_261_123
_CHANNELS = {"whatsapp", "sms", "vbm"}
_MARKS = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}
_ESCAPED = re.compile(r"\\[nt\\]")

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One wording, the reason it means, and where it stands; "" where it was written for this catalogue."""

    text: str
    channel: str | None
    reason: str
    source: str = ""


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


def texts(path: Path, reasons: Container[str]) -> Iterator[Labelled]:
    """The failure texts of a file of this folder. Raises CatalogueError."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        reason, _, channel, text, *source = line.split("\t") if line.count("\t") in {3, 4} else [""] * 4
        if reason not in reasons or not text.strip():
            why = "needs a reason we have, a language, a channel or -, a text and, if it has one, a source"
            raise sources.CatalogueError(path.name, f"line {number}", why)
        plain = _ESCAPED.sub(lambda mark: _MARKS[mark[0]], text)
        yield Labelled(plain, channel if channel in _CHANNELS else None, reason, "".join(source))


def everything(catalogue: Catalogue) -> Iterator[Labelled]:
    """All that teaches but the corpora; what providers really say counts twice."""
    yield from wordings(catalogue)
    for name in ("real.tsv", "real.tsv", "written.tsv"):
        yield from texts(Path(__file__).parent / name, catalogue.reasons)


def corpus(path: Path) -> Iterator[Labelled]:
    """The lines of a labelled corpus, twice, for they are real and whole."""
    for line in path.read_text(encoding="utf-8").splitlines():
        labelled = of_line(json.loads(line))
        yield from (labelled, labelled)


def of_line(line: dict[str, Any]) -> Labelled:
    """What one line of a labelled corpus teaches."""
    return Labelled(line["text"], line["channel"], line["expected_cause"])


def wrapped(labelled: list[Labelled]) -> list[Labelled]:
    """Each wording once more inside an envelope drawn by chance, so that the words around it come to say nothing.

    What is nothing but an envelope is unknown.
    """
    envelopes = (Path(__file__).parent / "envelopes.txt").read_text(encoding="utf-8").splitlines()
    chance = random.Random(_SEED)  # noqa: S311  # nosec B311 # a choice that need not be secret
    filled = [
        replace(one, text=chance.choice(envelopes).replace("%s", one.text))
        for one in labelled
        if not any(mark in one.text for mark in '"\\<\n')
    ]
    empty = [Labelled(envelope.replace("%s", ""), None, UNKNOWN) for envelope in envelopes]
    return filled + empty * _EMPTY


def feature_names(features: Features, channel: str | None, concepts: dict[int, str]) -> list[str]:
    """All features as names; concepts begin with @, or with !@ when negated."""
    named = [
        ("!@" if number % 2 else "@") + concepts[number - number % 2] for number in sorted(features.concepts)
    ]
    parts = [part for word in sorted(features.words) for part in parts_of(word)]
    return [*named, *parts, *sorted(features.pairs), *([f"ch:{channel}"] if channel else ())]


def learn(
    samples: list[Array], labels: list[int], features: int, reasons: int, seed: int
) -> tuple[Array, Array]:
    """Bias and weights (a row a feature) after a fixed number of passes; the same samples give the same weights.

    `samples` are the numbers of each sample's features. Each pass leaves out some features of a sample by chance, so
    that no single word decides. What stands after the later passes is averaged, as are several runs by the caller, so
    that chance decides less.
    """
    chance, truth = np.random.default_rng(seed), np.asarray(labels)
    weights, bias = np.zeros((features, reasons), np.float32), np.zeros(reasons, np.float32)
    seen, seen_bias = np.full((features, 1), _CALM, np.float32), _CALM
    mean, mean_bias = np.zeros_like(weights), np.zeros_like(bias)
    for epoch in range(_EPOCHS):
        step = _STEP / (1 + epoch * 0.1)
        order = chance.permutation(len(samples))
        for start in range(0, len(order), _BATCH):
            some = order[start : start + _BATCH]
            used, counts = batch([samples[at] for at in some], chance)
            slopes = shares(counts @ weights[used] + bias)
            slopes[np.arange(len(some)), truth[some]] -= 1
            slope, slope_bias = counts.T @ slopes / len(some) ** 0.5, slopes.mean(0)
            seen[used] += (slope * slope).mean(1, keepdims=True)
            seen_bias += float((slope_bias * slope_bias).mean())
            weights[used] -= step * slope / np.sqrt(seen[used])
            bias -= 0.3 * step * slope_bias / seen_bias**0.5
        if epoch >= _EPOCHS - _AVERAGED:
            mean += weights / _AVERAGED
            mean_bias += bias / _AVERAGED
    return mean_bias, mean


def batch(samples: list[Array], chance: np.random.Generator) -> tuple[Array, Array]:
    """The features some samples use, and how often each sample has each of them once chance has left some out."""
    columns = np.concatenate(samples)
    rows = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
    kept = chance.random(len(columns)) >= _LEFT_OUT
    used, places = np.unique(columns[kept], return_inverse=True)
    counts = np.zeros((len(samples), len(used)), np.float32)
    np.add.at(counts, (rows[kept], places), np.float32(1 / (1 - _LEFT_OUT)))
    return used, counts


def shares(sums: Array) -> Array:
    """The softmax of each row."""
    parts = np.exp(sums - sums.max(1, keepdims=True))
    return np.asarray(parts / parts.sum(1, keepdims=True))


def learned(catalogue: Catalogue, labelled: list[Labelled]) -> bytes:
    """The weights file for these wordings. Raises ValueError where the lanes of scores.py have no room."""
    reasons = list(catalogue.reasons)
    if len(reasons) > PLACES:
        raise ValueError(f"{len(reasons)} reasons do not fit the {PLACES} places of scores.py")
    concepts = {number: name for name, number in catalogue.matcher.lexicon.numbers.items()}
    labelled = labelled + wrapped(labelled)
    named = []
    for one in labelled:
        features = features_of(extract.read(one.text).sentences, catalogue.matcher)
        named.append(feature_names(features, one.channel, concepts))
    often = Counter(name for names in named for name in names)
    # A piece of a word met once, or a pair that hardly a wording has, tells no more than the words themselves.
    known = sorted(n for n in often if often[n] > (4 if is_pair(n) else n[0] == "~"))
    numbers = {name: at for at, name in enumerate(known)}
    samples = [np.asarray([numbers[n] for n in names if n in numbers], np.int64) for names in named]
    truth = [reasons.index(one.reason) for one in labelled]
    runs = [learn(samples, truth, len(numbers), len(reasons), _SEED + run) for run in range(_RUNS)]
    bias, weights = (np.mean(parts, axis=0) for parts in zip(*runs, strict=True))
    kept = {
        name: row
        for name, at in numbers.items()
        if (row := flat(weights[at].tolist(), _WORTH_A_PAIR if is_pair(name) else _WORTH_KEEPING))
    }
    head = {
        "stamp": sources.stamp(),
        "patterns": sorted(catalogue.matcher.sure()),
        "labels": reasons,
        "bias": flat(bias.tolist()),
        "concepts": {n.replace("@", "", 1): row for n, row in kept.items() if is_concept(n)},
    }
    names = sorted(f"{name}\t{row}".encode() for name, row in kept.items() if not is_concept(name))
    return b"\n".join([orjson.dumps(head), *names])


def is_concept(name: str) -> bool:
    """Whether a feature is a concept, plain or negated."""
    return name.startswith(("@", "!@"))


def is_pair(name: str) -> bool:
    """Whether a feature is a pair of neighbours."""
    return " " in name and not is_concept(name)


def flat(row: list[float], least: float = _WORTH_KEEPING) -> str:
    """The weights worth keeping as place and hundredths, in turns. Raises ValueError for one that has no room."""
    weights = [round(weight * 100) for weight in row]
    if any(abs(weight) >= OFFSET for weight in weights):
        raise ValueError(f"a weight of {max(row, key=abs)} does not fit the lanes of scores.py")
    return " ".join(f"{at} {weight}" for at, weight in enumerate(weights) if abs(weight) >= least * 100)
