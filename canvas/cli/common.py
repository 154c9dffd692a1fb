"""What the commands share."""

from __future__ import annotations

import click
from flask import current_app
from sqlalchemy import Engine

from canvas.flows.context import Flow
from canvas.store import migrate
from canvas.store.database import reading
from canvas.surfaces.services import Services

LARGEST_ID = 2**31 - 1
yes_option = click.option("--yes", is_flag=True, help="Do not ask whether to go on.")


def flow() -> Flow:
    """What the flows of the app this command runs in work with. Tables of another version end it with a sentence."""
    with reading(engine()) as conn:
        trouble = migrate.trouble(conn)
    if trouble:
        raise click.ClickException(trouble)
    return _services().flow


def engine() -> Engine:
    """The database, whatever its tables."""
    return _services().flow.engine


def _services() -> Services:
    services: Services = current_app.extensions["redeliver"]
    return services
