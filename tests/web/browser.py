"""A person's hands at the pages, without a browser: follow links, fill in forms as they are drawn, press buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ANA, BEN, NOBODY = "Allow, as Ana Kos", "Allow, as Ben Ito", "Do not allow"


@dataclass
class Form:
    """One form as it is drawn: where it goes, and what it would send."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Reader(HTMLParser):
    """Collects forms, links and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._text: list[str] = []
        self._open: list[tuple[str, dict[str, str], int]] = []
        self._select = ""
        self.feed(html)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self._text)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag in ("input", "select", "textarea") and self.forms and "name" in given:
            self._field(tag, given)
        elif tag == "option" and self.forms and self._select:
            values = self.forms[-1].values
            self.forms[-1].choices.setdefault(self._select, []).append(given.get("value", ""))
            if "selected" in given or self._select not in values:
                values[self._select] = given.get("value", "")
        if tag in ("a", "button", "textarea"):
            self._open.append((tag, given, len(self._text)))

    def _field(self, tag: str, given: dict[str, str]) -> None:
        kind, name, form = given.get("type", "text"), given["name"], self.forms[-1]
        if tag == "select":
            self._select = name
        elif kind in ("checkbox", "radio"):
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.values[name] = given.get("value", "on")
        else:
            form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if not self._open or self._open[-1][0] != tag:
            return
        _, given, start = self._open.pop()
        words = "".join(self._text[start:]).strip()
        if tag == "a":
            self.links[words] = given.get("href", "")
        elif tag == "textarea" and self.forms and "name" in given:
            self.forms[-1].values[given["name"]] = words
        elif tag == "button" and self.forms and "disabled" not in given:
            self.forms[-1].buttons.append((words, given.get("name", ""), given.get("value", "")))

    def handle_data(self, data: str) -> None:
        self._text.append(data)


@dataclass
class Page:
    """What came back, read."""

    response: TestResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def read(self) -> Reader:
        return Reader(self.response.get_data(as_text=True))

    @property
    def words(self) -> str:
        return self.read.words

    def form(self, button: str, field: str = "") -> Form:
        """The form with that button, and with that field when several have one."""
        found = [f for f in self.read.forms if any(label == button for label, _, _ in f.buttons)]
        found = [f for f in found if not field or field in f.values]
        assert found, f"no button {button!r} among {[b for f in self.read.forms for b in f.buttons]}"
        return found[0]


class Browser:
    """One browser with its cookies, which follows redirects within the site."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> Page:
        return self._follow(self.client.get(path))

    def _follow(self, response: TestResponse) -> Page:
        while response.status_code in (302, 303) and response.location.startswith("/"):
            response = self.client.get(response.location)
        return Page(response)

    def press(self, page: Page, button: str, field: str = "", /, **changes: Any) -> Page:
        """Send the form with that button as it is drawn, with `changes`; None leaves a field out."""
        form = page.form(button, field)
        name, value = next((n, v) for label, n, v in form.buttons if label == button)
        sent = {**form.values, **({name: value} if name else {}), **changes}
        sent = {key: str(value) for key, value in sent.items() if value is not None}
        path = form.action or page.response.request.path
        if form.method == "get":
            return self._follow(self.client.get(path, query_string=sent))
        return self._follow(self.client.post(path, data=sent))

    def leave(self, platform: str = "intercom", query: str = "") -> str:
        """Press Connect; the address of the vendor's page."""
        response = self.client.get(f"/{platform}/install{query}")
        assert response.status_code == 302
        return response.location

    def consent(self, address: str, choice: str = ANA) -> str:
        """Answer the vendor's page; the path, with its query, that leads back."""
        answer = requests.get(address, timeout=5, allow_redirects=False)
        back = answer.headers.get("Location") or ""
        if not back:
            back = unescape(Reader(answer.text).links[choice])
        parts = urlsplit(back)
        return f"{parts.path}?{parts.query}"

    def sign_in(self, platform: str = "intercom", choice: str = ANA, query: str = "") -> Page:
        """The whole authorization flow."""
        return self.get(self.consent(self.leave(platform, query), choice))
