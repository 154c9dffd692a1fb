"""Retrying a write: what has already happened outside must not be lost because the database is away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import DataError, ProgrammingError, SQLAlchemyError

log = structlog.get_logger()
PAUSES = (0.1, 0.4, 1.0, 2.0, 4.0)  # seconds: a restart of the database, within what a caller waits


def retry_write(write: Callable[[], None], pause: Callable[[float], None] = time.sleep) -> None:
    """Do it, and again while the database refuses. Raises its last error.

    `write` must do no harm when it is done twice: a commit whose answer was lost may have been made.
    """
    for seconds in PAUSES:
        try:
            return write()
        except (DataError, ProgrammingError):
            raise  # what the database cannot take now it cannot take later
        except SQLAlchemyError as error:
            log.warning("database.refused", error=type(error).__name__, again_in=seconds)
            pause(seconds)
    return write()
