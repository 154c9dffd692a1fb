"""The small week; the whole one is `make week`."""

from __future__ import annotations

from tests.week import run


def test_every_failure_the_api_can_reveal_is_told_once_with_its_reason_within_the_budget() -> None:
    books = run(60, seed=7, hours=1)
    assert books.missing == []
    assert books.wrong == {}
    assert (books.doubled, books.too_close, books.gaps) == (0, 0, 0)
    assert books.failures >= 5
