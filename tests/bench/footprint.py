"""Cold start and memory of a web process, against a Flask app that does nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

from tests.bench.rows import Row
from tests.bench.servers import ROOT

BARE = "from flask import Flask; app = Flask('bare')"
OURS = "from app import app"
TELL = """
import resource, time
began = time.process_time()
{what}
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
ROUNDS = 7


def rows() -> list[Row]:
    ours, bare = _measure(OURS), _measure(BARE)
    return [
        Row(
            "importing the app, of importing and making a bare Flask app",
            _ratio(ours[0], bare[0], "s"),
            "",
            None,
        ),
        Row("memory of a process after start, of a bare Flask app", _ratio(ours[1], bare[1], "MB"), "", None),
    ]


def _ratio(ours: float, bare: float, unit: str) -> str:
    return f"{ours / bare:.1f} ({ours:.2f} of {bare:.2f} {unit})"


def _run(command: list[str], environment: dict[str, str]) -> list[float]:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60)
    return [float(word) for word in done.stdout.split()[-2:]]


def _measure(what: str) -> tuple[float, float]:
    """Seconds of processor time and megabytes, the median of some fresh processes."""
    command = [sys.executable, "-c", TELL.format(what=what)]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/redeliver.db"}
        runs = [_run(command, environment) for _ in range(ROUNDS)]
    return statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs) / 1024
