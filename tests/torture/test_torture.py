"""The short mode of the torture: real processes, killed at random, on both databases; and that it can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres
from tests.conftest import missing
from tests.torture.run import Outcome, Plan, torture

SEED = 20261123
SHORT = Plan(SEED, seconds=7, clicks=400, people=160, pause=0.9, agents=8, webs=2, workers=2)


def held(outcome: Outcome) -> None:
    print(outcome.line())
    assert outcome.wrong == []
    assert outcome.counts["clicks"] > 20
    assert outcome.counts["kills"] > 0


@pytest.mark.timeout(180)
def test_nothing_is_sent_twice_lost_or_lied_about_on_sqlite(tmp_path: Path) -> None:
    held(torture(SHORT, f"sqlite:///{tmp_path}/torture.db", tmp_path))


@pytest.mark.postgres
@pytest.mark.timeout(180)
def test_nothing_is_sent_twice_lost_or_lied_about_on_postgresql_that_stops_and_starts(tmp_path: Path) -> None:
    if postgres.binaries() is None:
        missing("PostgreSQL")
    with postgres.server() as server:  # of its own: it is stopped and started
        held(torture(SHORT, server.new_database("torture"), tmp_path, server))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("retry_unsure", "messages for one failed one"),
        ("answer_early", "nothing is stored"),
        ("two_children", "children"),
    ],
)
def test_the_torture_finds_a_broken_rule(broken: str, sentence: str, tmp_path: Path) -> None:
    faults = ("cut_after",)
    # Until both are there: on a quiet machine the clicks are over before anything was killed, on a busy one they
    # are few while many are killed.
    plan = Plan(SEED, 60, 200, 400, 0.5, 8, 2, 1, settle_seconds=0, broken=broken, faults=faults, kills=6)
    outcome = torture(plan, f"sqlite:///{tmp_path}/torture.db", tmp_path)
    assert [line for line in outcome.wrong if sentence in line], (outcome.line(), outcome.wrong)
