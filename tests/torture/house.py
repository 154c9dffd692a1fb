"""The app and the worker as the torture runs them: with a clock of their own, and broken on purpose where asked.

`gunicorn tests.torture.house:web()` and `python -m tests.torture.house`. SKEW is in seconds; BROKEN names a switch.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime, timedelta
from functools import partial

from flask import Flask

from canvas import config, factory, worker
from canvas.clients.errors import CallFailed
from canvas.domain.fix import Fix
from canvas.domain.message import Status
from canvas.domain.plan import Deed, Send
from canvas.flows import fix as fixing
from canvas.flows import sending
from canvas.flows.context import Flow, utc_now
from canvas.flows.deeds import Clicked, Clicker
from canvas.flows.fix_tokens import FixToken
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
    honest = fixing._commit

    def early(
        flow: Flow, token: FixToken, fix: Fix, todo: Send | Deed, by: Clicker, patience: float
    ) -> Clicked:
        def later() -> None:
            time.sleep(FORGETFUL_SECONDS)
            honest(flow, token, fix, todo, by, patience)

        threading.Thread(target=later, daemon=True).start()
        message = fixing._get(flow, by.install, token.message_id)
        return Clicked("receipt", message, fix, note="Sending now.")

    fixing._commit = early


def two_children() -> None:
    """Nobody looks whether a message was sent again before; only the database stands in the way."""
    fixing._earlier = lambda conn, message, token: None
    fixing._twin = lambda *given: None
    fixing.blocking = lambda findings: None  # type: ignore[attr-defined]


BREAKS = {"retry_unsure": retry_unsure, "answer_early": answer_early, "two_children": two_children}


def _prepare() -> config.Config:
    fixing.WAIT_SECONDS = 0.7  # more clicks in the time there is
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
