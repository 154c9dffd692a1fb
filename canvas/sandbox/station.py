"""The sandbox's servers, together: the fake vendors and the desk, each on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from canvas import config as configuration
from canvas.config import BadSetting, Config
from canvas.sandbox.desk import Desk, create_desk
from canvas.sandbox.serve import serve

INTERCOM_SECRET = "sandbox-intercom-secret"  # noqa: S105 - opens nothing but the sandbox
HUBSPOT_SECRET = "sandbox-hubspot-secret"  # noqa: S105 - the same


class CannotStart(Exception):
    """One sentence that says why."""


def settings(environment: Mapping[str, str] | None = None) -> Config:
    """The app's settings. Raises CannotStart in production: everybody knows the sandbox's keys."""
    try:
        found = configuration.load(environment)
    except BadSetting as wrong:
        raise CannotStart(str(wrong)) from wrong
    if found["PRODUCTION"]:
        raise CannotStart("The sandbox does not start in production: everybody knows its keys.")
    return found


@dataclass(frozen=True, slots=True)
class Station:
    """Where everything listens. The desk has the fakes at hand, to be steered without a request."""

    octopods_url: str
    intercom_url: str
    hubspot_url: str
    desk_url: str
    desk: Desk

    def environment(self) -> dict[str, str]:
        """What the app needs to know to talk to these fakes and to believe this desk."""
        return {
            "OCTOPODS_URL": self.octopods_url,
            "INTERCOM_URL": self.intercom_url,
            "INTERCOM_CLIENT_ID": "sandbox",
            "INTERCOM_AUTHORIZE_URL": f"{self.intercom_url}/oauth",
            "INTERCOM_CLIENT_SECRET": INTERCOM_SECRET,
            "HUBSPOT_URL": self.hubspot_url,
            "HUBSPOT_AUTHORIZE_URL": f"{self.hubspot_url}/oauth/authorize",
            "HUBSPOT_APP_ID": self.desk.caller.app_id,
            "HUBSPOT_CLIENT_ID": "sandbox",
            "HUBSPOT_CLIENT_SECRET": HUBSPOT_SECRET,
        }


@contextmanager
def station(app_url: str, desk_port: int, fakes_from: int | None = None) -> Iterator[Station]:
    """Serve fakes and desk until the block ends; the fakes on the ports from `fakes_from` on, or on any free.

    Raises OSError when a port is in use.
    """
    ports = range(fakes_from, fakes_from + 3) if fakes_from else (0, 0, 0)
    desk = Desk.beside(app_url, INTERCOM_SECRET, HUBSPOT_SECRET)
    with (
        serve(desk.octopods.app, ports[0]) as octopods_url,
        serve(desk.intercom.app, ports[1]) as intercom_url,
        serve(desk.hubspot.app, ports[2]) as hubspot_url,
        serve(create_desk(desk), desk_port) as desk_url,
    ):
        yield Station(octopods_url, intercom_url, hubspot_url, desk_url, desk)
