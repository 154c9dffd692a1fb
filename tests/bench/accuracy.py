"""How often `diagnose` is right, on the carried sample, on lines held back, and on the corpora that teach.

A line is right when the reason is the expected one or one it also accepts (tests/data/README.md). The sample and the
unseen lines are never learned from. The others taught the weights, so their rows say what was kept, not how well
that carries over to wordings nobody has seen: tests.bench.crossval does. `python -m tests.bench.accuracy` prints right
by reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canvas.knowledge.build.learn import CORPORA
from canvas.knowledge.catalogue import load
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import UNKNOWN, Diagnosis, Evidence, Reason
from tests.bench.rows import Row

Line = dict[str, Any]
DATA = Path(__file__).parent.parent / "data"
LASTING = {"never", "after_fix", "settings"}
CONFIDENT = 0.9
NEVER_TEACH = ("sample", "unseen")


@dataclass(frozen=True)
class Judged:
    """One line of a corpus and what was answered; `right` are the reasons that count as right, expected first."""

    evidence: Evidence
    right: list[str]
    found: Diagnosis

    @property
    def is_right(self) -> bool:
        """Whether the reason counts as right."""
        return self.found.reason in self.right

    @property
    def is_dangerous(self) -> bool:
        """A plain retry offered where the truth is that it cannot help, or any send to a person who opted out."""
        expected = reason_of(self.right[0])
        return not self.is_right and self.found.retry == "transient" and expected.retry in LASTING

    def agrees(self, on: Callable[[Reason], str]) -> bool:
        """Whether something that follows from the reason, such as its category, is that of a right reason."""
        return on(reason_of(self.found.reason)) in {on(reason_of(reason)) for reason in self.right}


def reason_of(reason_id: str) -> Reason:
    """The catalogue's reason."""
    return load().reasons[reason_id]


def lines(name: str) -> list[Line]:
    """The lines of a corpus; none when it is not there."""
    path = DATA / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judged(corpus: list[Line]) -> list[Judged]:
    """Every line answered."""
    found = []
    for line in corpus:
        evidence = Evidence(line["text"], line["channel"], line["provider"])
        found.append(Judged(evidence, [line["expected_cause"], *line["also_accept"]], diagnose(evidence)))
    return found


def share(name: str, aim: float, good: list[bool]) -> Row:
    """A row saying how many of these are so."""
    value = sum(good) / len(good) if good else 1.0
    return Row(name, f"{value:.1%} ({sum(good)}/{len(good)})", f">= {aim:.0%}", value >= aim)


def rows_of(name: str, answers: list[Judged]) -> list[Row]:
    """The figures of one corpus."""
    dangerous = sum(one.is_dangerous for one in answers)
    sure = [one.is_right for one in answers if one.found.confidence >= CONFIDENT]
    nothing = [one for one in answers if one.right[0] == UNKNOWN]
    return [
        share(f"{name}: right reason", 0.97, [one.is_right for one in answers]),
        share(
            f"{name}: right category", 0.99, [one.agrees(lambda reason: reason.category) for one in answers]
        ),
        share(
            f"{name}: right retry class", 0.99, [one.agrees(lambda reason: reason.retry) for one in answers]
        ),
        Row(f"{name}: wrong in the dangerous direction", str(dangerous), "0", dangerous == 0),
        share(f"{name}: unknown texts not misnamed", 0.95, [one.is_right for one in nothing]),
        share(f"{name}: right where confidence >= {CONFIDENT}", 0.98, sure),
    ]


def rows() -> list[Row]:
    """The figures of what is never learned from, and of the corpora that teach."""
    found = []
    for name in NEVER_TEACH:
        found += rows_of(name, judged(lines(f"reasons_{name}.jsonl")))
    for name in reversed(CORPORA):
        found += rows_of(f"{name}, learned from", judged(lines(f"reasons_{name}.jsonl")))
    return found


def by_reason(answers: list[Judged]) -> list[tuple[str, int, int]]:
    """Reason, how often it was expected, how often the answer was right; the weakest first."""
    counts: dict[str, list[bool]] = {}
    for one in answers:
        counts.setdefault(one.right[0], []).append(one.is_right)
    table = [(reason, len(good), sum(good)) for reason, good in counts.items()]
    return sorted(table, key=lambda line: (line[2] / line[1], -line[1]))


if __name__ == "__main__":
    for reason, expected, right in by_reason(judged(lines("reasons_field.jsonl"))):
        print(f"{reason:32} {right:3} of {expected}")
