"""The desk draws all twelve Canvas Kit components, and a click carries what was filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, jsonify, request
from playwright.sync_api import Page, expect

from canvas.sandbox.desk import Desk, create_desk
from canvas.sandbox.serve import serve
from canvas.surfaces import canvas_kit as kit
from tests.browser.stack import free_port

pytestmark = pytest.mark.browser
GALLERY = json.loads((Path(__file__).parent / "gallery.json").read_text())


class Stub:
    """An app that draws the gallery and remembers what it was sent."""

    def __init__(self) -> None:
        self.submits: list[dict[str, Any]] = []
        self.canvas: Any = GALLERY
        self.app = Flask("stub")
        self.app.add_url_rule("/intercom/initialize", "i", self.initialize, methods=["POST"])
        self.app.add_url_rule("/intercom/submit", "s", self.submit, methods=["POST"])

    def initialize(self) -> Any:
        return jsonify(canvas=self.canvas)

    def submit(self) -> Any:
        self.submits.append(request.get_json())
        return jsonify(canvas=self.canvas)


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def desk(stub: Stub) -> Iterator[str]:
    with serve(stub.app) as app_url:
        app = create_desk(Desk.beside(app_url, "secret"))
        with serve(app) as url:
            yield url


def test_a_desk_opened_before_the_app_is_up_waits_for_it(stub: Stub, page: Page) -> None:
    port = free_port()
    with serve(create_desk(Desk.beside(f"http://127.0.0.1:{port}", "secret"))) as desk:
        page.set_viewport_size({"width": 375, "height": 700})
        page.goto(desk)
        expect(page.get_by_text("The app is still starting")).to_be_visible()
        with serve(stub.app, port):
            expect(page.locator(".ck").get_by_text("All twelve components")).to_be_visible()
        expect(page.get_by_text("The app is still starting")).to_have_count(0)
        expect(page.locator(".tools").get_by_text("Octopods", exact=True)).to_be_visible()
        page.goto("about:blank")  # or the page would ask on while its server stops


def test_all_twelve_components_are_drawn(desk: str, page: Page) -> None:
    page.goto(desk)
    card = page.locator(".ck")
    expect(card.get_by_text("All twelve components")).to_be_visible()
    expect(card.locator("strong")).to_have_text("bold")
    expect(card.get_by_role("link", name="link", exact=True)).to_have_attribute(
        "href", "https://example.com/help"
    )
    expect(card.get_by_text("*no stars* <b>no tags</b>")).to_be_visible()
    expect(card.locator("hr")).to_have_count(1)
    expect(card.locator("img")).to_have_attribute("width", "48")
    long = card.locator("dd").nth(1)
    assert long.evaluate("node => node.scrollWidth > node.clientWidth")
    assert long.get_attribute("title") == long.inner_text()
    expect(card.get_by_role("button", name="WhatsApp: number not on WhatsApp")).to_be_enabled()
    expect(card.get_by_role("button", name="SMS: wrong number format")).to_have_count(0)
    expect(card.get_by_label("Phone number", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(card.get_by_label("Saved number")).to_be_disabled()
    expect(card.get_by_label("Message")).to_have_attribute("aria-invalid", "true")
    expect(card.get_by_label("Then")).to_have_value("resend")
    expect(card.get_by_role("radio", name="+46 70 2")).to_be_checked()
    expect(card.get_by_role("checkbox", name="Write the number back")).to_be_checked()
    expect(card.locator(".ck-spacer-m")).to_have_count(1)
    expect(card.get_by_role("button", name="Send again at 1:05PM")).to_be_disabled()
    expect(card.get_by_role("link", name="Open settings")).to_have_attribute("target", "_blank")


def test_a_click_carries_every_value_and_the_canvas_as_it_was(stub: Stub, desk: str, page: Page) -> None:
    page.goto(desk)
    page.get_by_label("Phone number", exact=True).fill("+38651000000")
    page.get_by_label("Then").select_option("save")
    page.get_by_role("radio", name="+46 70 1").click()
    page.get_by_role("checkbox", name="Tell an admin").check()
    with page.expect_response("**/submit"):
        page.get_by_role("button", name="Save number").click()
    (sent,) = stub.submits
    assert sent["component_id"] == "go"
    assert sent["current_canvas"] == GALLERY
    assert sent["input_values"] == {
        "phone": "+38651000000",
        "saved": "+38651000000",
        "inline": "",
        "words": "Hi Mara,",
        "then": "save",
        "pick": "a",
        "also": ["write", "tell"],
    }


def test_enter_in_a_field_with_an_action_submits_it(stub: Stub, desk: str, page: Page) -> None:
    page.goto(desk)
    page.get_by_role("textbox", name="With a button").fill("typed")
    with page.expect_response("**/submit"):
        page.keyboard.press("Enter")
    assert stub.submits[0]["component_id"] == "inline"
    assert stub.submits[0]["input_values"]["inline"] == "typed"


def test_a_canvas_intercom_would_not_draw_is_not_drawn(stub: Stub, desk: str, page: Page) -> None:
    stub.canvas = {"content": {"components": [{"type": "icon", "id": "x"}]}}
    page.goto(desk)
    expect(page.get_by_text("Something went wrong")).to_be_visible()
    expect(page.get_by_text("no component of type icon")).to_be_visible()


def test_the_measure_tab_says_what_review_would_refuse(desk: str, page: Page) -> None:
    page.goto(desk)
    page.get_by_role("tab", name="Measure").click()
    expect(page.get_by_text("A primary button is not allowed on the first canvas.")).to_be_visible()
    expect(page.get_by_text("400 px is the most")).to_be_visible()


@pytest.mark.parametrize(
    "words",
    [
        "Your visit is on Tuesday at half past ten. Please come ten minutes early. ",
        "您的预约时间为星期二上午十点三十分，请提前十分钟到达门诊大厅一楼服务台办理登记手续。",
        "نود تذكيركم بموعدكم يوم الثلاثاء الساعة العاشرة والنصف صباحا في العيادة. ",
    ],
    ids=["Latin", "Chinese", "Arabic"],
)
def test_a_canvas_is_no_taller_than_it_is_taken_to_be(stub: Stub, desk: str, page: Page, words: str) -> None:
    components = [kit.text(f"said{number}", words * 3, "muted") for number in range(4)]
    stub.canvas = kit.canvas(components)["canvas"]
    page.goto(desk)
    expect(page.locator(".ck").get_by_text(words[:20]).last).to_be_visible()
    assert page.locator(".ck").evaluate("card => card.offsetHeight") <= kit.height(components)
