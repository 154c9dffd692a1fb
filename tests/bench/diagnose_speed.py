"""How long `diagnose` takes beside `json.loads` of the initialize request it answers, in one process, in turns."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from canvas.knowledge.catalogue import load
from canvas.knowledge.diagnose import diagnose, diagnose_with
from canvas.knowledge.model import Evidence
from tests.bench.rows import Row

SAMPLE = Path(__file__).parent.parent / "data" / "reasons_sample.jsonl"
ROUNDS = 30


def initialize_request() -> str:
    """A Canvas Kit initialize body of the size Intercom sends for a contact with an ordinary history (about 4 KB)."""
    attributes = {f"custom_field_{number}": f"value {number} of this contact" for number in range(36)}
    contact = {
        "type": "contact",
        "id": "64f0c0ffee0123456789abcd",
        "workspace_id": "abcd1234",
        "external_id": "user-4711",
        "role": "user",
        "email": "mara@example.com",
        "phone": "+353871234567",
        "name": "Mara Example",
        "avatar": None,
        "owner_id": None,
        "location": {"type": "location", "country": "Ireland", "region": "Leinster", "city": "Dublin"},
        "social_profiles": {"type": "list", "data": []},
        "created_at": 1571672154,
        "updated_at": 1571672158,
        "last_seen_at": 1571672158,
        "custom_attributes": attributes,
        "tags": {
            "type": "list",
            "data": [{"type": "tag", "id": str(n), "url": f"/tags/{n}"} for n in range(20)],
            "url": "/contacts/64f0c0ffee0123456789abcd/tags",
            "total_count": 20,
            "has_more": False,
        },
        "companies": {"type": "list", "data": [{"type": "company", "id": str(n)} for n in range(10)]},
    }
    admin = {
        "type": "admin",
        "id": "814860",
        "name": "Ada Admin",
        "email": "ada@example.com",
        "job_title": "Support",
    }
    context = {"conversation_id": 215468481, "location": "conversation", "locale": "en"}
    body = {"workspace_id": "abcd1234", "workspace_region": "EU", "admin": admin, "context": context}
    conversation = {"type": "conversation", "id": "215468481", "title": None, "state": "open", "read": True}
    return json.dumps({**body, "component_id": None, "contact": contact, "conversation": conversation})


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
