"""No secret, number or word of a message is printed, logged or shown, even with the masking net taken away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from canvas.sandbox.octopods import keys
from tests.fakes import Fake, OctopodsFake

ROOT = Path(__file__).parent.parent.parent
PHONE, WORDS, TOKEN = "+46701740613", "Hej Greta, tisdag", "a-workspace-token-7f3a"


def test_nothing_secret_is_logged_at_the_most_talkative_level(
    tmp_path: Path, fake_octopods: OctopodsFake, fake_intercom: Fake
) -> None:
    secrets = {
        "SECRET_KEY": "a-secret-key-that-nobody-may-ever-read",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "INTERCOM_CLIENT_SECRET": "an-intercom-client-secret",
        "HUBSPOT_CLIENT_SECRET": "a-hubspot-client-secret",
        "METRICS_TOKEN": "a-metrics-token-of-ours",
    }
    environment = {
        **secrets,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{tmp_path}/redeliver.db",
        "OCTOPODS_URL": fake_octopods.url,
        "INTERCOM_URL": fake_intercom.url,
        "LOG_LEVEL": "DEBUG",
    }
    command = [sys.executable, "-m", "tests.edges.talkative", PHONE, WORDS, keys.SMS, TOKEN]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100, check=False)
    printed, shown = ended.stdout.decode(), ended.stderr.decode()
    assert ended.returncode == 0, shown
    assert '"event": "call"' in printed
    assert "ZeroDivisionError" in printed
    assert "500 500" in printed
    link = shown.splitlines()[-1]
    assert len(link) > 40
    assert link not in printed
    for secret in [*secrets.values(), keys.SMS, TOKEN, PHONE, PHONE[1:], WORDS]:
        assert secret not in printed
    for secret in [*secrets.values(), keys.SMS, TOKEN]:
        assert secret not in shown
