"""`make torture`: the long mode on both databases. `--seed N` plays the same dice again.

Ten thousand clicks and a hundred kills for each database, or as many as fit into the time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests import postgres
from tests.torture.run import Plan, torture


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=210.0, help="of trouble, for each database")
    parser.add_argument("--clicks", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--people", type=int, default=6_000)
    parser.add_argument("--agents", type=int, default=48)
    parser.add_argument("--pause", type=float, default=0.7, help="seconds between two bad things, on average")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--broken", default="", help="switches of tests/torture/house.py")
    asked = parser.parse_args()
    plan = Plan(
        asked.seed,
        asked.seconds,
        asked.clicks,
        asked.people,
        asked.pause,
        asked.agents,
        broken=asked.broken,
        kills=asked.kills,
    )
    print(f"seed {plan.seed}", flush=True)
    failures = 0
    for database in ("sqlite", "postgresql") if asked.database == "both" else (asked.database,):
        # In memory where there is some: what is killed here is processes, and they do not need a disk for that.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            failures += _one(database, plan, Path(folder))
    print(f"seed {plan.seed}: {failures} rules broken")
    return 1 if failures else 0


def _one(database: str, plan: Plan, folder: Path) -> int:
    if database == "sqlite":
        outcome = torture(plan, f"sqlite:///{folder}/torture.db", folder)
    else:
        with postgres.server() as server:
            outcome = torture(plan, server.new_database("torture"), folder, server)
    print(f"{database}: {outcome.line()}", flush=True)
    for sentence in outcome.wrong[:50]:
        print(f"  {sentence[:300]}")
    return len(outcome.wrong)


if __name__ == "__main__":
    sys.exit(main())
