"""What the surfaces find on the running app."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from canvas.flows.context import Flow
from canvas.flows.fix import Tokens


@dataclass(frozen=True, slots=True)
class Services:
    """The flows' surroundings and the signer of fix tokens."""

    flow: Flow
    tokens: Tokens


def services() -> Services:
    """The services of the app that handles this request."""
    found = current_app.extensions["redeliver"]
    assert isinstance(found, Services)
    return found
