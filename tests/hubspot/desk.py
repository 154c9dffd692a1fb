"""A HubSpot user's hands in tests: the card's calls signed as HubSpot signs them, over the app's test client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from canvas.flows import installs
from canvas.sandbox.hubspot_state import STATIC_TOKEN
from canvas.sandbox.octopods import keys
from canvas.surfaces.signature_hubspot import as_signed, sign_v1, sign_v2, sign_v3
from tests.desk import Desk
from tests.fakes import HubSpotFake

PUBLIC_URL = "https://redeliver.example.com"
SECRET = "hubspot-client-secret"
PORTAL = "62515"
APP_ID = "224455"
CONTACT = "901"
VOUCHED = {"userId": "5501", "portalId": PORTAL, "userEmail": "ana.kos@example.com", "appId": APP_ID}


def query(values: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


@dataclass
class HubSpotDesk(Desk):
    """The app beside a fake HubSpot portal."""

    hubspot: HubSpotFake

    def connect_portal(self, *kinds: str, token: str = STATIC_TOKEN, **settings: Any) -> None:
        region = {"country": "SE", "timezone": "Europe/Stockholm", **settings}
        installs.connect(self.flow, "hubspot", PORTAL, token, settings=region)
        secrets = {"whatsapp": keys.WHATSAPP, "sms": keys.SMS, "vbm": keys.VBM}
        for kind in kinds or ("whatsapp", "sms"):
            installs.add_channel(self.flow, f"hubspot:{PORTAL}", kind, secrets[kind], None, None)
        self.work()

    def send_for_contact(
        self, to: str, contact: str | None = CONTACT, text: str = "See you Tuesday."
    ) -> None:
        """An SMS, sent by the customer's backend through the gateway for a HubSpot contact."""
        headers = {"X-HubSpot-Contact-Id": contact} if contact else {}
        body = {"destination_phone": to, "body": text}
        self.gateway("/sms/messages", body, keys.SMS, **headers)

    def send_whatsapp_for(self, to: str, contact: str = CONTACT) -> None:
        body = {"destination_phone": to, "message_variables": ["Mara", "Tuesday"]}
        path = "/whatsapp/templates/90001/messages"
        self.gateway(path, body, keys.WHATSAPP, **{"X-HubSpot-Contact-Id": contact})

    def fetch(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        at: datetime | None = None,
        url: str = PUBLIC_URL,
        vouched: Mapping[str, str] = VOUCHED,
        secret: str = SECRET,
        sent_body: bytes | None = None,
    ) -> TestResponse:
        """`hubspot.fetch`: HubSpot adds who is asking and signs; `sent_body` is what arrives instead."""
        target = f"{path}{'&' if '?' in path else '?'}{query(vouched)}"
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        stamp = str(int((at or self.clock()).timestamp() * 1000))
        proof = sign_v3(secret, method, as_signed(url + target), content, stamp)
        headers = {"X-HubSpot-Signature-v3": proof, "X-HubSpot-Request-Timestamp": stamp}
        arrives = content if sent_body is None else sent_body
        kind = "application/json" if arrives else None
        return self.client.open(target, method=method, data=arrives, headers=headers, content_type=kind)

    def card(self, contact: str = CONTACT, **more: str) -> dict[str, Any]:
        path = f"/hubspot/card?{query({'objectId': contact, 'objectTypeId': '0-1', **more})}"
        answer = self.fetch("GET", path)
        assert answer.status_code == 200
        document: dict[str, Any] = answer.get_json()
        return document

    def newest(self, contact: str = CONTACT) -> dict[str, Any]:
        failure: dict[str, Any] = self.card(contact)["failures"][0]
        return failure

    def press(
        self, failure: Mapping[str, Any], fix: str, contact: str = CONTACT, **values: str
    ) -> dict[str, Any]:
        """Press the fix of that id; the fields' values are sent along, changed by `values`."""
        document: dict[str, Any] = self.fetch(
            "POST", "/hubspot/card/fix", click_body(failure, fix, contact, **values)
        ).get_json()
        return document

    def pass_time(self, seconds: float) -> None:
        self.hubspot.advance(seconds)
        super().pass_time(seconds)
        self.work()  # what the first sweep set off

    def webhook(
        self, events: list[dict[str, Any]], content_type: str | None = "application/json"
    ) -> TestResponse:
        content = json.dumps(events).encode()
        headers = {
            "X-HubSpot-Signature": sign_v1(SECRET, content),
            "X-HubSpot-Signature-Version": "v1",
        }
        return self.client.post("/hubspot/webhooks", data=content, headers=headers, content_type=content_type)

    def workflow(self, action: str, body: dict[str, Any]) -> TestResponse:
        content = json.dumps(body).encode()
        path = f"/hubspot/workflow/{action}"
        proof = sign_v2(SECRET, "POST", PUBLIC_URL + path, content)
        headers = {"X-HubSpot-Signature": proof, "X-HubSpot-Signature-Version": "v2"}
        return self.client.post(path, data=content, headers=headers, content_type="application/json")

    def timeline(self, contact: str = CONTACT) -> list[dict[str, Any]]:
        return self.hubspot.timeline(contact)


def click_body(failure: Mapping[str, Any], fix: str, contact: str = CONTACT, **values: str) -> dict[str, Any]:
    found = next(one for one in failure["fixes"] if one["id"] == fix)
    filled = {field["name"]: field["value"] for field in found["fields"]} | values
    return {
        "messageId": failure["messageId"],
        "fix": fix,
        "objectId": contact,
        "fixToken": found["fixToken"],
        "values": filled,
    }
