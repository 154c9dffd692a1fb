"""One run: fill a world, let agents and chaos loose on it, let it come to rest, and judge."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from canvas.factory import set_up_logging
from tests import postgres
from tests.torture.agents import Agent, Told, work
from tests.torture.chaos import FAULTS, Chaos
from tests.torture.model import judge, settle
from tests.torture.world import fill, world


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. It ends after `seconds`, or after so many `clicks` and `kills`."""

    seed: int
    seconds: float
    clicks: int
    people: int
    pause: float  # seconds, on average, between two bad things
    agents: int = 12
    webs: int = 3
    workers: int = 3
    settle_seconds: float = 90.0
    broken: str = ""
    faults: tuple[str, ...] = FAULTS
    kills: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, and every rule that was broken."""

    counts: dict[str, int]
    receipts: int
    wrong: list[str]

    def line(self) -> str:
        told = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        return f"{told}, {self.receipts} receipts: {len(self.wrong)} rules broken"


def torture(plan: Plan, url: str, folder: Path, server: postgres.Server | None = None) -> Outcome:
    """Carry out the plan on the database of that URL. `server` may be stopped and started."""
    set_up_logging("ERROR")
    random = Random(plan.seed)
    told = Told()
    with world(url, folder, random, plan.broken) as made:
        fill(made, plan.people)
        for name in [f"web{n}" for n in range(plan.webs)] + [f"worker{n}" for n in range(plan.workers)]:
            made.start(name)
        made.wait_until_up()
        chaos = Chaos(made, told, plan.seed, plan.pause, server, plan.faults)
        chaos.start()
        _let_loose(plan, [Agent(made, told, plan.seed + n, plan.people) for n in range(plan.agents)])
        chaos.finish()
        made.stop()
        settle(made, plan.settle_seconds)
        wrong = judge(made, told)
    return Outcome(dict(told.counts), sum(map(len, told.receipts.values())), wrong)


def _let_loose(plan: Plan, agents: list[Agent]) -> None:
    numbers = list(range(plan.people))
    agents[0].random.shuffle(numbers)
    sends = list(range(plan.people // 4))
    until = time.monotonic() + plan.seconds
    with ThreadPoolExecutor(len(agents)) as hands:
        done = [hands.submit(work, agent, until, plan.clicks, plan.kills, numbers, sends) for agent in agents]
    for each in done:
        each.result()
