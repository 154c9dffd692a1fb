from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from canvas import config as configuration
from canvas.factory import build_flow, create_app
from canvas.flows.carry_out import sweep
from tests.conftest import Clock
from tests.fakes import Fake, HubSpotFake, OctopodsFake, fake_hubspot, hubspot_server
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import Browser

__all__ = ["fake_hubspot", "hubspot_server"]

PUBLIC_URL = "https://redeliver.example.com"


def web_settings(url: str, octopods: str, intercom: str, hubspot: str) -> configuration.Config:
    return configuration.load(
        {
            "DATABASE_URL": url,
            "OCTOPODS_URL": octopods,
            "INTERCOM_URL": intercom,
            "INTERCOM_AUTHORIZE_URL": f"{intercom}/oauth",
            "INTERCOM_CLIENT_ID": "test-client",
            "INTERCOM_CLIENT_SECRET": "test-client-secret",
            "HUBSPOT_URL": hubspot,
            "HUBSPOT_AUTHORIZE_URL": f"{hubspot}/oauth/authorize",
            "HUBSPOT_CLIENT_ID": "hubspot-client",
            "HUBSPOT_CLIENT_SECRET": "hubspot-client-secret",
            "PUBLIC_URL": PUBLIC_URL,
            "POLL_SPACING": "0",
            "CONNECT_TIMEOUT": "2",
            "LOG_LEVEL": "CRITICAL",
        }
    )


def make_site(
    url: str, clock: Clock, octopods: OctopodsFake, intercom: Fake, hubspot: HubSpotFake
) -> HubSpotDesk:
    """An app over all three fakes whose worker works at once, in the same thread."""
    config = web_settings(url, octopods.url, intercom.url, hubspot.url)

    def wake(action_id: str, due_at: datetime) -> None:
        if due_at <= clock():
            sweep(flow)

    ahead = (clock() - datetime.now(UTC)).total_seconds()
    octopods.advance(ahead)
    hubspot.advance(ahead)
    flow = build_flow(config, wake, clock)
    return HubSpotDesk(create_app(config, flow), flow, clock, octopods, intercom, hubspot)


@pytest.fixture
def site(
    sqlite_url: str,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    fake_hubspot: HubSpotFake,
) -> Iterator[HubSpotDesk]:
    """The whole app with nobody connected yet."""
    made = make_site(sqlite_url, clock, fake_octopods, fake_intercom, fake_hubspot)
    yield made
    made.flow.engine.dispose()


@pytest.fixture
def both_sites(
    database_url: str,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    fake_hubspot: HubSpotFake,
) -> Iterator[HubSpotDesk]:
    """The same, once on each database."""
    made = make_site(database_url, clock, fake_octopods, fake_intercom, fake_hubspot)
    yield made
    made.flow.engine.dispose()


@pytest.fixture
def browser(site: HubSpotDesk) -> Browser:
    """A browser that has never been here."""
    return Browser(site.app.test_client())
