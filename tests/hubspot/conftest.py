from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from canvas import config as configuration
from canvas.factory import build_flow, create_app
from canvas.flows.carry_out import sweep
from tests.conftest import Clock
from tests.fakes import Fake, HubSpotFake, OctopodsFake, fake_hubspot, hubspot_server
from tests.hubspot.desk import APP_ID, PUBLIC_URL, SECRET, HubSpotDesk

__all__ = ["fake_hubspot", "hubspot_server"]


def hubspot_settings(url: str, octopods: str, intercom: str, hubspot: str) -> configuration.Config:
    return configuration.load(
        {
            "DATABASE_URL": url,
            "OCTOPODS_URL": octopods,
            "INTERCOM_URL": intercom,
            "INTERCOM_CLIENT_SECRET": "test-client-secret",
            "HUBSPOT_URL": hubspot,
            "HUBSPOT_APP_ID": APP_ID,
            "HUBSPOT_CLIENT_ID": "hubspot-client",
            "HUBSPOT_CLIENT_SECRET": f"{SECRET}, the-next-secret",
            "PUBLIC_URL": PUBLIC_URL,
            "POLL_SPACING": "0",
            "CONNECT_TIMEOUT": "2",
            "LOG_LEVEL": "ERROR",
        }
    )


def make_desk(
    url: str, clock: Clock, octopods: OctopodsFake, intercom: Fake, hubspot: HubSpotFake
) -> HubSpotDesk:
    """An app over the real fakes whose worker works at once, in the same thread."""
    config = hubspot_settings(url, octopods.url, intercom.url, hubspot.url)

    def wake(action_id: str, due_at: datetime) -> None:
        if due_at <= clock():
            sweep(flow)

    ahead = (clock() - datetime.now(UTC)).total_seconds()
    octopods.advance(ahead)
    hubspot.advance(ahead)
    flow = build_flow(config, wake, clock)
    return HubSpotDesk(create_app(config, flow), flow, clock, octopods, intercom, hubspot)


@pytest.fixture
def portal(
    sqlite_url: str,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    fake_hubspot: HubSpotFake,
) -> Iterator[HubSpotDesk]:
    """The whole app on SQLite beside a fake HubSpot account, connected, with WhatsApp and SMS."""
    made = make_desk(sqlite_url, clock, fake_octopods, fake_intercom, fake_hubspot)
    made.connect_portal()
    yield made
    made.flow.engine.dispose()


@pytest.fixture
def both_portals(
    database_url: str,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    fake_hubspot: HubSpotFake,
) -> Iterator[HubSpotDesk]:
    """The same, once on each database."""
    made = make_desk(database_url, clock, fake_octopods, fake_intercom, fake_hubspot)
    made.connect_portal()
    yield made
    made.flow.engine.dispose()
