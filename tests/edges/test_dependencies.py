"""`.ci/audit` fails on a known hole, and on nothing else: not when nobody answers, nor when nonsense comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HOLE = {"name": "flask", "version": "0.1", "vulns": [{"id": "PYSEC-0000-1"}]}
SOUND = {"name": "flask", "version": "9.9", "vulns": []}
SKIPPED = {"name": "flask", "skip_reason": "no connection"}


def audit(folder: Path, said: str) -> subprocess.CompletedProcess[str]:
    """Run it beside a pip-audit that says that and nothing else."""
    (folder / "python").symlink_to(sys.executable)
    (folder / "said").write_text(said)
    stand_in = folder / "pip-audit"
    stand_in.write_text(f'#!/bin/sh\ncat "{folder}/said"\nexit 1\n')
    stand_in.chmod(0o755)
    command = [str(folder / "python"), str(ROOT / ".ci" / "audit")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (json.dumps({"dependencies": [SOUND]}), 0, "1 packages, 0 known vulnerabilities."),
        (json.dumps({"dependencies": [SOUND, HOLE]}), 1, "KNOWN VULNERABILITY: flask 0.1: PYSEC-0000-1"),
        (json.dumps({"dependencies": [SKIPPED, HOLE]}), 1, "KNOWN VULNERABILITY: flask 0.1: PYSEC-0000-1"),
        (json.dumps({"dependencies": [SKIPPED]}), 0, "NOT AUDITED: no advisories could be read for 1 of 1"),
        ("", 0, "NOT AUDITED: pip-audit gave no answer"),
        ("[]", 0, "NOT AUDITED: pip-audit gave no answer"),
    ],
)
def test_only_a_known_hole_fails(tmp_path: Path, said: str, code: int, words: str) -> None:
    ended = audit(tmp_path, said)
    assert (ended.returncode, words in ended.stdout) == (code, True), ended.stdout + ended.stderr
