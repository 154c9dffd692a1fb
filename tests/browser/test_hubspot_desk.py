"""The HubSpot tab runs the real React card against the running stack, and one click fixes a message there too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from canvas.sandbox.people import BY_ID
from tests.browser.stack import Stack
from tests.hubspot import node

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(300)]
BUILD_MS = 240_000
RECEIPT = re.compile(r"Octopods took it as (\d+)")


def test_a_rep_fixes_a_message_from_the_contact_record(stack: Stack, page: Page) -> None:
    node.npm()
    person = BY_ID["account_suspended"]
    before = len(stack.sends_to(person.phone))
    page.goto(f"{stack.desk}/#/hubspot/{person.id}")
    card = page.locator(".hs.card")
    card.get_by_role("button", name="Send as SMS instead").first.click(timeout=BUILD_MS)
    expect(card).to_contain_text(RECEIPT, timeout=20_000)
    found = RECEIPT.search(card.inner_text())
    assert found
    assert [send["id"] for send in stack.sends_to(person.phone)[before:]] == [found.group(1)]
    page.get_by_role("tab", name="Intercom").click()
    expect(page.locator("#conversation h2")).to_have_text(person.name)
    expect(page.locator(".ck")).to_be_visible()


def test_an_address_marks_the_tab_of_its_surface(stack: Stack, page: Page) -> None:
    node.npm()
    for surface, tab in (("intercom", "Intercom"), ("hubspot", "HubSpot"), ("intercom", "Intercom")):
        page.goto(f"{stack.desk}/#/{surface}/not_on_viber")
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")


def test_a_rep_checks_a_pasted_text_by_keyboard_alone(stack: Stack, page: Page) -> None:
    node.npm()
    page.goto(f"{stack.desk}/#/hubspot/arrives_sms")
    card = page.locator(".hs.card")
    expect(card).to_contain_text("No failed messages for this person.", timeout=BUILD_MS)
    card.get_by_role("button", name="Check a message").focus()
    page.keyboard.press("Enter")
    expect(card.get_by_label("Id or text")).to_be_visible()
    _tab_to(page, "TEXTAREA")
    page.keyboard.type("Recipient is not a WhatsApp user.")
    expect(card.get_by_label("Id or text")).to_have_value("Recipient is not a WhatsApp user.")
    _press(page, "Explain")
    expect(card).to_contain_text("Send it another way")
    _press(page, "Attach to this person")
    expect(card).to_contain_text("Attached to this person.")
    expect(card.get_by_role("heading", name="Not on WhatsApp")).to_be_visible()


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on an element of that kind, or on the button with that name."""
    for _ in range(40):
        focus = "e => [document.activeElement.tagName, document.activeElement.textContent]"
        if wanted in page.evaluate(focus, None):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


def _press(page: Page, button: str) -> None:
    _tab_to(page, button)
    page.keyboard.press("Enter")
