"""Real headless Chromium, one for the whole run. Missing, tests skip with a loud line; with CI=true they fail.

Playwright allows one driver a thread: these fixtures are taken into the root conftest.py and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    words = "NO CHROMIUM: the desk is not tested in a browser. Install the package `chromium`."
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(words)
    warnings.warn(words, stacklevel=1)
    pytest.skip(words)


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()
