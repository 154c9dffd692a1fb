"""Signing in, the settings and everything that can go wrong there are open to everybody, and need no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium

from canvas.flows import installs as install_flow
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import installs, messages
from canvas.store.database import reading
from tests.desk import ADMIN
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import BEN, NOBODY, Browser, Page
from tests.web.eyes import Eyes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
MARA = BY_ID["not_on_whatsapp"]


@pytest.fixture
def eyes(chromium: Chromium, site: HubSpotDesk) -> Eyes:
    from axe_playwright_python.sync_playwright import Axe

    return Eyes(chromium, Axe(), site.app.test_client())


def signed_out(site: HubSpotDesk) -> Iterator[tuple[str, Page]]:
    """What people see who are not signed in, and what stops them on the way."""
    new = Browser(site.app.test_client())
    yield "welcome", new.get("/")
    yield "sign-in", new.get("/settings")
    yield "no-state", new.get("/intercom/callback?code=x")
    yield "not-allowed", new.get(new.consent(new.leave(), NOBODY))
    yield "nothing-here", new.get("/nothing/here")
    yield "bad-link", new.get("/m/altered")


def made(site: HubSpotDesk, ana: Browser) -> Iterator[tuple[str, Page]]:
    """The settings from empty to full, as an admin and as a member sees them, and what is refused."""
    empty = ana.sign_in()
    yield "settings-empty", empty
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        install_flow.add_channel(site.flow, "intercom:sandbox", kind, key, None, "+353871234567")
    site.work()
    site.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    site.pass_time(15)
    yield "settings-saved", ana.press(ana.get("/settings"), "Save", may_fix="named", languages="en, pt_BR")
    card = site.initialize(workspace_id="sandbox", admin={**ADMIN, "id": "814862", "name": "Cleo Anand"})
    site.click(card, "Ask to be allowed to fix")
    yield "settings", ana.get("/settings")
    wrong = {"country": "Ireland", "timezone": "Dublin", "languages": "english", "undo_seconds": "x"}
    yield (
        "settings-wrong",
        ana.press(ana.get("/settings"), "Save", **wrong, retention_days="0", auto_most="9"),
    )
    yield "channel-refused", ana.press(ana.get("/settings"), "Connect", key="not-a-key", number="087")
    two = ana.press(ana.get("/settings"), "Make admin Cleo Anand")
    ana.press(two, "Make member Cleo Anand")
    yield "last-admin", ana.press(two, "Remove Ana Kos")
    yield "erased", ana.press(ana.get("/settings"), "Erase this person", whom="nobody", for_good="yes")
    yield "audit", ana.get("/settings/audit")
    yield "old-form", ana.press(ana.get("/settings"), "Save", csrf_token="x")


def onlookers(site: HubSpotDesk) -> Iterator[tuple[str, Page]]:
    """What those see who may look and not fix."""
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        message = messages.open_for_person(conn, install.id, "c1", (), 1)[0][0]
    yield "settings-member", ben.get("/settings")
    yield "admins-only", ben.get("/settings/audit")
    yield "message-onlooker", ben.get(f"/history/{message.id}")
    yield "bulk-onlooker", ben.get("/history/bulk")
    link = f"/m/{site.flow.message_links.token(message)}"
    yield "message-stranger", Browser(site.app.test_client()).get(link)


def test_every_page_is_open_to_everybody_wide_and_narrow_light_and_dark(
    site: HubSpotDesk, browser: Browser, eyes: Eyes
) -> None:
    wrong: list[str] = []
    for pages in (signed_out(site), made(site, browser), onlookers(site)):
        for name, page in pages:
            html: Any = page.response.get_data(as_text=True)
            wrong += eyes.wrong(name, page.response)
            assert "<script" not in html, name
            assert " style=" not in html, name
    assert wrong == []
