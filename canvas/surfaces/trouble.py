"""Our own trouble in words for whoever looked or clicked: they promise no more than is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

BLIND = "Redeliver cannot read its records right now."
UNCHANGED = f"{BLIND} Nothing was changed."
MAYBE = f"{BLIND} What you clicked may have been done. It is never done twice."


class MaybeDone(Exception):
    """Something broke when the deed may already have been stored."""


@contextmanager
def clicking() -> Iterator[None]:
    """Carry out a click and draw what became of it; whatever breaks on the way is raised as MaybeDone."""
    try:
        yield
    except Exception as error:
        raise MaybeDone from error
