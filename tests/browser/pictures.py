"""Take the README's pictures from the running stack: `python -m tests.browser.pictures`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.stack import ROOT, running
from tests.chromium import ARGUMENTS, NAMES

FOLDER = ROOT / "docs" / "images"


def take(browser: Browser, desk: str) -> None:
    """The card alone, and the whole desk after the one click that fixes the message."""
    page = browser.new_page(
        viewport={"width": 1440, "height": 720}, device_scale_factor=2, color_scheme="light"
    )
    page.goto(f"{desk}/#/intercom/not_on_whatsapp")
    card = page.locator(".ck")
    fix = card.get_by_role("button", name="Send as SMS instead")
    fix.wait_for()
    page.locator(".app").screenshot(path=FOLDER / "card.png")
    fix.click()
    card.get_by_text("Octopods took it as").wait_for()
    page.locator(".log .mine").first.wait_for()
    page.screenshot(path=FOLDER / "desk.png", scale="css")
    page.close()


def main() -> None:
    path = next(filter(None, map(shutil.which, NAMES)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        take(browser, stack.desk)
        browser.close()


if __name__ == "__main__":
    main()
