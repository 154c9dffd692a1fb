"""Child processes that live and die with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from canvas.sandbox.serve import HOST

ROOT = Path(__file__).parent.parent.parent
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
STOP_SECONDS = 10
LAST_LINES = 20


class Died(Exception):
    """A child ended by itself; the message says which and its last words."""


def procfile(name: str) -> str:
    """The Procfile's command for `name`, for this machine only: everybody knows the sandbox's keys."""
    lines = dict(line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ":" in line)
    return lines[name].strip().replace("0.0.0.0", HOST)  # noqa: S104 - it is being replaced


class Children:
    """Processes by name, each with a log file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, environment: Mapping[str, str]) -> None:
        """Start the Procfile's process `name`."""
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own Procfile
                ["/bin/sh", "-c", f"exec {procfile(name)}"],
                cwd=ROOT,
                env={**os.environ, "PATH": PATH, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self.folder / f"sandbox-{name}.log"

    def check(self) -> None:
        """Raises Died when one is no more."""
        for name, child in self.running.items():
            if child.poll() is not None:
                last = self.log(name).read_text(errors="replace").splitlines()[-LAST_LINES:]
                raise Died(f"The {name} process ended by itself. Its last words:\n" + "\n".join(last))

    def stop(self) -> None:
        """Ask all to end, wait, and end those that do not."""
        for child in self.running.values():
            _signal(child, signal.SIGTERM)
        for child in self.running.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the whole group: gunicorn and the consumer have children of their own."""
    if child.poll() is None:
        os.killpg(child.pid, number)


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    """A place for child processes; all are stopped when the block ends, however it ends."""
    family = Children(folder)
    try:
        yield family
    finally:
        family.stop()
