"""axe-core finds nothing wrong with the pages of the history, at 320 pixels too, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from canvas.domain.message import Content
from canvas.flows import incidents as watching
from canvas.flows import insights
from canvas.store.database import writing
from tests.history import made
from tests.history.conftest import Pages
from tests.history.test_alerts import listen
from tests.web.eyes import Eyes

pytestmark = pytest.mark.browser


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
    chromium: Browser, axe: Any, busy: Pages
) -> None:
    eyes = Eyes(chromium, axe, busy.browser.client)
    for name, path in paths(busy).items():
        assert eyes.wrong(name, busy.browser.client.get(path)) == []
