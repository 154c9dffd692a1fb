"""The app and the worker as the torture runs them: with a clock of their own, and broken on purpose where asked.

`gunicorn tests.torture.house:web()` and `python -m tests.torture.house`. SKEW is in seconds; BROKEN names a switch.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask

from canvas import config, factory, worker
from canvas.clients.errors import CallFailed
from canvas.domain.message import Status
from canvas.flows import fix, sending
from canvas.flows.context import Flow, utc_now
from canvas.flows.deeds import Clicked
from canvas.store import actions, messages
from canvas.store.actions import Action
from canvas.store.database import writing

SKEW = timedelta(seconds=float(os.environ.get("SKEW", "0")))
FORGETFUL_SECONDS = 3.0


def clock() -> datetime:
    return utc_now() + SKEW


def retry_unsure() -> None:
    """A send whose answer was lost is simply tried again."""

    def again(flow: Flow, action: Action, error: CallFailed) -> None:
        now = flow.clock()
        with writing(flow.engine) as conn:
            messages.move(conn, action.message_id or "", [Status.SENDING], Status.QUEUED, now)
            actions.again(conn, action, now)
        flow.wake(action.id, now)

    sending._failed = again


def answer_early() -> None:
    """A click is answered as if it were stored; the storing comes later, if nothing comes between."""
    honest = fix._commit

    def early(flow: Flow, token: Any, chosen: Any, todo: Any, by: Any, patience: float) -> Clicked:
        def later() -> None:
            time.sleep(FORGETFUL_SECONDS)
            honest(flow, token, chosen, todo, by, patience)

        threading.Thread(target=later, daemon=True).start()
        message = fix._get(flow, by.install, token.message_id)
        return Clicked("receipt", message, chosen, note="Sending now.")

    fix._commit = early


def two_children() -> None:
    """Nobody looks whether a message was sent again before; only the database stands in the way."""
    fix._earlier = lambda conn, message, token: None
    fix._twin = lambda *given: None
    fix.blocking = lambda findings: None


BREAKS = {"retry_unsure": retry_unsure, "answer_early": answer_early, "two_children": two_children}


def _prepare() -> config.Config:
    fix.WAIT_SECONDS = 0.7  # more clicks in the time there is
    factory.build_flow = partial(factory.build_flow, clock=clock)
    for name in filter(None, os.environ.get("BROKEN", "").split(",")):
        BREAKS[name]()
    return config.load()


def web() -> Flask:
    return factory.create_app(_prepare())


def main() -> None:
    worker.consumer(_prepare(), 4).run()


if __name__ == "__main__":
    main()
