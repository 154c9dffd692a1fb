"""`hook`: the secrets by which Twilio's and Meta's calls are believed."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from canvas.cli.common import flow
from canvas.cli.installs import secret as read_secret
from canvas.flows import hooks
from canvas.flows.installs import Refused

hook = AppGroup("hook", help="What providers tell us directly: Twilio status callbacks, Meta webhooks.")
install_option = click.option("--install", "public_id", required=True, help="intercom:WORKSPACE_ID")
provider_option = click.option("--provider", required=True, type=click.Choice(hooks.PROVIDERS))


@hook.command("set")
@install_option
@provider_option
@click.option("--secret", required=True, help="Twilio's auth token or Meta's app secret; - reads it.")
@click.option("--verify-token", help="WhatsApp only: what Meta shows when you register the address.")
def hook_set(public_id: str, provider: str, secret: str, verify_token: str | None) -> None:
    """Believe this provider's calls for an install."""
    try:
        hooks.set_secret(flow(), public_id, provider, read_secret(secret, "Secret") or "", verify_token)
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{provider} may call {current_app.config['PUBLIC_URL']}/hooks/{provider}/{public_id}")


@hook.command("list")
@install_option
def hook_list(public_id: str) -> None:
    """The hooks of an install: where the provider must call, and whether its secret is set."""
    try:
        for state in hooks.states(flow(), public_id):
            since = f"set {state.changed_at:%Y-%m-%d}" if state.changed_at else "not set"
            click.echo(f"{state.provider}\t{since}\t{current_app.config['PUBLIC_URL']}{state.path}")
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal


@hook.command("remove")
@install_option
@provider_option
def hook_remove(public_id: str, provider: str) -> None:
    """Believe this provider no more."""
    try:
        hooks.remove_secret(flow(), public_id, provider)
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{provider} is not believed any more.")
