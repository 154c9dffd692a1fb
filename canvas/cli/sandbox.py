"""`sandbox`: the fake vendors and the desk alone, beside an app that runs already."""

from __future__ import annotations

import time

import click

from canvas.sandbox.station import CannotStart, settings, station


@click.command("sandbox")
@click.option("--app-url", default="http://127.0.0.1:8080", show_default=True, help="Where the app listens.")
@click.option(
    "--port",
    type=click.IntRange(1, 65532),
    default=8090,
    show_default=True,
    help="The desk's port; the fakes take the next ones.",
)
def sandbox(app_url: str, port: int) -> None:
    """Serve the fake Octopods, Intercom and HubSpot and the desk until Ctrl-C. Not in production."""
    try:
        settings()
        with station(app_url.rstrip("/"), port, fakes_from=port + 1) as servers:
            click.echo(f"The desk: {servers.desk_url}\nThe app talks to the fakes when started with:")
            for name, value in servers.environment().items():
                click.echo(f"  {name}={value}")
            while True:
                time.sleep(1)
    except CannotStart as reason:
        raise click.ClickException(str(reason)) from reason
    except OSError as error:
        raise click.ClickException(f"Ports {port} to {port + 3} must be free: {error}") from error
    except KeyboardInterrupt:
        click.echo("Stopped.")
