"""The workspace's admin at the app's own pages, as a browser would be: signs in, and says what is repaired."""

from __future__ import annotations

import re
from html import unescape

import requests

PATIENCE_SECONDS = 15
ALLOW = re.compile(r'<a href="([^"]+)">Allow, as Ana Kos')
REPAIRED = re.compile(r'data-label="Kind">(\w+)</td>.*?action="(/settings/channels/\d+/repaired)', re.DOTALL)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def say_repaired(app_url: str, kind: str) -> None:
    """Press "It is repaired" on the workspace's channels of that kind. Raises requests.RequestException."""
    with requests.Session() as browser:
        consent = _text(browser.get(f"{app_url}/intercom/install", timeout=PATIENCE_SECONDS))
        _text(browser.get(unescape(_first(ALLOW, consent)), timeout=PATIENCE_SECONDS))
        settings = _text(browser.get(f"{app_url}/settings", timeout=PATIENCE_SECONDS))
        data = {"csrf_token": _first(TOKEN, settings)}
        for path in [path for of, path in REPAIRED.findall(settings) if of == kind]:
            _text(browser.post(f"{app_url}{path}", data=data, timeout=PATIENCE_SECONDS))


def _first(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise requests.RequestException("the app's pages are not as expected")
    return str(found[1])


def _text(response: requests.Response) -> str:
    response.raise_for_status()
    return response.text
