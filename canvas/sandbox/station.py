"""The sandbox's servers, together: the fake vendors and the desk, each on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from canvas.sandbox.desk import Desk, create_desk
from canvas.sandbox.fake_intercom import FakeIntercom
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.serve import serve

INTERCOM_SECRET = "sandbox-intercom-secret"  # noqa: S105 - known to everybody; config refuses it in production


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
            "INTERCOM_CLIENT_SECRET": INTERCOM_SECRET,
        }


@contextmanager
def station(app_url: str, desk_port: int) -> Iterator[Station]:
    """Serve fakes and desk until the block ends. Raises OSError when the desk's port is in use."""
    octopods, intercom = FakeOctopods(), FakeIntercom()
    desk = create_desk(Desk(app_url, INTERCOM_SECRET, octopods, intercom))
    with (
        serve(octopods.app) as octopods_url,
        serve(intercom.app) as intercom_url,
        serve(desk, desk_port) as desk_url,
    ):
        yield Station(octopods_url, intercom_url, desk_url, octopods, intercom)
