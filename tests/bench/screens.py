"""The two screens everybody opens all day, each against a bare Flask view with the same signature check and an
answer of the same size: the Inbox's first canvas and HubSpot's card."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.bench import load, scene
from tests.bench.rows import Row
from tests.bench.servers import gunicorn

ROUNDS = 7
SECONDS = 1.5
CONNECTIONS = 12
AIM = 0.7


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *_measured(folder, "initialize", 1, AIM),
            *_measured(folder, "initialize", 0, AIM),
            *_measured(folder, "card", 1, None),
        ]


def _measured(
    folder: Path, screen: Literal["initialize", "card"], failures: int, aim: float | None
) -> list[Row]:
    url = f"sqlite:///{folder}/{screen}{failures}.db"
    flow = scene.open_flow(url)
    if screen == "card":
        scene.furnish(flow, failures, scene.PORTAL, "hubspot")
        request = scene.card_request_file(folder)
    else:
        scene.furnish(flow, failures)
        request = scene.request_file(folder)
    flow.engine.dispose()
    environment = scene.environment(url)
    with gunicorn("app:app", environment) as ours:
        body = folder / "body"
        body.write_bytes(load.answer(ours, request))
        with gunicorn("tests.bench.bare:app", {**environment, "BENCH_BODY": str(body)}) as bare:
            what = f"{screen} ({failures} failed, {len(body.read_bytes())} bytes)"
            return _rows(what, rounds([ours, bare], request), aim)


def rounds(ports: Sequence[int], request: Path) -> list[list[load.Load]]:
    """For each port its runs, taken in turns so that a busy moment of the machine meets all alike."""
    runs: list[list[load.Load]] = [[] for _ in ports]
    for port in ports:
        load.run(port, 0.5, CONNECTIONS, request)
    for _ in range(ROUNDS):
        for place, port in enumerate(ports):
            runs[place].append(load.run(port, SECONDS, CONNECTIONS, request))
    return runs


def _rows(what: str, runs: list[list[load.Load]], aim: float | None) -> list[Row]:
    ours, bare = runs
    assert not any(run.refused for run in ours + bare)
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, bare, strict=True))
    rates = [statistics.median(run.rate for run in side) for side in (ours, bare)]
    p50, p99 = (statistics.median(getattr(run, name) for run in ours) for name in ("p50", "p99"))
    bare99 = statistics.median(run.p99 for run in bare)
    rate = f"{ratio:.0%} ({rates[0]:.0f} of {rates[1]:.0f})"
    times = f"{p99 / p50:.1f} ({p99:.1f} of {p50:.1f} ms; bare p99 {bare99:.1f})"
    judged = ("", None) if aim is None else (f">= {aim:.0%}", ratio >= aim)
    return [
        Row(f"{what}: requests/s of a bare view's", rate, *judged),
        Row(f"{what}: p99/p50 under load", times, "", None),
    ]
