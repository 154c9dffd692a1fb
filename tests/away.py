"""A database that goes away at the worst moment: right after what a click did was written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.desk import Desk


@contextmanager
def database_leaves_after_the_next_send(desk: Desk) -> Iterator[None]:
    """The commit that follows Octopods' next receipt is the last thing the database does."""
    before, gone = len(desk.octopods.sends()), False

    def commit(_conn: Any) -> None:
        nonlocal gone
        gone = gone or len(desk.octopods.sends()) > before

    def refuse(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if gone:
            raise OperationalError(statement, {}, Exception("the database is away"))

    event.listen(desk.flow.engine, "commit", commit)
    event.listen(desk.flow.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(desk.flow.engine, "commit", commit)
        event.remove(desk.flow.engine, "before_cursor_execute", refuse)
