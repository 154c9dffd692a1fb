"""`teammate`: who signed in, and appointing an admin when the only one is lost."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from canvas.cli.common import flow
from canvas.flows import settings
from canvas.flows.installs import Refused

teammate = AppGroup("teammate", help="The people of an install.")
install_option = click.option("--install", "public_id", required=True, help="intercom:ID or hubspot:ID")


@teammate.command("list")
@install_option
def teammate_list(public_id: str) -> None:
    """Who is known there: id, role, name."""
    try:
        people = settings.people(flow(), public_id)
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    for person in people:
        click.echo(f"{person.person_id}\t{'removed' if person.removed_at else person.role}\t{person.name}")


@teammate.command("appoint")
@install_option
@click.argument("person_id")
@click.option("--name", help="What people call them, when they never signed in.")
def teammate_appoint(public_id: str, person_id: str, name: str | None) -> None:
    """Make PERSON_ID an admin: an Intercom teammate's or a HubSpot user's id, known here or not."""
    try:
        found = settings.appoint(flow(), public_id, person_id, name)
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{found.name} ({found.person_id}) is an admin of {public_id}.")
