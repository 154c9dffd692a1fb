"""axe-core finds nothing wrong with the desk, on any pane, wide and narrow, light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.stack import Stack
from tests.hubspot import node

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WIRE = ("Octopods", "Request", "Response", "Measure")
PANES = ("Inbox", "Chat", "Card", "Wire")
PEOPLE = ("not_on_whatsapp", "marketing_limit_ecosystem", "arrives_sms")


@pytest.fixture(scope="module")
def axe() -> Any:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        words = "NO AXE: accessibility is not tested. Install requirements-dev.txt."
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return Axe()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    found: Literal["light", "dark"] = request.param
    return found


@pytest.fixture
def look(stack: Stack, chromium: Browser, scheme: Literal["light", "dark"]) -> Iterator[Any]:
    pages: list[Page] = []

    def at(person: str, width: int) -> Page:
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        page.goto(f"{stack.desk}/#/intercom/{person}")
        page.locator(".ck").wait_for()
        return page

    yield at
    for page in pages:
        page.close()


def wrong(axe: Any, page: Page) -> list[str]:
    found = axe.run(page).response["violations"]
    return [f"{v['id']}: {node['html']}" for v in found for node in v["nodes"]]


def test_the_wide_desk_is_open_to_everybody(axe: Any, look: Any) -> None:
    for person in PEOPLE:
        assert wrong(axe, look(person, 1440)) == []
    page = look(PEOPLE[0], 1440)
    for tab in WIRE:
        page.get_by_role("tab", name=tab).click()
        assert wrong(axe, page) == []


def test_a_detail_and_a_form_are_open_to_everybody(axe: Any, look: Any) -> None:
    page = look("template_variables_mismatch", 1440)
    for button in ("Details", "Fill in the values"):
        with page.expect_response("**/submit"):
            page.locator(".ck").get_by_role("button", name=button).first.click()
        page.locator(".canvas:not([aria-busy])").wait_for()
        assert wrong(axe, page) == []


def test_the_narrow_desk_is_open_to_everybody(axe: Any, look: Any) -> None:
    page = look(PEOPLE[0], 320)
    for pane in PANES:
        page.locator(".panes").get_by_role("button", name=pane).click()
        assert wrong(axe, page) == []


@pytest.mark.node
@pytest.mark.timeout(300)
@pytest.mark.parametrize("person", PEOPLE)
def test_the_hubspot_card_is_open_to_everybody(axe: Any, look: Any, person: str) -> None:
    node.npm()
    page = look("not_on_whatsapp", 1440)
    page.goto(f"{page.url.partition('#')[0]}#/hubspot/{person}")
    page.locator(".hs.card").get_by_role("button", name="Check a message").click(timeout=240_000)
    page.get_by_label("Id or text").wait_for()
    assert wrong(axe, page) == []
