"""The state of the fake HubSpot: one portal's records, tokens, and what it was asked to keep."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from flask import request

from canvas.sandbox import hubspot_people as people
from canvas.sandbox.clock import SandboxClock, iso
from canvas.sandbox.faults import FaultBoard
from canvas.sandbox.front import ENTRY
from canvas.sandbox.hubspot_errors import expired, missing_scopes, not_found, unauthenticated
from canvas.sandbox.journal import Entry, Journal

STATIC_TOKEN = "sandbox-hubspot-token"  # noqa: S105 - opens nothing but this fake
REFRESH_TOKEN = "sandbox-hubspot-refresh"  # noqa: S105
CODE = "sandbox-hubspot-code"
SCOPES = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "tickets", "automation"]


class HubSpotState:
    """Everything one fake portal knows. Safe between threads where it is written to."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.journal = Journal()
        self.board = FaultBoard()
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.records: dict[str, dict[str, dict[str, Any]]] = {
                "contacts": people.all_contacts(),
                "communications": {},
                "notes": {},
            }
            self.merged: dict[str, str] = {}
            self.tokens: dict[str, str] = {STATIC_TOKEN: "valid"}
            self.refresh_tokens = {REFRESH_TOKEN}
            self.properties: dict[str, dict[str, Any]] = {}
            self.events: dict[str, dict[str, Any]] = {}
            self.callbacks: dict[str, dict[str, Any]] = {}
            self.search_lag = 0.0
            self.refused: dict[str, str] = {}
            self.last_id = 33445500

    def check_token(self) -> None:
        """Raises HubSpotRefusal unless the caller's token is known and in force."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        state = self.tokens.get(token)
        if state is None:
            raise unauthenticated()
        if state == "expired":
            raise expired()
        if state == "missing_scopes":
            raise missing_scopes("crm-objects-contacts-write")

    def new_token(self) -> str:
        token = f"sandbox-hubspot-{uuid.uuid4().hex}"
        self.tokens[token] = "valid"
        return token

    def next_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def now(self) -> str:
        return iso(self.clock.now()).replace("Z", ".000Z")

    def find(self, kind: str, identifier: str) -> dict[str, Any]:
        """The record, or the one it was merged into. Raises HubSpotRefusal (404)."""
        found = self.records.get(kind, {}).get(self.merged.get(identifier, identifier))
        if found is None or found["archived"]:
            raise not_found(f"Object not found.  objectId are usually numeric: {identifier}")
        return found


def done(identifier: str | None = None) -> None:
    """Write down that the deed was done."""
    entry: Entry = request.environ[ENTRY]
    entry.accepted, entry.outcome, entry.id = True, "accepted", identifier
