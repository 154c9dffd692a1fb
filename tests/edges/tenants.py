"""Four tenants with a failed message each, and the calls that each could make to every route."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from canvas.domain.message import Actor, Message
from canvas.domain.rights import ADMIN
from canvas.flows import bulk, sign_in
from canvas.flows import installs as install_flow
from canvas.flows.bulk import CHOICES
from canvas.sandbox.people import BY_ID
from canvas.store import erasing, installs, messages, teammates, unknown
from canvas.store.database import reading, writing
from canvas.store.history import Filter
from canvas.store.tables import incidents
from canvas.surfaces import sessions
from tests.hubspot.desk import APP_ID, HubSpotDesk

GRETA = BY_ID["landline_or_unreachable"]
HOST = "redeliver.example.com"
MISSING = "msg_" + "0" * 26


@dataclass(frozen=True, slots=True)
class Tenant:
    """One install and everything by which it could be addressed or could call."""

    platform: str
    external_id: str
    key: str
    contact: str
    install: installs.Install
    channel_id: int
    message: Message
    cookie: str
    csrf: str
    job_id: str


class World:
    """`mine` asks, `theirs` is asked about; both are on the platform of the route."""

    def __init__(self, desk: HubSpotDesk) -> None:
        self.desk = desk
        self.app = desk.app
        names = [("intercom", "alpha1"), ("intercom", "beta22"), ("hubspot", "70001"), ("hubspot", "70002")]
        made = [self._tenant(platform, name) for platform, name in names]
        self.theirs = {"intercom": made[0], "hubspot": made[2]}
        self.mine = {"intercom": made[1], "hubspot": made[3]}

    def _tenant(self, platform: str, external_id: str) -> Tenant:
        desk, key, contact = self.desk, f"key-of-{external_id}", f"contact-of-{external_id}"
        desk.octopods.add_key(key, "sms")
        install = install_flow.connect(
            desk.flow, platform, external_id, "a-token", settings={"country": "SE"}
        )
        channel = install_flow.add_channel(desk.flow, install.public_id, "sms", key, None, None)
        for kind in ("whatsapp", "vbm"):
            desk.octopods.add_key(f"{key}-{kind}", kind)
            install_flow.add_channel(desk.flow, install.public_id, kind, f"{key}-{kind}", None, None)
        body = {"destination_phone": GRETA.phone, "body": f"Words of {external_id}"}
        header = "X-Intercom-Contact-Id" if platform == "intercom" else "X-HubSpot-Contact-Id"
        assert desk.gateway("/sms/messages", body, key, **{header: contact}).status_code == 201
        desk.pass_time(15)
        with writing(desk.flow.engine) as conn:
            (message,), _ = messages.open_for_person(conn, install.id, contact, (), 5)
            now = desk.clock()
            teammates.arrive(conn, install.id, "1", "Ana Kos", ADMIN, now)
            person = teammates.get(conn, install.id, "1")
            assert person
            conn.execute(insert(incidents).values(_incident(install, message, now)))
            unknown.count(conn, install.id, shape_of(install.public_id), "shape", "example", "sms", now)
            secret = sign_in.begin(conn, desk.flow, person)
        job_id, _ = bulk.draft(desk.flow, install, Filter(), {}, next(iter(CHOICES)), Actor("test"))
        cookie, csrf = self._session(secret)
        return Tenant(platform, external_id, key, contact, install, channel.id, message, cookie, csrf, job_id)

    def _session(self, secret: str) -> tuple[str, str]:
        """The cookie a browser would hold, and what forms of that session carry."""
        with self.app.test_request_context():
            cookie = sessions._signer().dumps([secret, sessions._now()])
            return cookie, sessions._csrf(secret)

    def browser(self, who: Tenant) -> FlaskClient:
        client = self.app.test_client()
        with self.app.app_context():
            client.set_cookie(sessions.cookie_name(), who.cookie, domain=HOST, secure=True)
        return client

    def visit(self, who: Tenant, method: str, path: str, **form: str) -> TestResponse:
        base = f"https://{HOST}"
        data = {"csrf_token": who.csrf, **form} if method == "POST" else None
        return self.browser(who).open(path, method=method, data=data, base_url=base)

    def api(self, who: Tenant, method: str, path: str, body: Any = None) -> TestResponse:
        data = None if body is None else json.dumps(body)
        kind = path.split("/")[3]
        key = f"{who.key}-{kind}" if kind in ("whatsapp", "vbm") else who.key
        headers = {"X-Octopods-Auth": key, "Content-Type": "application/json"}
        return self.desk.client.open(path, method=method, data=data, headers=headers)

    def canvas(self, who: Tenant, path: str, contact: str, **more: Any) -> TestResponse:
        admin = {"type": "admin", "id": "1", "name": "Ana Kos"}
        body = {"workspace_id": who.external_id, "admin": admin, "contact": {"id": contact}, **more}
        return self.desk.intercom_post(path, body)

    def card(self, who: Tenant, method: str, path: str, body: Any = None) -> TestResponse:
        vouched = {
            "userId": "1",
            "portalId": who.external_id,
            "userEmail": "ana@example.com",
            "appId": APP_ID,
        }
        return self.desk.fetch(method, path, body, vouched=vouched)

    def stored(self) -> dict[int, list[str]]:
        """Everything that tenants have stored, to compare before and after."""
        found: dict[int, list[str]] = {}
        with reading(self.desk.flow.engine) as conn:
            for tenant in [*self.theirs.values()]:
                found[tenant.install.id] = [
                    repr(row)
                    for table in erasing.tenant_tables()
                    for row in conn.execute(table.select().where(table.c.install_id == tenant.install.id))
                ]
        return found


def incident_of(public_id: str) -> str:
    """The id of the incident that install has, or would have."""
    return f"inc_{public_id.replace(':', '_')}"


def shape_of(public_id: str) -> str:
    """The hash of the failure text that only this install met."""
    return f"shape-{public_id}"


def _incident(install: installs.Install, message: Message, now: datetime) -> dict[str, Any]:
    return {
        "id": incident_of(install.public_id),
        "install_id": install.id,
        "open_key": install.public_id,
        "scope": "channel",
        "reason": message.reason,
        "channel": "sms",
        "people": 3,
        "messages": 3,
        "first_id": message.id,
        "started_at": now,
        "last_at": now,
    }


def token_of(world: World, message: Message, fix: str = "retry_now") -> str:
    return str(world.app.extensions["redeliver"].tokens.sign(message, fix))
