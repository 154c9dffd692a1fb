"""`config`, `worker`, `sweep`, `rediagnose` and `db`: running the thing."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from canvas import config as configuration
from canvas import worker
from canvas.cli.common import engine, flow
from canvas.flows import carry_out, come_in, diagnosing, installs
from canvas.store import migrate

db = AppGroup("db", help="The database.")


@click.command("config")
def show_config() -> None:
    """Print every setting: name, value (secrets hidden) as it may be given again, meaning."""
    values = configuration.load()
    for setting in configuration.SETTINGS:
        value = configuration.written(values[setting.name])
        if setting.secret and value:
            value = "(hidden)"
        click.echo(f"{setting.name}={value}\n    {setting.help}")


@click.command("worker")
@click.option(
    "--workers",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    help="How many actions at the same time.",
)
def run_worker(workers: int) -> None:
    """Carry out actions until told to stop."""
    settings = configuration.load()
    try:
        worker.check(settings)
    except worker.CannotStart as refusal:
        raise click.ClickException(str(refusal)) from refusal
    worker.consumer(settings, workers).run()


@click.command("sweep")
def sweep() -> None:
    """Carry out everything that is due now, once."""
    lost = come_in.abandoned(flow())
    click.echo(f"{carry_out.sweep(flow())} actions carried out, {lost} abandoned sends marked unsure.")


@db.command("upgrade")
def upgrade() -> None:
    """Bring the tables to this version."""
    try:
        migrate.upgrade(engine())
    except migrate.Newer as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo("The database is at this version.")


@click.command("rediagnose")
def rediagnose() -> None:
    """Read all stored failures again with today's catalogue."""
    for install in installs.everyone(flow()):
        click.echo(
            f"{install.public_id}: {diagnosing.rediagnose(flow(), install.id)} messages have another reason now."
        )
