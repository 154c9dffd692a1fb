from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from canvas.domain.message import Message
from canvas.flows import installs as install_flow
from canvas.flows.carry_out import sweep
from canvas.sandbox.octopods import keys
from canvas.store import channels, installs, messages
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from tests.history import made
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import Browser, Page
from tests.web.conftest import both_sites, fake_hubspot, hubspot_server, site

__all__ = ["both_sites", "fake_hubspot", "hubspot_server", "site"]
WORKSPACE = "intercom:sandbox"


@dataclass
class Pages:
    """A signed-in admin of a workspace with a WhatsApp and an SMS channel."""

    site: HubSpotDesk
    browser: Browser

    @property
    def flow(self) -> Any:
        return self.site.flow

    @property
    def install(self) -> Install:
        with reading(self.flow.engine) as conn:
            found = installs.find(conn, "intercom", "sandbox")
        assert found is not None
        return found

    @property
    def now(self) -> datetime:
        return self.site.clock()

    def get(self, path: str) -> Page:
        return self.browser.get(path)

    def press(self, page: Page, button: str, **changes: Any) -> Page:
        return self.browser.press(page, button, **changes)

    def work(self) -> int:
        return sweep(self.flow)

    def pass_time(self, seconds: float) -> None:
        self.site.pass_time(seconds)

    def send_sms(self, to: str, text: str = "Hi Mara, see you Tuesday.") -> None:
        body = json.dumps({"destination_phone": to, "body": text})
        headers = {"X-Octopods-Auth": keys.SMS, "Content-Type": "application/json"}
        answer = self.site.app.test_client().post("/api/v1/sms/messages", data=body, headers=headers)
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)

    def add(self, *found: Message) -> None:
        with writing(self.flow.engine) as conn:
            for message in found:
                messages.add(conn, message)

    def failed(self, reason: str, **values: Any) -> Message:
        """One more failed message, stored, later than the one before."""
        self.site.clock.advance(0.001)
        message = made.failed(self.flow.catalogue, self.install.id, self.now, reason, **values)
        self.add(message)
        return message

    def channel(self, kind: str) -> int:
        with reading(self.flow.engine) as conn:
            return next(c.id for c in channels.of_install(conn, self.install.id) if c.kind == kind)

    def stored(self, message_id: str) -> Message:
        with reading(self.flow.engine) as conn:
            found = messages.get(conn, self.install.id, message_id)
        assert found is not None
        return found

    def child(self, message_id: str) -> Message | None:
        with reading(self.flow.engine) as conn:
            return messages.child_of(conn, self.install.id, message_id)


def open_pages(made_site: HubSpotDesk) -> Pages:
    browser = Browser(made_site.app.test_client())
    browser.sign_in()
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        install_flow.add_channel(made_site.flow, WORKSPACE, kind, key, None, None)
    opened = Pages(made_site, browser)
    opened.work()
    return opened


@pytest.fixture
def pages(site: HubSpotDesk) -> Pages:
    return open_pages(site)


@pytest.fixture
def both_pages(both_sites: HubSpotDesk) -> Pages:
    return open_pages(both_sites)
