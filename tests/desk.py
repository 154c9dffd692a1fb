"""A test's hands: it sends as a customer's backend would and clicks as an agent would, over the real wire."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from canvas.flows import installs
from canvas.flows.carry_out import sweep
from canvas.flows.context import Flow
from canvas.sandbox.intercom_oauth import TOKENS
from canvas.sandbox.octopods import keys
from canvas.surfaces.guard import body_signature
from tests.canvas_check import check_canvas
from tests.fakes import Fake, OctopodsFake

SECRET = "test-client-secret"
WORKSPACE = "abcd123"
TOKEN = next(iter(TOKENS))  # one that the fake Intercom gave
ADMIN = {"type": "admin", "id": "814860", "name": "Ana Kos", "email": "ana@example.com"}


class Ticks(Protocol):
    def __call__(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...


@dataclass
class Screen:
    """A canvas as an agent sees it: words, buttons by label, fields by label."""

    body: dict[str, Any]
    person: dict[str, Any] = field(default_factory=dict)

    @property
    def components(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["canvas"]["content"]["components"]
        return found

    @property
    def words(self) -> str:
        return "\n".join(str(c.get("text") or c.get("label") or "") for c in self.components)

    @property
    def buttons(self) -> list[str]:
        return [c["label"] for c in self.components if c["type"] == "button" and not c.get("disabled")]

    @property
    def items(self) -> list[dict[str, Any]]:
        return [i for c in self.components if c["type"] == "list" for i in c["items"]]

    def id_of(self, label: str) -> str:
        found = [c["id"] for c in self.components if c.get("label") == label and c["type"] == "button"]
        found += [i["id"] for i in self.items if i["title"] == label]
        assert found, f"no {label!r} among {self.buttons} and {[i['title'] for i in self.items]}"
        return str(found[0])

    def component(self, id_: str) -> dict[str, Any]:
        return next(c for c in self.components if c.get("id") == id_)


@dataclass
class Desk:
    """The app, what its flows work with, and the fakes around it."""

    app: Flask
    flow: Flow
    clock: Ticks
    octopods: OctopodsFake
    intercom: Fake

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def connect(self, *kinds: str, **settings: Any) -> None:
        """The workspace with its channels, as an operator's commands would connect it."""
        region = {"country": "IE", "timezone": "Europe/Dublin", **settings}
        installs.connect(self.flow, "intercom", WORKSPACE, TOKEN, settings=region)
        secrets = {"whatsapp": keys.WHATSAPP, "sms": keys.SMS, "vbm": keys.VBM}
        for kind in kinds or ("whatsapp", "sms"):
            installs.add_channel(self.flow, f"intercom:{WORKSPACE}", kind, secrets[kind], None, None)
        self.work()

    def work(self) -> int:
        """What the worker's sweep does."""
        return sweep(self.flow)

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on, ours and Octopods', and the worker does what fell due."""
        self.clock.advance(seconds)
        self.octopods.advance(seconds)
        self.work()

    def gateway(self, path: str, body: Any, key: str, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-Octopods-Auth": key, "Content-Type": "application/json", **headers}
        return self.client.post(f"/api/v1{path}", data=data, headers=sent)

    def send_sms(self, to: str, text: str = "Hi Mara, see you Tuesday.", contact: str = "c1") -> TestResponse:
        body = {"destination_phone": to, "body": text}
        return self.gateway("/sms/messages", body, keys.SMS, **{"X-Intercom-Contact-Id": contact})

    def send_whatsapp(
        self, to: str, template: int = 90001, variables: Any = None, contact: str = "c1", **more: Any
    ) -> TestResponse:
        body = {"destination_phone": to, **more}
        if variables is not None:
            body["message_variables"] = variables
        path = f"/whatsapp/templates/{template}/messages"
        return self.gateway(path, body, keys.WHATSAPP, **{"X-Intercom-Contact-Id": contact})

    def intercom_post(self, path: str, body: Any, signature: str | None = None) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        given = body_signature(SECRET, data) if signature is None else signature
        headers = {"X-Body-Signature": given, "Content-Type": "application/json"}
        return self.client.post(path, data=data, headers=headers)

    def _screen(self, response: TestResponse, person: dict[str, Any], first: bool) -> Screen:
        assert response.status_code == 200, response.status_code
        body = response.get_json()
        check_canvas(body, first=first)
        return Screen(body, person)

    def initialize(self, contact: str = "c1", phone: str | None = None, **more: Any) -> Screen:
        person = {
            "workspace_id": WORKSPACE,
            "admin": ADMIN,
            "conversation": {"type": "conversation", "id": "215470000000042"},
            "contact": {"type": "contact", "id": contact, "phone": phone},
            **more,
        }
        return self._screen(self.intercom_post("/intercom/initialize", person), person, True)

    def click(self, screen: Screen, label: str, **values: Any) -> Screen:
        """Press a button or a list item; what the form shows is sent along, changed by `values`."""
        return self.submit(screen, screen.id_of(label), **values)

    def submit(self, screen: Screen, component: str, **values: Any) -> Screen:
        shown = {c["id"]: c["value"] for c in screen.components if "value" in c and "id" in c}
        body = {
            **screen.person,
            "component_id": component,
            "input_values": {**shown, **values},
            "current_canvas": screen.body["canvas"],
        }
        first = component in ("first", "refresh")
        return self._screen(self.intercom_post("/intercom/submit", body), screen.person, first)


@contextmanager
def statements(desk: Desk) -> Iterator[list[str]]:
    """What SQLite is asked within the block, however it is asked."""
    seen: list[str] = []

    def trace(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(seen.append)

    desk.flow.engine.dispose()
    event.listen(desk.flow.engine, "connect", trace)
    yield seen
    event.remove(desk.flow.engine, "connect", trace)


def plans(desk: Desk, questions: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Each question with the steps by which SQLite answers it."""
    with sqlite3.connect(str(desk.flow.engine.url.database)) as plain:
        return [(said, [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {said}")]) for said in questions]
