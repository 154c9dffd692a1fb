"""How often `diagnose` is right on wordings it never saw: `python -m tests.bench.crossval`, several minutes.

The providers of the field corpus, the fresh and the wide lines are drawn into folds. Each fold is judged by weights
learned without it, without any wording that says the same as one of its lines, and without any text from its pages.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from canvas.knowledge import extract
from canvas.knowledge.build import learn
from canvas.knowledge.catalogue import Catalogue, load
from canvas.knowledge.diagnose import diagnose_with
from canvas.knowledge.model import Evidence
from canvas.knowledge.scores import Scores
from canvas.knowledge.tokens import key_of
from tests.bench.accuracy import Judged, Line, lines, rows_of

FOLDS = 4
SEED = 7


def folds(corpus: list[Line]) -> Iterator[tuple[list[Line], list[Line]]]:
    """For each fold the lines to learn from and those to judge; no provider stands on both sides."""
    origins = sorted({origin(line) for line in corpus})
    random.Random(SEED).shuffle(origins)
    place = {name: at % FOLDS for at, name in enumerate(origins)}
    for fold in range(FOLDS):
        apart = [line for line in corpus if place[origin(line)] == fold]
        yield [line for line in corpus if place[origin(line)] != fold], apart


def origin(line: Line) -> str:
    """Whose words a line has: the provider's, or those of the page they stand on."""
    return str(line["provider"] or line["source_url"])


def page(source: str) -> str:
    """A page however its address is written."""
    plain = source.split(" (the index")[0].split("#")[0].removeprefix("https://").removeprefix("http://")
    return plain.removeprefix("www.").rstrip("/")


def said_in(corpus: list[Line]) -> set[str]:
    """What the lines say, without numbers and marks: each as a whole and sentence by sentence."""
    texts = [str(line["text"]) for line in corpus]
    return {key_of(part) for text in texts for part in (text, *extract.read(text).sentences)}


def taught(catalogue: Catalogue, known: list[Line], unseen: set[str], pages: set[str]) -> Catalogue:
    """The catalogue with weights learned from these lines and from no wording, and no page, that is to stay unseen."""
    labelled = [
        one
        for one in learn.everything(catalogue)
        if key_of(one.text) not in unseen and page(one.source) not in pages
    ]
    labelled += [learn.of_line(line) for line in known for _ in range(2)]
    weights = learn.learned(catalogue, labelled)
    return replace(catalogue, scores=Scores(weights, catalogue.matcher.lexicon.numbers))


def judged_apart(corpus: list[Line]) -> list[Judged]:
    """Every line judged by weights that were learned without it."""
    found = []
    for known, apart in folds(corpus):
        catalogue = taught(load(), known, said_in(apart), {page(line["source_url"]) for line in apart})
        for line in apart:
            evidence = Evidence(line["text"], line["channel"], line["provider"])
            right = [line["expected_cause"], *line["also_accept"]]
            found.append(Judged(evidence, right, diagnose_with(catalogue, evidence)))
    return found


def main() -> None:
    """Print the figures of all corpora, each line judged by weights that the others' lines taught."""
    corpora = {name: lines(f"reasons_{name}.jsonl") for name in learn.CORPORA}
    answers = {
        one.evidence: one for one in judged_apart([line for part in corpora.values() for line in part])
    }
    for name, part in corpora.items():
        judged = [answers[Evidence(line["text"], line["channel"], line["provider"])] for line in part]
        for row in rows_of(f"{name}, by folds", judged):
            print(f"{'ok' if row.ok else 'MISSED':8}{row.what:60}{row.measured:20}{row.aim}")


if __name__ == "__main__":
    main()
