"""What the surfaces find on the running app."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from canvas.flows.context import Flow
from canvas.flows.counters import Counters
from canvas.flows.first_screens import FirstScreens
from canvas.flows.fix_tokens import Tokens
from canvas.surfaces.limits import Limits


@dataclass(frozen=True, slots=True)
class Services:
    """What the flows work with, the signer of fix tokens, the rate limits, the counters, and the Inbox's
    first screens."""

    flow: Flow
    tokens: Tokens
    limits: Limits
    counters: Counters
    first_screens: FirstScreens


def services() -> Services:
    """The services of the app that handles this request."""
    found = current_app.extensions["redeliver"]
    assert isinstance(found, Services)
    return found
