"""Agents who click, double-click and come back, and backends that send; each remembers what it was told."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

import urllib3

from canvas.sandbox.hubspot_caller import HubSpotCaller
from canvas.surfaces.guard import body_signature
from tests.torture.world import KEYS, PORTAL, PUBLIC_URL, SECRET, WORKSPACE, World, in_hubspot, phone_of

TOOK = re.compile(r"Octopods took it as (\w+)\.")
BEGUN = ("Sending now.", "Queued until")
SENDS = ("Send", "Correct")
TIMEOUT = 12.0
GATEWAY_BASE = 5_000_000


@dataclass
class Told:
    """What people were told, by the person's number: receipts, and words that say that it was stored."""

    receipts: dict[str, set[str]] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    gateway: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def hear(self, phone: str, words: str) -> None:
        with self.lock:
            for receipt in TOOK.findall(words):
                self.receipts.setdefault(phone, set()).add(receipt)
            if any(word in words for word in BEGUN):
                self.begun.add(phone)


class Agent:
    """One pair of hands. Every failed message belongs to one contact, `t0` to `t<people>`."""

    def __init__(self, world: World, told: Told, seed: int, people: int) -> None:
        self.world, self.told, self.people = world, told, people
        self.random = Random(seed)
        self.second_hand = ThreadPoolExecutor(1)
        self.http = urllib3.PoolManager(num_pools=8, maxsize=2)
        self.hubspot = HubSpotCaller("", PUBLIC_URL, SECRET)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The canvas, or None when nobody answered (a killed process)."""
        raw = json.dumps(body).encode()
        headers = {"X-Body-Signature": body_signature(SECRET, raw)}
        answer = self.exchange(f"/intercom/{path}", raw, headers)
        if answer is None:
            return None
        if answer.status != 200:
            self.told.count(f"status {answer.status}")
            return None
        canvas: dict[str, Any] = json.loads(answer.data)
        return canvas

    def fetch(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """`hubspot.fetch`: signed, and repeated once by HubSpot itself when no good answer came."""
        target = f"{path}{'&' if '?' in path else '?'}userId=5501&portalId={PORTAL}&appId=224455"
        raw = json.dumps(body).encode() if body else b""
        for _ in range(2):
            answer = self.exchange(target, raw, self.hubspot.v3_headers(method, target, raw), method)
            if answer is not None and answer.status == 200:
                document: dict[str, Any] = json.loads(answer.data)
                return document
        return None

    def exchange(
        self, path: str, body: bytes, headers: dict[str, str], method: str = "POST"
    ) -> urllib3.BaseHTTPResponse | None:
        """The answer, or None when nobody gave one. Never repeated: the process may have done it and then died.

        A process that is not there is passed over, as a load balancer would.
        """
        given = {"Content-Type": "application/json", **headers}
        ports = list(self.world.ports.values())
        for port in self.random.sample(ports, len(ports)):
            url = f"http://127.0.0.1:{port}{path}"
            try:
                return self.http.request(
                    method, url, body=body or None, headers=given, retries=False, timeout=TIMEOUT
                )
            except urllib3.exceptions.NewConnectionError:
                continue
            except urllib3.exceptions.HTTPError:
                break
        self.told.count("unanswered")
        time.sleep(0.05)
        return None

    def person(self, number: int) -> dict[str, Any]:
        contact = {"type": "contact", "id": f"t{number}"}
        return {"workspace_id": WORKSPACE, "admin": {"id": "1", "name": "Ana"}, "contact": contact}

    def turn(self, number: int) -> None:
        """Look at one person's card and press what sends, perhaps twice, perhaps again with the old card."""
        press = self._button_in_hubspot(number) if in_hubspot(number) else self._button(number)
        if press is None:
            return
        twin: Future[None] | None = None
        if self.random.random() < 0.5:
            twin = self.second_hand.submit(press)
        press()
        if twin:
            twin.result()
        while self.random.random() < 0.4:
            press()

    def _button(self, number: int) -> Callable[[], None] | None:
        """What pressing the button that sends does; None when the person's canvas has none, or nobody answered."""
        person, phone = self.person(number), phone_of(number)
        canvas = self.post("initialize", person)
        button = self._sending_button(canvas) if canvas else None
        if button is None:
            self._hear(phone, canvas)
            return None
        click = {**person, "component_id": button, "input_values": {}}
        return lambda: self._press(phone, lambda: self.post("submit", click))

    def _button_in_hubspot(self, number: int) -> Callable[[], None] | None:
        """The same on the card of a portal."""
        phone = phone_of(number)
        card = self.fetch("GET", f"/hubspot/card?objectId=t{number}&objectTypeId=0-1&limit=3")
        failures = card["failures"] if card and card["ok"] else []
        sending = [
            (failure, fix)
            for failure in failures
            for fix in failure["fixes"]
            if fix["kind"] == "one_click" and fix["label"].startswith(SENDS) and fix.get("fixToken")
        ]
        if not sending:
            self._hear(phone, card)
            return None
        failure, fix = sending[0]
        click = {
            "messageId": failure["messageId"],
            "fix": fix["id"],
            "objectId": f"t{number}",
            "fixToken": fix["fixToken"],
            "values": {},
        }

        def press() -> None:
            self.told.count("clicks in HubSpot")
            self._press(phone, lambda: self.fetch("POST", "/hubspot/card/fix", click))

        return press

    def _press(self, phone: str, click: Callable[[], dict[str, Any] | None]) -> None:
        self.told.count("clicks")
        self._hear(phone, click())

    def _hear(self, phone: str, answer: dict[str, Any] | None) -> None:
        if answer is not None:
            self.told.hear(phone, json.dumps(answer, ensure_ascii=False))

    def _sending_button(self, canvas: dict[str, Any]) -> str | None:
        for component in canvas["canvas"]["content"]["components"]:
            label = component.get("label", "")
            if component["type"] == "button" and label.startswith(SENDS) and not component.get("disabled"):
                return str(component["id"])
        return None

    def send_through_gateway(self, number: int) -> None:
        phone = phone_of(GATEWAY_BASE + number)
        self.told.count("gateway sends")
        body = {"destination_phone": phone, "body": f"Gateway {number}"}
        headers = {"X-Octopods-Auth": self.random.choice(KEYS["sms"]), "X-Intercom-Contact-Id": f"g{number}"}
        answer = self.exchange("/api/v1/sms/messages", json.dumps(body).encode(), headers)
        if answer and answer.status == 201 and answer.data:  # an empty one is passed on as it came
            self.told.gateway[phone] = str(json.loads(answer.data)["message_id"])


def work(agent: Agent, until: float, clicks: int, kills: int, numbers: list[int], sends: list[int]) -> None:
    """Turns until the time is over, or all agents together clicked so often while so many processes were killed."""
    counts = agent.told.counts
    while time.monotonic() < until and (counts["clicks"] < clicks or counts["kills"] < kills):
        with agent.told.lock:
            number = numbers.pop() if numbers and agent.random.random() < 0.8 else None
            gateway = sends.pop() if sends and agent.random.random() < 0.1 else None
        # Mostly a new person; else one that was seen before, by this agent or another.
        agent.turn(agent.random.randrange(agent.people) if number is None else number)
        if gateway is not None:
            agent.send_through_gateway(gateway)
