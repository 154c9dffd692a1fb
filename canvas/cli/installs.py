"""`install` and `channel`: connecting without OAuth."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from canvas.cli.common import LARGEST_ID, flow, yes_option
from canvas.domain import settings as choices
from canvas.flows import installs as install_flow

install = AppGroup("install", help="Intercom workspaces and HubSpot portals.")
channel = AppGroup("channel", help="The channels of an install and their keys.")


def secret(value: str | None, what: str) -> str | None:
    """A secret given as `-` is read from standard input, or asked for without showing it."""
    if value is None:
        return None
    if value == "-":
        value = click.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    given = str(value).strip()
    if not given or not given.isprintable():  # such as an empty file, or bytes that are no text
        raise click.ClickException(f"{what}: nothing was given, or what was given is not plain text.")
    return given


@install.command("add")
@click.argument("platform", type=click.Choice(["intercom", "hubspot"]))
@click.argument("external_id")
@click.option("--token", help="The access token; - reads it from standard input.")
@click.option("--region", type=click.Choice(["US", "EU", "AU"]))
@click.option("--name", help="What people call it.")
@click.option("--country", help="Two letters: where numbers without a country code are read.")
@click.option("--timezone", help="IANA name, such as Europe/Dublin.")
def install_add(
    platform: str,
    external_id: str,
    token: str | None,
    region: str | None,
    name: str | None,
    country: str | None,
    timezone: str | None,
) -> None:
    """Connect a workspace or portal without OAuth."""
    given = {k: v for k, v in (("country", country), ("timezone", timezone)) if v}
    settings, wrong = choices.parse(given)
    if wrong:
        raise click.ClickException(" ".join(wrong.values()))
    try:
        found = install_flow.connect(
            flow(),
            platform,
            external_id,
            secret(token, "Token"),
            region=region,
            name=name,
            settings=settings,
        )
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{found.public_id} is connected.")


@install.command("list")
def install_list() -> None:
    """Every install and its state."""
    for found in install_flow.everyone(flow()):
        click.echo(f"{found.public_id}\t{found.status}\t{found.name or ''}")


@install.command("remove")
@click.argument("public_id")
@yes_option
def install_remove(public_id: str, yes: bool) -> None:
    """Erase an install and everything that belongs to it."""
    try:
        install_flow.known(flow(), public_id)
        if not yes:
            click.confirm("This erases the install and all its messages. Go on?", abort=True)
        install_flow.erase(flow(), public_id)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{public_id} is erased.")


@channel.command("add")
@click.option("--install", "public_id", required=True, help="intercom:WORKSPACE_ID or hubspot:PORTAL_ID")
@click.option("--kind", required=True, type=click.Choice(["whatsapp", "sms", "vbm"]))
@click.option("--key", required=True, help="The Octopods API key; - reads it from standard input.")
@click.option("--name", help="What people call it.")
@click.option("--number", help="The sending number, +...")
def channel_add(public_id: str, kind: str, key: str, name: str | None, number: str | None) -> None:
    """Connect a channel, or give a connected one of the same name its new key."""
    opened = secret(key, "Octopods API key") or ""
    try:
        made = install_flow.add_channel(flow(), public_id, kind, opened, name, number)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"Channel {made.id}: {made.name} ({made.kind}), key ending in {made.key_last4}.")


@channel.command("list")
@click.option("--install", "public_id", help="Of this install alone, instead of all.")
def channel_list(public_id: str | None) -> None:
    """The connected channels: install, number, kind, name and the last characters of the key."""
    wanted = [public_id] if public_id else [each.public_id for each in install_flow.everyone(flow())]
    try:
        for each in wanted:
            for found in install_flow.channels_of(flow(), each):
                click.echo(f"{each}\t{found.id}\t{found.kind}\t{found.name}\t…{found.key_last4}")
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal


@channel.command("repaired")
@click.option("--install", "public_id", required=True)
@click.argument("channel_id", type=click.IntRange(1, LARGEST_ID))
def channel_repaired(public_id: str, channel_id: int) -> None:
    """Say that what stopped a channel's messages (credit, a limit, a registration) was put right."""
    try:
        install_flow.repair_channel(flow(), public_id, channel_id)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo("Noted. Messages that failed because of its settings can be sent again.")


@channel.command("remove")
@click.option("--install", "public_id", required=True)
@click.argument("channel_id", type=click.IntRange(1, LARGEST_ID))
def channel_remove(public_id: str, channel_id: int) -> None:
    """Disconnect a channel; its messages stay readable, its key is forgotten."""
    try:
        install_flow.remove_channel(flow(), public_id, channel_id)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo("The channel is disconnected.")
