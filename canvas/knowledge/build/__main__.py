"""Make the catalogue's made files: `python -m canvas.knowledge.build` compiles it and learns the weights.

`python -m canvas.knowledge.build codes FILE` first takes a collected list of provider errors (a JSON list of
objects with provider, channel, code, code_space, title, title_exact, http_status, cause, retry, source_url)
apart into one file a provider, keeping every source.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from canvas.knowledge import catalogue, compiled, scores
from canvas.knowledge.build import learn
from canvas.knowledge.sources import HOME

DATA = HOME.parent.parent / "tests" / "data"


def write_codes(collected: list[dict[str, Any]], home: Path = HOME) -> None:
    """One JSONL file a provider, in the order given (newer wordings of a code come first)."""
    by_provider: dict[str, list[str]] = {}
    for row in collected:
        kept = {
            "code": row["code"],
            "space": row["code_space"],
            "channel": row["channel"],
            "title": row["title"],
            "exact": row["title_exact"],
            "http_status": row["http_status"],
            "cause": row["cause"],
            "retry": row["retry"],
            "source": row["source_url"],
        }
        by_provider.setdefault(row["provider"], []).append(json.dumps(kept, ensure_ascii=False))
    for provider, lines in by_provider.items():
        (home / "codes" / f"{provider}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Do what the arguments ask, then compile."""
    if arguments[:1] == ["codes"]:
        write_codes(json.loads(Path(arguments[1]).read_text(encoding="utf-8")))
    compiled.write()
    labelled = list(learn.everything(catalogue.load()))
    for corpus in filter(Path.exists, [DATA / f"reasons_{name}.jsonl" for name in learn.CORPORA]):
        labelled += learn.corpus(corpus)
    (HOME / scores.NAME).write_bytes(learn.learned(catalogue.load(), labelled))


if __name__ == "__main__":
    main(sys.argv[1:])
