"""axe-core finds nothing wrong with the pages of the history, at 320 pixels too, light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from canvas.domain.message import Content
from canvas.flows import incidents as watching
from canvas.flows import insights
from canvas.store.database import writing
from tests.history import made
from tests.history.conftest import Pages
from tests.history.test_alerts import listen

pytestmark = pytest.mark.browser
SITE = "http://redeliver.test"
PICTURES = os.environ.get("PICTURES")  # a folder: keep what the pages look like


@pytest.fixture
def axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.fixture
def busy(pages: Pages) -> Pages:
    """A workspace with something on every page."""
    line = pages.channel("whatsapp")
    content = Content(template_id="90001", variables=["Mara", "Tuesday"])
    words = {
        "preview": "Hi Mara, your appointment is on Tuesday at 10:30.",
        "channel_id": line,
        "content": content,
    }
    pages.failed("not_on_whatsapp", channel="whatsapp", **words)
    pages.failed("template_variables_mismatch", channel="whatsapp", **words)
    made_ = list(made.many(pages.flow.catalogue, pages.install.id, pages.now - 6 * made.DAY, 240))
    pages.add(*made_)
    for i in range(9):
        number = f"+35387123{i:04}"
        pages.failed("insufficient_balance", channel_id=pages.channel("sms"), to=number, raw_to=number)
    with writing(pages.flow.engine) as conn:
        watching.look_soon(conn, pages.install.id, pages.now)
    insights.keep_counting(pages.flow)
    for _ in range(3):
        pages.pass_time(1)
    listen(pages, webhook="https://hooks.example.com/x")
    return pages


@pytest.fixture
def shown(chromium: Browser, busy: Pages) -> Iterator[Any]:
    """Opens a path of the app, as the signed-in admin, in a real browser."""
    opened: list[Page] = []

    def answer(route: Route) -> None:
        got = busy.browser.client.get(route.request.url.removeprefix(SITE))
        route.fulfill(status=got.status_code, body=got.data, content_type=got.content_type)

    def show(path: str, width: int, scheme: str) -> Page:
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page.route("**/*", answer)
        page.goto(f"{SITE}{path}")
        opened.append(page)
        return page

    yield show
    for page in opened:
        page.close()


def paths(busy: Pages) -> dict[str, str]:
    job = busy.press(busy.get("/history/bulk"), "Make a dry run").response.request.path
    failed = busy.get("/history?reason=template_variables_mismatch").read.links
    detail = next(path for path in failed.values() if path.startswith("/history/msg_"))
    return {
        "history": "/history",
        "nonsense": "/history?since=yesterday",
        "detail": detail,
        "bulk": "/history/bulk",
        "job": job,
        "insights": "/insights",
        "alerts": "/settings/alerts",
        "unknown": "/settings/unknown",
    }


def test_every_page_is_open_to_everybody_wide_and_narrow_light_and_dark(
    axe: Any, shown: Any, busy: Pages
) -> None:
    for name, path in paths(busy).items():
        for width, scheme in ((1280, "light"), (320, "dark")):
            page = shown(path, width, scheme)
            found = axe.run(page).response["violations"]
            if PICTURES:
                page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}-{scheme}.png"), full_page=True)
            assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], (name, width)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide in {width}"
            page.close()
