"""`hubspot set`: what is written into a HubSpot account beside the card."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from canvas.cli.common import flow
from canvas.flows import contact_properties, timeline
from canvas.flows import installs as install_flow

hubspot = AppGroup("hubspot", help="What is written into a HubSpot account.")
TIMELINES = (timeline.ACTIVITY, timeline.APP_EVENT, timeline.OFF)


@hubspot.command("set")
@click.argument("public_id")
@click.option("--timeline", "writer", type=click.Choice(TIMELINES), help="How failures reach the timeline.")
@click.option("--contact-properties/--no-contact-properties", "properties", default=None)
def hubspot_set(public_id: str, writer: str | None, properties: bool | None) -> None:
    """Choose for hubspot:PORTAL_ID: the timeline's writer, and whether contacts carry the last outcome."""
    given: dict[str, Any] = {timeline.SETTING: writer, contact_properties.SETTING: properties}
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen:
        raise click.UsageError("Choose --timeline or --contact-properties.")
    if not public_id.startswith("hubspot:"):
        raise click.ClickException(f"{public_id} is no HubSpot account: those are named hubspot:PORTAL_ID.")
    try:
        install_flow.choose(flow(), public_id, chosen)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{public_id}: " + ", ".join(f"{name}={value}" for name, value in chosen.items()))
