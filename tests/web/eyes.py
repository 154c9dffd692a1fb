"""How a page looks to a person, in real Chromium: what axe-core finds wrong, and whether it fits its width."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flask.testing import FlaskClient
from playwright.sync_api import Browser, Route
from werkzeug.test import TestResponse

SITE = "http://redeliver.test"
PICTURES = os.environ.get("PICTURES")  # a folder: keep what the pages look like
WAYS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (320, "dark"))


@dataclass
class Eyes:
    """Looks at what the app answered; styles and images come from the app too, through `client`."""

    chromium: Browser
    axe: Any
    client: FlaskClient

    def wrong(self, name: str, response: TestResponse) -> list[str]:
        """What is wrong with the page, wide and light, then narrow and dark. `name` names its pictures."""
        return [found for width, scheme in WAYS for found in self._wrong(name, response, width, scheme)]

    def _wrong(
        self, name: str, response: TestResponse, width: int, scheme: Literal["light", "dark"]
    ) -> list[str]:
        page = self.chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(SITE)
            got = response if path == "/" else self.client.get(path)
            route.fulfill(status=got.status_code, body=got.data, content_type=got.content_type)

        page.route("**/*", answer)
        page.goto(f"{SITE}/")
        found = [
            f"{name} at {width}: {v['id']}: {node['html']}"
            for v in self.axe.run(page).response["violations"]
            for node in v["nodes"]
        ]
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}-{scheme}.png"), full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        page.close()
        return [*found, f"{name} is {wide} wide in {width}"] if wide > width else found
