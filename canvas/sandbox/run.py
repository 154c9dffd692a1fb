"""`make run`: web, worker and sandbox together, seeded with failed messages, until Ctrl-C.

It starts afresh each time: the sandbox's database is its own file, and the fakes remember nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from types import FrameType

import requests

from canvas.knowledge import catalogue
from canvas.sandbox import hubspot_people, intercom_people, seed
from canvas.sandbox.children import Children, Died, children
from canvas.sandbox.desk import Desk
from canvas.sandbox.hubspot_desk import exchange
from canvas.sandbox.hubspot_people import PORTAL
from canvas.sandbox.hubspot_state import STATIC_TOKEN
from canvas.sandbox.intercom_oauth import BEARER
from canvas.sandbox.intercom_people import REGION, TIMEZONE
from canvas.sandbox.intercom_requests import initialize, post
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.sandbox.serve import HOST
from canvas.sandbox.station import INTERCOM_SECRET, CannotStart, Station, settings, station

FIRST_LOOK = BY_ID["not_on_whatsapp"]
BLOCK_SECONDS = 90
READY_SECONDS = 60


def main() -> int:
    """Run until Ctrl-C or SIGTERM. Exit status 1, after one clear sentence, when it cannot."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_interrupt)
    try:
        _run(os.environ)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0
    except (CannotStart, Died) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(environment: Mapping[str, str]) -> None:
    port: int = settings(environment)["PORT"]
    desk_port = int(environment.get("DESK_PORT", str(port + 10)))
    for name, number in (("PORT", port), ("DESK_PORT", desk_port)):
        _need_free(name, number)
    folder = Path(environment.get("SANDBOX_FOLDER", "instance")).resolve()
    folder.mkdir(exist_ok=True)
    app_url = f"http://{HOST}:{port}"
    with children(folder) as family, station(app_url, desk_port) as servers:
        start_all(family, servers, app_url, folder / "sandbox.db")
        print(greeting(servers.desk_url, app_url, folder), flush=True)
        while True:
            family.check()
            time.sleep(1)


def _need_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            message = f"Port {port} is in use. Stop what runs there, or set {name} to another port."
            raise CannotStart(message) from error


def start_all(family: Children, servers: Station, app_url: str, database: Path) -> None:
    """Start web and worker on a fresh database and play the people's messages. Raises CannotStart, Died."""
    for old in database.parent.glob(f"{database.stem}*.db*"):
        old.unlink()
    environment = {**development(app_url, database), **servers.environment()}
    os.environ.update(environment)
    _prepare(database)
    for name in ("web", "worker"):
        family.start(name, environment)
    _wait("the web process", family, lambda: _answers(f"{app_url}/readyz"))
    octopods = servers.desk.octopods
    for tenant in seed.TENANTS:
        busy = tenant.key_of(keys.BUSY_WHATSAPP)
        octopods.keys.block_for(busy, BLOCK_SECONDS, octopods.clock.now())
    seed.play(app_url)
    for shows in (_intercom_shows, _hubspot_shows):
        _wait("the first failed message", family, partial(_reason_shown, shows, servers.desk))


def development(app_url: str, database: Path) -> dict[str, str]:
    return {
        "PORT": app_url.rpartition(":")[2],
        "PUBLIC_URL": app_url,
        "DATABASE_URL": f"sqlite:///{database}",
        "DEFAULT_REGION": "DE",
        "POLL_SCHEDULE": "2,2,3,5,10,30",
        "POLL_SPACING": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def _prepare(database: Path) -> None:
    """Tables, install and channels, by the commands anybody would use."""
    # Imported here, because the app reads the environment when it is made.
    runner = import_module("app").app.test_cli_runner()

    def flask(*arguments: str) -> None:
        result = runner.invoke(args=list(arguments))
        if result.exit_code:
            raise CannotStart(f"flask {' '.join(arguments)} failed: {result.output or result.exception}")

    flask("db", "upgrade")
    flask(
        "install", "add", "intercom", "sandbox", "--token", BEARER, "--region", REGION, "--timezone", TIMEZONE
    )
    flask("install", "add", "hubspot", str(PORTAL), "--token", STATIC_TOKEN, "--timezone", TIMEZONE)
    for tenant, (kind, name, key) in product(seed.TENANTS, seed.CHANNELS):
        given = ("--kind", kind, "--name", name, "--key", tenant.key_of(key))
        flask("channel", "add", "--install", tenant.install, *given)


def _wait(what: str, family: Children, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_SECONDS
    while not ready():
        family.check()
        if time.monotonic() > until:
            raise CannotStart(
                f"Waited {READY_SECONDS} s for {what} in vain; see {family.folder}/sandbox-*.log."
            )
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def _reason_shown(shows: Callable[[Desk], str], desk: Desk) -> bool:
    return catalogue.load().reason(FIRST_LOOK.id).title in shows(desk)


def _intercom_shows(desk: Desk) -> str:
    body = initialize(FIRST_LOOK, desk.intercom.contact(intercom_people.contact_id(FIRST_LOOK)))
    return str(post(f"{desk.app_url}/intercom/initialize", body, INTERCOM_SECRET)["response"])


def _hubspot_shows(desk: Desk) -> str:
    target = f"/hubspot/card?objectId={hubspot_people.contact_id(FIRST_LOOK)}"
    return str(exchange(desk.caller, "GET", target, None)["response"])


def greeting(desk_url: str, app_url: str, folder: Path) -> str:
    return f"""
  The desk     {desk_url}
  The app      {app_url}
  Its logs     {folder}/sandbox-web.log, sandbox-worker.log

  Open the desk: a message failed, the card says why, and one click fixes it.
  Ctrl-C stops everything. It starts afresh each time.
"""


if __name__ == "__main__":
    sys.exit(main())
