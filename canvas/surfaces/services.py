"""What the surfaces find on the running app."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from canvas.flows.context import Flow
from canvas.flows.counting import Tally
from canvas.flows.first_look import FirstLooks
from canvas.flows.fix_tokens import Tokens
from canvas.surfaces.limits import Limits


@dataclass(frozen=True, slots=True)
class Services:
    """The flows' surroundings, the signer of fix tokens, the rate limits, the counters, and who draws the
    Inbox's first canvases."""

    flow: Flow
    tokens: Tokens
    limits: Limits
    tally: Tally
    first_canvases: FirstLooks


def services() -> Services:
    """The services of the app that handles this request."""
    found = current_app.extensions["redeliver"]
    assert isinstance(found, Services)
    return found
