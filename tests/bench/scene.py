"""What the benches measure on: a connected workspace, a person with failed messages, and the request about them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from canvas import config as configuration
from canvas.clients.octopods import Octopods
from canvas.domain.ids import new_id
from canvas.domain.message import Content, Message, Status
from canvas.factory import build_flow
from canvas.flows import installs as install_flow
from canvas.flows import outcome
from canvas.flows.context import Flow
from canvas.knowledge.model import Evidence
from canvas.sandbox.octopods import keys
from canvas.store import messages, migrate
from canvas.store.database import writing
from canvas.surfaces.guard import body_signature
from canvas.surfaces.signature_hubspot import as_signed, sign_v3

SECRET = "bench-client-secret"
WORKSPACE = "bench1"
PORTAL = "4242"
PUBLIC_URL = "http://127.0.0.1:8080"
CONTACT = "5ba682d23d7cf92bef87bfd4"
PHONE = "+353871234567"
TEXT = "131026: Message undeliverable"
__all__ = ["CONTACT", "Octopods"]


def environment(url: str) -> dict[str, str]:
    """The settings of a web process for the benches."""
    secrets = {"INTERCOM_CLIENT_SECRET": SECRET, "HUBSPOT_CLIENT_SECRET": SECRET}
    return {"DATABASE_URL": url, "PUBLIC_URL": PUBLIC_URL, "LOG_LEVEL": "WARNING", **secrets}


def open_flow(url: str) -> Flow:
    flow = build_flow(configuration.load(environment(url)), lambda _id, _due: None)
    migrate.upgrade(flow.engine)
    return flow


def furnish(
    flow: Flow,
    failures: int = 1,
    install: str = WORKSPACE,
    platform: Literal["intercom", "hubspot"] = "intercom",
) -> int:
    """An install with two channels, and one person with so many failed messages; the install's id."""
    made = install_flow.connect(flow, platform, install, "token", settings={"timezone": "Europe/Dublin"})
    public = f"{platform}:{install}"
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        install_flow.add_channel(flow, public, kind, f"{key}-{install}", None, None)
    with writing(flow.engine) as conn:
        for _ in range(failures):
            fail(conn, flow, made.id)
    return made.id


def fail(conn: Connection, flow: Flow, install_id: int) -> None:
    """One more WhatsApp message to the person that failed."""
    now = datetime.now(UTC)
    id_ = new_id("msg", now)
    content = Content(template_id="90001", variables=["Mara", "Tuesday"])
    message = Message(
        id=id_, install_id=install_id, channel="whatsapp", channel_id=1, status=Status.SENDING,
        created_at=now, updated_at=now, raw_to=PHONE, to=PHONE, content=content,
        preview="Hi Mara, your appointment is on Tuesday.", contact_id=CONTACT, thread_id=id_,
    )  # fmt: skip
    messages.add(conn, message)
    message = replace(message, octopods_id=f"{id_[-8:]}", sent_at=now)
    outcome.failed(conn, flow, message, Evidence(text=TEXT, channel="whatsapp"), TEXT, now)


def request_file(folder: Path, port: int = 0, contact: str = CONTACT) -> Path:
    """The bytes of Intercom's initialize request, as long as real ones are, with their signature."""
    location = {"type": "location", "country": "Ireland", "region": "Leinster", "city": "Dublin"}
    person = {
        "type": "contact", "id": contact, "external_id": None, "role": "user", "email": "mara@example.com",
        "phone": PHONE, "name": "Mara Lind", "avatar": None, "owner_id": None, "has_hard_bounced": False,
        "marked_email_as_spam": False, "unsubscribed_from_emails": False, "created_at": 1571672154,
        "updated_at": 1571672158, "signed_up_at": 1571069751, "last_seen_at": 1571069751, "browser": "chrome",
        "browser_language": "en", "os": "OS X 10.14.6", "location": location, "custom_attributes": {},
        "tags": {"type": "list", "data": [], "url": f"/contacts/{contact}/tags", "total_count": 0},
    }  # fmt: skip
    body = {
        "workspace_id": WORKSPACE, "workspace_region": "US",
        "admin": {"type": "admin", "id": "814860", "name": "Ana Kos", "email": "ana@example.com"},
        "conversation": {"type": "conversation", "id": "215470000000042"}, "contact": person,
        "context": {"location": "conversation", "locale": "en"},
    }  # fmt: skip
    raw = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST /intercom/initialize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Body-Signature: {body_signature(SECRET, raw)}\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    path = folder / f"initialize-{contact}.http"
    path.write_bytes(head.encode() + raw)
    return path


def card_request_file(folder: Path) -> Path:
    """The bytes of HubSpot's card fetch with their signature, which is believed for five minutes."""
    target = (
        f"/hubspot/card?objectId={CONTACT}&objectTypeId=0-1&phone=%2B{PHONE[1:]}&tz=Europe%2FDublin&limit=3"
        f"&userId=5501&portalId={PORTAL}&userEmail=ana.kos%40example.com&appId=224455"
    )
    stamp = str(int(datetime.now(UTC).timestamp() * 1000))
    proof = sign_v3(SECRET, "GET", as_signed(PUBLIC_URL + target), b"", stamp)
    path = folder / "card.http"
    path.write_text(
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-HubSpot-Signature-v3: {proof}\r\n"
        f"X-HubSpot-Request-Timestamp: {stamp}\r\n\r\n"
    )
    return path
