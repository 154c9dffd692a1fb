"""The small week; the whole one is `make week`. And that its judge can fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canvas.flows import outcome, polling
from canvas.flows.diagnosing import diagnose_for
from canvas.store import channels
from tests import week
from tests.week import Books


def test_every_failure_the_api_can_reveal_is_told_once_with_its_reason_within_the_budget() -> None:
    books = week.run(60, seed=7, hours=1)
    assert books.missing == []
    assert books.wrong == {}
    assert (books.doubled, books.too_close, books.gaps) == (0, 0, 0)
    assert books.failures >= 5


def deaf(patch: pytest.MonkeyPatch) -> None:
    """News of failures is passed over."""
    honest = outcome.reported

    def reported(conn: Any, flow: Any, message: Any, report: Any, *rest: Any, **more: Any) -> Any:
        return message if report.status == "failed" else honest(conn, flow, message, report, *rest, **more)

    patch.setattr(outcome, "reported", reported)


def guessing(patch: pytest.MonkeyPatch) -> None:
    """Every failure is told as one and the same."""

    def diagnose(conn: Any, flow: Any, install_id: int, evidence: Any, now: Any, **more: Any) -> Any:
        return diagnose_for(
            conn, flow, install_id, type(evidence)(text="blocked by the carrier"), now, **more
        )

    patch.setattr(outcome, "diagnose_for", diagnose)


def forgetful(patch: pytest.MonkeyPatch) -> None:
    """A send whose answer was lost is not known again in the list, and told a second time."""
    patch.setattr(week, "LOST", 0.5)
    patch.setattr(polling, "fits", lambda message, report: False)


def greedy(patch: pytest.MonkeyPatch) -> None:
    """Questions are asked whenever one is due, whatever the key may bear."""
    patch.setattr(channels, "take_poll_turn", lambda *_: None)


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (deaf, lambda books: books.missing),
        (guessing, lambda books: books.wrong),
        (forgetful, lambda books: books.doubled),
        (greedy, lambda books: books.too_close),
    ],
)
def test_the_judge_of_the_week_can_fail(
    broken: Callable[[pytest.MonkeyPatch], None],
    found: Callable[[Books], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    assert found(week.run(40, seed=7, hours=1, per_minute=60))
