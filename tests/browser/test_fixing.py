"""A support agent fixes one message of each retry class by clicking, against the whole running stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from canvas.sandbox.people import BY_ID
from tests.browser.stack import ROOT, Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
RECEIPT = re.compile(r"Octopods took it as (\d+)")
PATIENCE_SECONDS = 20


def card_of(page: Page, stack: Stack, person: str, button: str = "Details") -> Locator:
    """The card of this person's sidebar, once it shows a failure with this button."""
    page.goto(f"{stack.desk}/#/intercom/{person}")
    card = page.locator(".ck")

    def failed() -> bool:
        page.reload()
        card.wait_for()
        return card.get_by_role("button", name=button, exact=True).count() > 0

    for _ in range(90):
        if failed():
            return card
        page.wait_for_timeout(1000)
    raise AssertionError(f"no failure shows for {person}: {card.inner_text()}")


def sent_as(card: Locator) -> str:
    """The message id on the receipt; while it says "Sending", Refresh is pressed as an agent would."""
    for _ in range(PATIENCE_SECONDS):
        expect(card.locator("xpath=..")).not_to_have_attribute("aria-busy", "true", timeout=10_000)
        found = RECEIPT.search(card.inner_text())
        if found:
            return found.group(1)
        card.page.wait_for_timeout(1000)
        card.get_by_role("button", name="Refresh").click()
    raise AssertionError(f"no receipt: {card.inner_text()}")


def click(page: Page, button: Locator) -> None:
    with page.expect_response("**/submit"):
        button.click()


def test_never_again_on_this_channel_goes_by_another(stack: Stack, page: Page) -> None:
    phone = BY_ID["not_on_whatsapp"].phone
    card = card_of(page, stack, "not_on_whatsapp")
    before = len(stack.sends_to(phone))
    click(page, card.get_by_role("button", name="Send as SMS instead"))
    number = sent_as(card)
    page.locator("[data-sends]").get_by_text(str(before + 1), exact=True).wait_for()
    assert [send["id"] for send in stack.sends_to(phone)][before:] == [number]


def test_an_opted_out_person_gets_no_button_that_sends(stack: Stack, page: Page) -> None:
    card = card_of(page, stack, "recipient_opted_out")
    expect(card.get_by_role("button", name=re.compile("^Send"))).to_have_count(0)
    click(page, card.get_by_role("button", name="Details"))
    expect(card).to_contain_text("Octopods said")
    expect(card.get_by_role("button", name=re.compile("^Send"))).to_have_count(0)
    assert stack.sends_to(BY_ID["recipient_opted_out"].phone) == []


def test_after_a_fix_the_repaired_number_is_used(stack: Stack, page: Page) -> None:
    card = card_of(page, stack, "invalid_phone")
    click(page, card.get_by_role("button", name="Send to +49 171 3920012"))
    number = sent_as(card)
    assert [send["id"] for send in stack.sends_to("+491713920012")] == [number]


def test_a_form_asks_for_exactly_what_is_missing(stack: Stack, page: Page) -> None:
    card = card_of(page, stack, "missing_content")
    click(page, card.get_by_role("button", name="Change the text"))
    card.get_by_role("textbox").fill("Hi Finn, your visit is on Tuesday.")
    click(page, card.get_by_role("button", name="Send", exact=True))
    number = sent_as(card)
    (send,) = stack.sends_to(BY_ID["missing_content"].phone)
    assert (send["id"], send["body"]["body"]) == (number, "Hi Finn, your visit is on Tuesday.")


def test_settings_an_admin_repairs_let_the_message_through(stack: Stack, page: Page) -> None:
    card = card_of(page, stack, "spend_limit_reached")
    page.get_by_role("button", name="Play the admin: repair it").click()
    page.get_by_text("Repaired. Sent again, it arrives.").wait_for()
    click(page, card.get_by_role("button", name="Details"))
    click(page, card.get_by_role("button", name="Send again", exact=True))
    number = sent_as(card)
    assert stack.sends_to(BY_ID["spend_limit_reached"].phone)[-1]["id"] == number


def test_a_send_that_waits_for_its_time_can_be_undone(stack: Stack, page: Page) -> None:
    phone = BY_ID["message_expired"].phone
    card = card_of(page, stack, "message_expired")
    before = len(stack.sends_to(phone))
    click(page, card.get_by_role("button", name=re.compile("^Send again (at|on) ")))
    expect(card).to_contain_text("Queued until")
    click(page, card.get_by_role("button", name="Undo"))
    expect(card).not_to_contain_text("Queued until")
    assert len(stack.sends_to(phone)) == before


def test_a_second_click_and_a_second_tab_send_nothing_more(stack: Stack, chromium: Browser) -> None:
    phone = BY_ID["region_not_supported"].phone
    tabs = [chromium.new_page(), chromium.new_page()]
    cards = [card_of(tab, stack, "region_not_supported") for tab in tabs]
    before = len(stack.sends_to(phone))
    for card in cards:
        card.get_by_role("button", name="Send as SMS instead").click()
    numbers = {sent_as(card) for card in cards}
    assert len(numbers) == 1
    assert [send["id"] for send in stack.sends_to(phone)[before:]] == list(numbers)
    for tab in tabs:
        tab.close()


def test_it_all_works_by_keyboard(stack: Stack, page: Page) -> None:
    page.goto(stack.desk)
    page.locator(".ck").wait_for()
    page.get_by_role("searchbox").focus()
    page.keyboard.type("Yara")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_contain_text("Yara Costa")
    page.keyboard.press("Enter")
    expect(page.locator("#conversation h2")).to_have_text("Yara Costa")
    button = page.locator(".ck").get_by_role("button", name="Details")
    button.wait_for()
    tab_to(page, button)
    outline = button.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline != "none"
    with page.expect_response("**/submit"):
        page.keyboard.press("Enter")
    back = page.locator(".ck").get_by_role("button", name="Back")
    back.wait_for()
    assert page.evaluate("document.getElementById('card').contains(document.activeElement)")
    tab_to(page, back)
    with page.expect_response("**/submit"):
        page.keyboard.press("Enter")
    button.wait_for()


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(40):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not reach it")


def test_a_narrow_dark_window_shows_one_pane_at_a_time_and_nothing_is_cut(
    stack: Stack, chromium: Browser
) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme="dark")
    page.goto(f"{stack.desk}/#/intercom/carrier_filtered")
    page.locator(".ck").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 17, 19)"
    for button, pane in (
        ("Inbox", "#inbox"),
        ("Chat", "#conversation"),
        ("Wire", "#wire"),
        ("Card", "#card"),
    ):
        page.locator(".panes").get_by_role("button", name=button).click()
        expect(page.locator(pane)).to_be_visible()
        expect(page.locator(".pane:visible")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert nameless(page) == []
    page.close()


def nameless(page: Page) -> list[str]:
    """Controls a screen reader could not name."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select, textarea, [role=tab]")]
             .filter((node) => node.checkVisibility())
             .filter((node) => !(node.ariaLabel || node.innerText || node.labels?.length || node.title))
             .map((node) => node.outerHTML)"""
    )
    return found


def test_a_passing_trouble_goes_again_once_its_wait_is_over(stack: Stack, page: Page) -> None:
    phone = BY_ID["provider_outage"].phone
    card = card_of(page, stack, "provider_outage", button="Send again")
    before = len(stack.sends_to(phone))
    click(page, card.get_by_role("button", name="Send again", exact=True))
    number = sent_as(card)
    assert [send["id"] for send in stack.sends_to(phone)[before:]] == [number]


def test_the_first_card_keeps_to_intercoms_height(stack: Stack, page: Page) -> None:
    for person in ("not_on_whatsapp", "marketing_limit_ecosystem", "arrives_vbm"):
        page.goto(f"{stack.desk}/#/intercom/{person}")
        page.reload()
        page.get_by_role("tab", name="Measure").click()
        expect(page.get_by_text("Nothing Intercom would refuse.")).to_be_visible()


def test_a_port_in_use_is_one_clear_sentence(stack: Stack, tmp_path: Path) -> None:
    port = stack.app.rpartition(":")[2]
    environment = {**os.environ, "PORT": port, "SANDBOX_FOLDER": str(tmp_path)}
    command = [sys.executable, "-m", "canvas.sandbox.run"]
    tried = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)
    assert tried.returncode == 1
    assert tried.stderr == f"Port {port} is in use. Stop what runs there, or set PORT to another port.\n"
