"""What goes wrong meanwhile: processes killed, answers lost, the database locked or stopped, keys blocked."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from random import Random

from sqlalchemy.engine import make_url

from tests import postgres
from tests.torture.agents import Told
from tests.torture.world import KEYS, READ_SECONDS, World

FAULTS = ("cut_after", "cut_before", "slow", "down", "html", "error_200", "empty", "rate_limited")


class Chaos(threading.Thread):
    """Plays one bad thing after another until stopped; processes that it ends it starts again."""

    def __init__(
        self,
        world: World,
        told: Told,
        seed: int,
        pause: float,
        server: postgres.Server | None,
        faults: tuple[str, ...] = FAULTS,
    ) -> None:
        super().__init__(daemon=True)
        self.world, self.told, self.pause, self.server, self.faults = world, told, pause, server, faults
        self.random = Random(seed)
        self.over = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.spoil()
            while not self.over.wait(self.random.uniform(0.3, 1.7) * self.pause):
                deed = self.random.choices(*zip(*self._deeds(), strict=True))[0]
                deed()
        except BaseException as error:
            self.error = error

    def _deeds(self) -> list[tuple[Callable[[], None], float]]:
        return [
            (self.kill, 5),
            (self.spoil, 6),
            (self.lock_or_stop_the_database, 0.5),
        ]

    def kill(self) -> None:
        """SIGKILL one process at a random point and start it again with another clock."""
        name = self.random.choice(list(self.world.running))
        self.world.kill(name)
        self.told.count("kills")
        self.world.start(name)

    def spoil(self) -> None:
        """The next few sends go wrong in one way."""
        kind = self.random.choice(self.faults)
        self.told.count("faults")
        times = self.random.randint(1, 3)
        if kind == "rate_limited":
            self.world.octopods.set_fault(kind, path="/messages", method="POST", seconds=2)
            return
        self.world.octopods.set_fault(
            kind, path="/messages", method="POST", times=times, ms=round((READ_SECONDS + 1) * 1000)
        )

    def lock_or_stop_the_database(self) -> None:
        self.told.count("database outages")
        if self.server is not None:
            self.server.stop(self.random.choice(["fast", "immediate"]))
            time.sleep(self.random.uniform(0.1, 1.5))
            self.server.start()
            return
        path = make_url(self.world.url).database
        assert path
        with sqlite3.connect(path, timeout=20, isolation_level=None) as holder:
            holder.execute("BEGIN IMMEDIATE")
            time.sleep(self.random.uniform(0.5, 5))
            holder.execute("ROLLBACK")
        holder.close()

    def finish(self) -> None:
        """No more trouble from now on."""
        self.over.set()
        self.join(60)
        self.world.octopods.clear_faults()
        for key in (key for same in KEYS.values() for key in same):
            self.world.octopods.block_key(key, 0)
        if self.error is not None:
            raise self.error
