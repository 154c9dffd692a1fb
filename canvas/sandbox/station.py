"""The sandbox's servers, together: the fake vendors and the desk, each on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from canvas import config as configuration
from canvas.config import BadSetting, Config
from canvas.sandbox.desk import Desk, create_desk
from canvas.sandbox.fake_intercom import FakeIntercom
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.serve import serve

INTERCOM_SECRET = "sandbox-intercom-secret"  # noqa: S105 - opens nothing but the sandbox


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
    """Where everything listens. The fakes are at hand, to be steered without a request."""

    octopods_url: str
    intercom_url: str
    desk_url: str
    octopods: FakeOctopods
    intercom: FakeIntercom

    def environment(self) -> dict[str, str]:
        """What the app needs to know to talk to these fakes and to believe this desk."""
        return {
            "OCTOPODS_URL": self.octopods_url,
            "INTERCOM_URL": self.intercom_url,
            "INTERCOM_CLIENT_ID": "sandbox",
            "INTERCOM_AUTHORIZE_URL": f"{self.intercom_url}/oauth",
            "INTERCOM_CLIENT_SECRET": INTERCOM_SECRET,
        }


@contextmanager
def station(app_url: str, desk_port: int, fakes_from: int | None = None) -> Iterator[Station]:
    """Serve fakes and desk until the block ends; the fakes on the ports from `fakes_from` on, or on any free.

    Raises OSError when a port is in use.
    """
    ports = range(fakes_from, fakes_from + 2) if fakes_from else (0, 0)
    octopods, intercom = FakeOctopods(), FakeIntercom()
    desk = create_desk(Desk(app_url, INTERCOM_SECRET, octopods, intercom))
    with (
        serve(octopods.app, ports[0]) as octopods_url,
        serve(intercom.app, ports[1]) as intercom_url,
        serve(desk, desk_port) as desk_url,
    ):
        yield Station(octopods_url, intercom_url, desk_url, octopods, intercom)
