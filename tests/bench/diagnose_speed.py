"""How long `diagnose` takes beside `json.loads` of the initialize request it answers, in one process, in turns."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from canvas.knowledge.catalogue import load
from canvas.knowledge.diagnose import diagnose, diagnose_with
from canvas.knowledge.model import Evidence
from tests.bench.rows import Row
from tests.canvas_check import SCHEMA

SAMPLE = Path(__file__).parent.parent / "data" / "reasons_sample.jsonl"
ROUNDS = 30
MESSENGER_ONLY = {"context", "card_creation_options"}


def initialize_request() -> str:
    """An Inbox initialize body with Intercom's own example of each field (Canvas Kit 2.11, Initialize Request)."""
    schemas = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["components"]["schemas"]
    body = example_of(schemas["initialize_request"], schemas)
    return json.dumps({name: value for name, value in body.items() if name not in MESSENGER_ONLY})


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The example that an OpenAPI schema gives, put together from those of its parts where it has none of its own."""
    schema = schema | schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
    if choices := schema.get("oneOf"):
        return example_of(choices[0], schemas)
    if "example" in schema:
        return schema["example"]
    if "items" in schema:
        return [example_of(schema["items"], schemas)]
    parts = schema.get("properties", {})
    return {name: example_of(part, schemas) for name, part in parts.items()} if parts else None


def evidence() -> list[Evidence]:
    """The texts of the sample."""
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    return [Evidence(row["text"], row["channel"], row["provider"]) for row in rows]


def medians() -> tuple[float, float, float]:
    """Median seconds of json.loads, of a first diagnosis and of a repeated one; taken in turns, best of the rounds."""
    body, texts, catalogue = initialize_request(), evidence(), load()
    loads, first, again = [], [], []
    for text in texts:
        loads.append(best(partial(json.loads, body)))
        first.append(best(partial(diagnose_with, catalogue, text)))
        diagnose(text)
        again.append(best(partial(diagnose, text)))
    return statistics.median(loads), statistics.median(first), statistics.median(again)


def best(call: Callable[[], object]) -> float:
    """The shortest of several calls, in seconds: what the call costs when nothing else runs."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def cost_of(statement: str) -> float:
    """Seconds a statement adds to a bare interpreter, best of several."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    return min(run(statement) for _ in range(7)) - min(run("pass") for _ in range(7))


def rows() -> list[Row]:
    """The ratios of design figures: diagnose to json.loads, loading the catalogue to importing Flask."""
    loads, first, again = medians()
    flask, catalogue = cost_of("import flask"), cost_of("from canvas.knowledge.catalogue import load; load()")
    size = len(initialize_request())
    return [
        Row(
            f"diagnose, never seen before, to json.loads of {size} bytes",
            f"{first / loads:.2f}",
            "<= 2",
            first <= 2 * loads,
        ),
        Row("diagnose, seen before, to the same", f"{again / loads:.3f}", "<= 2", again <= 2 * loads),
        Row("loading the catalogue to importing Flask", f"{catalogue / flask:.2f}", "< 1", catalogue < flask),
    ]
