"""`purge`, `erase`, `export`, `keys rotate`: taking care of the data."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from canvas.cli.common import flow, yes_option
from canvas.flows import erase as erasing
from canvas.flows import export as exporting
from canvas.flows import installs as install_flow
from canvas.flows import retention
from canvas.store import rotation

keys = AppGroup("keys", help="The keys that seal secrets.")


@click.command("purge")
def purge() -> None:
    """Remove what is no longer needed. The worker does it every hour by itself."""
    done = retention.purge(flow())
    click.echo(
        f"{done.contents} contents dropped, {done.messages} messages, {done.other} other rows "
        f"and {done.installs} uninstalled tenants removed."
    )


@click.command("export")
@click.argument("public_id")
def export(public_id: str) -> None:
    """Print everything stored of an install, one JSON object a line, without secrets."""
    try:
        for line in exporting.lines(flow(), public_id):
            click.echo(line, nl=False)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal


@click.command("erase")
@click.argument("public_id")
@click.option("--contact", help="Only this person: a contact id, or a number such as +353871234567.")
@yes_option
def erase(public_id: str, contact: str | None, yes: bool) -> None:
    """Erase an install, or one person of it, and prove it."""
    if contact is not None and not contact.strip():
        raise click.UsageError("--contact is empty. Give a contact id, or a number such as +353871234567.")
    try:
        install_flow.known(flow(), public_id)
        if not yes:
            click.confirm("This cannot be undone. Go on?", abort=True)
        done = erasing.person(flow(), public_id, contact) if contact else erasing.install(flow(), public_id)
    except install_flow.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    for table, number in sorted(done.gone.items()):
        click.echo(f"{table}\t{number} erased")
    if done.left:
        raise click.ClickException(f"Still found: {done.left}")
    click.echo("A last search of every table finds nothing.")


@keys.command("rotate")
def rotate() -> None:
    """Seal every secret with the newest key of ENCRYPTION_KEYS. Safe beside the running app, and to repeat."""
    done = rotation.rotate(flow().engine, flow().sealer)
    click.echo(
        f"{done.resealed} secrets sealed anew, {done.newest} were already, "
        f"{done.fingerprints} key fingerprints renewed."
    )
    if done.lost:
        where = "; ".join(done.lost)
        raise click.ClickException(f"{len(done.lost)} cannot be opened with any configured key: {where}")
