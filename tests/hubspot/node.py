"""Node.js for the tests: absent, they are skipped by name; absent in CI, they fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent / "hubspot"


def npm() -> str:
    """The path of npm. Skips the test where there is none, and fails it in CI."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return found
    missing = "Node.js and npm are missing: the HubSpot card is not tested here"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def installed() -> Path:
    """The HubSpot project with the packages of its lock file, from npm's cache where it can."""
    command, lock = npm(), PROJECT / "package-lock.json"
    done = PROJECT / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        run(command, "ci", "--prefer-offline", "--no-audit", "--no-fund")
        done.touch()
    return PROJECT


def run(*command: str, **extra: str) -> None:
    """Run in the HubSpot project; fail the test with what it printed."""
    environment = {**os.environ, "NO_COLOR": "1", **extra}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}", pytrace=False)


def run_tool(name: str, *arguments: str, **extra: str) -> None:
    run(str(installed() / "node_modules" / ".bin" / name), *arguments, **extra)
