"""What the commands share."""

from __future__ import annotations

from flask import current_app

from canvas.flows.context import Flow
from canvas.surfaces.services import Services


def flow() -> Flow:
    """The flows' surroundings of the app this command runs in."""
    services: Services = current_app.extensions["redeliver"]
    return services.flow
