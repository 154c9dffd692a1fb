"""Take the README's picture from the running stack: `python -m tests.browser.pictures`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.stack import ROOT, running
from tests.chromium import ARGUMENTS, NAMES

FOLDER = ROOT / "docs" / "images"


def take(browser: Browser, desk: str, name: str, selector: str, width: int, height: int) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": height}, device_scale_factor=2, color_scheme="light"
    )
    page.goto(f"{desk}/#/intercom/not_on_whatsapp")
    page.locator(".ck").wait_for()
    page.locator(selector).screenshot(path=FOLDER / name)
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
        take(browser, stack.desk, "card.png", ".app", 1440, 900)
        browser.close()


if __name__ == "__main__":
    main()
