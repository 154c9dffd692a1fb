"""The worker process: Huey's consumer over our queue. `flask --app app worker` runs it."""

from __future__ import annotations

from huey.consumer import Consumer
from sqlalchemy.exc import SQLAlchemyError

from canvas.config import Config
from canvas.factory import flow_on_queue, open_queue, set_up_logging
from canvas.store.database import open_engine, reading
from canvas.store.migrate import trouble

QUICK = 0.2  # seconds at most between two looks into a SQLite queue, so that a click is not kept waiting
PATIENCE = 30.0  # seconds to wait for a locked database: an outcome is worth waiting for
SHUTDOWN_SECONDS = 45  # longer than the longest call, so that a send can write down its outcome


class CannotStart(Exception):
    """The database is not fit to work on; one sentence says why and what to do."""


def check(config: Config) -> None:
    """Raises CannotStart. A worker on the wrong tables would do harm, so it refuses before it takes anything."""
    engine = open_engine(config["DATABASE_URL"])
    try:
        with reading(engine) as conn:
            wrong = trouble(conn)
    except SQLAlchemyError as error:
        raise CannotStart("The database does not answer.") from error
    finally:
        engine.dispose()
    if wrong:
        raise CannotStart(wrong)


def consumer(config: Config, workers: int) -> Consumer:
    """A consumer ready to run. On SIGTERM it finishes what it does and takes nothing new."""
    set_up_logging(config["LOG_LEVEL"])
    huey = open_queue(config)
    flow_on_queue(config, huey, PATIENCE)  # the queue's tasks hold it
    return huey.create_consumer(
        workers=workers,
        max_delay=QUICK,
        initial_delay=0.05,
        scheduler_interval=1,
        shutdown_timeout=SHUTDOWN_SECONDS,
        graceful_signal="TERM",
    )
