"""The whole stack as real processes, as `make run` starts it, on free ports and in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True)
class Stack:
    """A running sandbox. The desk's own API tells what Octopods took."""

    desk: str
    app: str

    def sends_to(self, phone: str) -> list[dict[str, Any]]:
        entries = requests.get(f"{self.desk}/api/octopods/log", timeout=5).json()["entries"]
        return [e for e in entries if e["accepted"] and e["body"].get("destination_phone") == phone]

    def set_fault(self, **fault: Any) -> None:
        requests.put(f"{self.desk}/api/octopods/fault", json=fault, timeout=5).raise_for_status()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start, wait for the greeting, stop as Ctrl-C does; the exit must be clean and leave nothing running."""
    port, desk_port = free_port(), free_port()
    environment = {"PORT": str(port), "DESK_PORT": str(desk_port), "SANDBOX_FOLDER": str(folder)}
    command = [sys.executable, "-m", "canvas.sandbox.run"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    try:
        _until_greeting(process)
        yield Stack(f"http://127.0.0.1:{desk_port}", f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(STOP_SECONDS)
    assert status == 0
    assert not listens(port)


def _until_greeting(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    for line in process.stdout:
        if "Ctrl-C" in line:
            return
    raise AssertionError(f"the sandbox did not start: exit status {process.wait()}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
