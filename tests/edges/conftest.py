"""Two tenants on each platform, in one app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Clock
from tests.edges.tenants import World
from tests.fakes import Fake, HubSpotFake, OctopodsFake, fake_hubspot, hubspot_server
from tests.hubspot.conftest import make_desk

__all__ = ["fake_hubspot", "hubspot_server"]


@pytest.fixture
def world(
    sqlite_url: str,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    fake_hubspot: HubSpotFake,
) -> Iterator[World]:
    desk = make_desk(sqlite_url, clock, fake_octopods, fake_intercom, fake_hubspot)
    yield World(desk)
    desk.flow.engine.dispose()
