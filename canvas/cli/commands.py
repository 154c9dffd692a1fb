"""All commands of `flask --app app …`."""

from __future__ import annotations

from flask import Flask

from canvas.cli import care, diagnosing, hooks, hubspot, installs, operate, sandbox, teammates

GROUPS = (
    operate.db,
    installs.install,
    installs.channel,
    teammates.teammate,
    hooks.hook,
    hubspot.hubspot,
    diagnosing.catalogue,
    diagnosing.unknown,
    care.keys,
)
COMMANDS = (
    operate.show_config,
    operate.run_worker,
    operate.sweep,
    operate.rediagnose,
    care.purge,
    care.export,
    care.erase,
    diagnosing.diagnose_command,
    sandbox.sandbox,
)


def register(app: Flask) -> None:
    """Give the app its commands."""
    for command in (*GROUPS, *COMMANDS):
        app.cli.add_command(command)
