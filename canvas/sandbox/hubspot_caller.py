"""HubSpot calling us: `hubspot.fetch` of a card, webhooks and workflow actions, signed as HubSpot signs them.

HubSpot, "Fetching data" (added parameters, one automatic repeat) and "Validating requests".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from canvas.sandbox import hubspot_people as people
from canvas.surfaces.signature_hubspot import as_signed, sign_v1, sign_v2, sign_v3

TIMEOUT = 15


@dataclass(frozen=True, slots=True)
class HubSpotCaller:
    """One portal's HubSpot. `public_url` is what it was told, `real_url` where the app listens."""

    real_url: str
    public_url: str
    secret: str
    app_id: str = "224455"
    portal: int = people.PORTAL
    user: int = people.USER
    email: str = people.USER_EMAIL

    def fetch(
        self, method: str, path: str, body: Any = None, at: datetime | None = None, **altered: str
    ) -> requests.Response:
        """`hubspot.fetch`: adds who is asking, signs v3, repeats once after a 5xx or a lost connection."""
        added = {
            "userId": str(self.user),
            "portalId": str(self.portal),
            "userEmail": self.email,
            "appId": self.app_id,
        }
        target = f"{path}{'&' if '?' in path else '?'}{_query(added)}"
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = self.v3_headers(method, target, content, at) | altered
        try:
            first = self._call(method, target, content, headers)
        except requests.ConnectionError:
            return self._call(method, target, content, headers)
        return first if first.status_code < 500 else self._call(method, target, content, headers)

    def webhook(
        self, path: str, events: Sequence[Mapping[str, Any]], version: str = "v3"
    ) -> requests.Response:
        content = json.dumps(events).encode()
        headers = self.v3_headers("POST", path, content) if version == "v3" else {}
        headers |= {
            "X-HubSpot-Signature": sign_v1(self.secret, content),
            "X-HubSpot-Signature-Version": "v1",
        }
        return self._call("POST", path, content, headers)

    def workflow(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        content = json.dumps(body).encode()
        proof = sign_v2(self.secret, "POST", self.public_url + path, content)
        headers = {"X-HubSpot-Signature": proof, "X-HubSpot-Signature-Version": "v2"}
        return self._call("POST", path, content, headers)

    def v3_headers(
        self, method: str, target: str, content: bytes, at: datetime | None = None
    ) -> dict[str, str]:
        stamp = str(int((at or datetime.now(UTC)).timestamp() * 1000))
        proof = sign_v3(self.secret, method, as_signed(self.public_url + target), content, stamp)
        return {"X-HubSpot-Signature-v3": proof, "X-HubSpot-Request-Timestamp": stamp}

    def _call(
        self, method: str, target: str, content: bytes, headers: Mapping[str, str]
    ) -> requests.Response:
        sent = dict(headers)
        if content:
            sent["Content-Type"] = "application/json"
        # A prepared request keeps the target byte for byte; requests would tidy it up.
        request = requests.Request(method, self.real_url, data=content, headers=sent).prepare()
        request.url = self.real_url + target
        with requests.Session() as session:
            return session.send(request, timeout=TIMEOUT, allow_redirects=False)


def _query(values: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
