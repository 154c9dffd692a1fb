"""Initialize against a bare Flask view with the same signature check and an answer of the same size."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import requests

from tests.bench import load, scene
from tests.bench.rows import Row
from tests.bench.servers import gunicorn

ROUNDS = 7
SECONDS = 1.5
CONNECTIONS = 12


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for failures in (1, 0):
            found += _measured(folder, failures)
        return found


def _measured(folder: Path, failures: int) -> list[Row]:
    url = f"sqlite:///{folder}/{failures}.db"
    flow = scene.open_flow(url)
    scene.furnish(flow, failures)
    flow.engine.dispose()
    request = scene.request_file(folder)
    with gunicorn("app:app", scene.environment(url)) as ours:
        body = folder / "body"
        body.write_bytes(answer(ours, request))
        yardstick = {"BENCH_BODY": str(body), "INTERCOM_CLIENT_SECRET": scene.SECRET}
        with gunicorn("tests.bench.bare:app", yardstick) as bare:
            return _rows(failures, len(body.read_bytes()), rounds([ours, bare], request))


def answer(port: int, request: Path) -> bytes:
    """The body of our answer, which the yardstick then returns too."""
    head, _, body = request.read_bytes().partition(b"\r\n\r\n")
    signature = head.split(b"X-Body-Signature: ")[1].split(b"\r\n")[0]
    headers = {"X-Body-Signature": signature.decode(), "Content-Type": "application/json"}
    got = requests.post(
        f"http://127.0.0.1:{port}/intercom/initialize", data=body, headers=headers, timeout=10
    )
    assert got.status_code == 200
    return got.content


def rounds(ports: Sequence[int], request: Path) -> list[list[load.Load]]:
    """For each port its runs, taken in turns so that a busy moment of the machine meets all alike."""
    runs: list[list[load.Load]] = [[] for _ in ports]
    for port in ports:
        load.run(port, 0.5, CONNECTIONS, request)
    for _ in range(ROUNDS):
        for place, port in enumerate(ports):
            runs[place].append(load.run(port, SECONDS, CONNECTIONS, request))
    return runs


def _rows(failures: int, size: int, runs: list[list[load.Load]]) -> list[Row]:
    ours, bare = runs
    assert not any(run.refused for run in ours + bare)
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, bare, strict=True))
    rates = [statistics.median(run.rate for run in side) for side in (ours, bare)]
    p50, p99 = (statistics.median(getattr(run, name) for run in ours) for name in ("p50", "p99"))
    bare99 = statistics.median(run.p99 for run in bare)
    what = f"initialize ({failures} failed, {size} bytes)"
    rate = f"{ratio:.0%} ({rates[0]:.0f} of {rates[1]:.0f})"
    times = f"{p99 / p50:.1f} ({p99:.1f} of {p50:.1f} ms; bare p99 {bare99:.1f})"
    return [
        Row(f"{what}: requests/s of a bare view's", rate, ">= 70%", ratio >= 0.7),
        Row(f"{what}: p99/p50 under load", times, "", None),
    ]
