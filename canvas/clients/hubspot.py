"""The client of HubSpot's API. Every call names its access token; renewing tokens is the flows' business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canvas.clients.documents import identifier, objects
from canvas.clients.errors import CallFailed, Refused
from canvas.clients.http import Answer, Effect, Http, broken, segment
from canvas.clients.hubspot_answers import (
    PHONES,
    VENDOR,
    Grant,
    Holder,
    HubSpotContact,
    good,
    read_contact,
    read_grant,
    read_holder,
)
from canvas.domain import phones

BASE = "https://api.hubapi.com"
# Every endpoint used here has this version, app events no newer one. From 2026-09 on, writes are refused for
# *other* fields the account requires, which would stop the correction of a number.
VERSION = "2026-03"
CONTACT_PROPERTIES = (*PHONES, "firstname", "lastname", "email", "lastmodifieddate")
MOST_FOUND = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """How messages of a channel are written on the timeline: which object, and which of its properties."""

    path: str
    body: str
    association: int  # to a contact
    fixed: Mapping[str, str]


NOTE = "note"  # a remark of ours, that is about no message
_NOTE = Kind("notes", "hs_note_body", 202, {})
_LOGGED = {"hs_communication_logged_from": "CRM"}


def _communication(channel_type: str) -> Kind:
    fixed = {"hs_communication_channel_type": channel_type, **_LOGGED}
    return Kind("communications", "hs_communication_body", 81, fixed)


# There is no value for Viber among the channel types, so Viber messages become notes.
KINDS = {"whatsapp": _communication("WHATS_APP"), "sms": _communication("SMS"), "vbm": _NOTE, NOTE: _NOTE}


class HubSpot:
    """Calls HubSpot's API.

    Raises Unauthorised (code EXPIRED: refresh once and repeat once; REVOKED: uninstalled; MISSING_SCOPES: see
    `details["scopes"]`), Refused (a validation error with `details["property"]`, a conflict with
    `details["other_id"]`), RateLimited (`details["policy"]`), NotReached, BrokenAnswer; for changes Unsure.
    """

    def __init__(
        self, http: Http, base_url: str = BASE, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._clock = clock

    def exchange_code(self, client_id: str, client_secret: str, redirect_uri: str, code: str) -> Grant:
        """The tokens for an OAuth `code`; `redirect_uri` must be the one of the first step."""
        form = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, "code": code}
        return self._token(client_id, client_secret, form, "once")

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Grant:
        """New tokens for an old refresh token. Store both: the refresh token may be a new one."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._token(client_id, client_secret, form, "repeatable")

    def introspect(self, client_id: str, client_secret: str, token: str) -> Holder:
        """Whose token this is: account and user. Refused when it is not in force."""
        form = {"client_id": client_id, "client_secret": client_secret, "token": token}
        url = f"{self._base}/oauth/{VERSION}/token/introspect"
        answer = self._http.send(VENDOR, "POST", url, form={**form, "token_type_hint": "access_token"})  # nosec B105 # names the kind of token
        return read_holder(answer, good(answer, "none", self._clock()))

    def get_contact(self, token: str, contact_id: str) -> HubSpotContact:
        """A contact with its phone numbers. A deleted one is Refused with 404."""
        names = ",".join(CONTACT_PROPERTIES)
        return self._contact(token, "GET", f"{_contact_path(contact_id)}?properties={names}", None, "none")

    def search_contacts_by_phone(self, token: str, e164: str) -> list[HubSpotContact]:
        """The contacts with that number in any of the five fields, the last changed first.

        The searchable fields hold the national number without its country code, so hits are compared here.
        A contact written seconds ago may not be found yet.
        """
        national = phones.national(e164)
        wanted = dict.fromkeys(PHONES, e164) | {
            "hs_searchable_calculated_phone_number": national,
            "hs_searchable_calculated_mobile_number": national,
        }
        groups = [[_equal(name, value)] for name, value in wanted.items()]
        found = self._search(token, "contacts", groups, [*CONTACT_PROPERTIES, *wanted], MOST_FOUND)
        contacts = [contact for one in found if (contact := read_contact(one))]
        country = phones.country(e164) or ""
        return [c for c in contacts if e164 in {phones.normalise(n, country) for n in c.numbers}]

    def set_phone(self, token: str, contact_id: str, e164: str, name: str = "phone") -> HubSpotContact:
        """Write one phone property and nothing else. Raises Refused when HubSpot stored another number."""
        contact = self.set_properties(token, contact_id, {name: e164})
        stored = contact.properties.get(name, "")
        if phones.clean(stored) != e164:
            raise Refused(f"HubSpot kept {stored or 'no number'} on the contact.")
        return contact

    def set_properties(self, token: str, contact_id: str, values: Mapping[str, str]) -> HubSpotContact:
        """Write these contact properties; an empty text clears one."""
        body = {"properties": dict(values)}
        return self._contact(token, "PATCH", _contact_path(contact_id), body, "repeatable")

    def ensure_property(self, token: str, definition: Mapping[str, Any]) -> None:
        """Create a contact property (name, label, type, fieldType, groupName) unless it is there already."""
        path = f"/crm/properties/{VERSION}/contacts"
        self._ask_or_exists(token, path, definition)

    def write_activity(self, token: str, contact_id: str, channel: str, body: str, at: datetime) -> str:
        """An entry on the contact's timeline, at its place in time; gives its id. `body` is escaped HTML.

        Not idempotent: after Unsure, ask `find_activity` before writing again.
        """
        kind = KINDS[channel]
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind.association}]
        document = {
            "properties": {**kind.fixed, kind.body: body, "hs_timestamp": _time(at)},
            "associations": [{"to": {"id": contact_id}, "types": types}],
        }
        answer = self._call(token, "POST", _objects(kind.path), document, "once")
        activity_id = identifier(good(answer, "once", self._clock()).get("id"))
        if activity_id is None:
            raise broken("once", "HubSpot answered without the new entry's id.", answer)
        return activity_id

    def rewrite_activity(self, token: str, channel: str, activity_id: str, body: str) -> None:
        """Change the words of an entry, for instance when its message was fixed."""
        kind = KINDS[channel]
        path = f"{_objects(kind.path)}/{segment(activity_id)}"
        self._ask(token, "PATCH", path, {"properties": {kind.body: body}}, "repeatable")

    def find_activity(self, token: str, channel: str, reference: str) -> str | None:
        """The id of an entry of that channel's kind whose body holds `reference` as a word of its own.

        The index lags behind writes by seconds: None soon after a write proves nothing.
        """
        kind = KINDS[channel]
        wish = {"propertyName": kind.body, "operator": "CONTAINS_TOKEN", "value": reference}
        found = self._search(token, kind.path, [[wish]], [kind.body], MOST_FOUND)
        named = [one for one in found if reference in str(one.get("properties"))]
        return identifier(named[0].get("id")) if named else None

    def event_type(self, token: str, symbol: str, project: str) -> str:
        """The full name under which events of our app are sent."""
        body = {"developerSymbol": symbol, "projectName": project}
        path = f"/integrators/timeline/{VERSION}/types/projects"
        answer = self._call(token, "POST", path, body, "none")
        name = good(answer, "none", self._clock()).get("fullyQualifiedName")
        if not isinstance(name, str):
            raise broken("none", "HubSpot answered without the event type's name.", answer)
        return name

    def send_event(
        self,
        token: str,
        event_type: str,
        event_id: str,
        contact_id: str,
        at: datetime,
        properties: Mapping[str, str],
    ) -> None:
        """An app event on the contact's timeline; the same `event_id` twice is one event."""
        event = {
            "eventTypeName": event_type,
            "id": event_id,
            "objectId": contact_id,
            "timestamp": _time(at),
            "properties": dict(properties),
        }
        self._ask_or_exists(token, f"/integrators/timeline/{VERSION}/events", event)

    def complete_callback(self, token: str, callback_id: str, outputs: Mapping[str, str], ok: bool) -> None:
        """Let a blocked workflow run go on, with what came of it."""
        state = "SUCCESS" if ok else "FAIL_CONTINUE"
        path = f"/automation/actions/callbacks/{VERSION}/{segment(callback_id)}/complete"
        body = {"outputFields": {**outputs, "hs_execution_state": state}, "typedOutputs": {}}
        self._ask(token, "POST", path, body, "repeatable")

    def _token(self, client_id: str, client_secret: str, form: Mapping[str, str], effect: Effect) -> Grant:
        whole = {**form, "client_id": client_id, "client_secret": client_secret}
        url = f"{self._base}/oauth/{VERSION}/token"
        answer = self._http.send(VENDOR, "POST", url, form=whole, effect=effect)
        good(answer, effect, self._clock())
        return read_grant(answer, effect, form.get("refresh_token", ""))

    def _contact(
        self, token: str, method: str, path: str, body: Mapping[str, Any] | None, effect: Effect
    ) -> HubSpotContact:
        answer = self._call(token, method, path, body, effect)
        contact = read_contact(good(answer, effect, self._clock()))
        if contact is None:
            raise broken(effect, "HubSpot answered without the contact.", answer)
        return contact

    def _search(
        self, token: str, kind: str, groups: list[list[dict[str, str]]], properties: list[str], limit: int
    ) -> list[Mapping[str, Any]]:
        body = {
            "filterGroups": [{"filters": filters} for filters in groups],
            "properties": properties,
            "sorts": ["-lastmodifieddate" if kind == "contacts" else "-hs_lastmodifieddate"],
            "limit": limit,
            "after": "0",
        }
        return objects(self._ask(token, "POST", f"{_objects(kind)}/search", body).get("results"))

    def _ask_or_exists(self, token: str, path: str, body: Mapping[str, Any]) -> None:
        """Create what carries its own name; that it exists already (409) is success."""
        try:
            self._ask(token, "POST", path, body, "repeatable")
        except CallFailed as error:
            if error.status != 409:
                raise

    def _ask(
        self,
        token: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        effect: Effect = "none",
    ) -> Mapping[str, Any]:
        return good(self._call(token, method, path, body, effect), effect, self._clock())

    def _call(
        self, token: str, method: str, path: str, body: Mapping[str, Any] | None, effect: Effect
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        return self._http.send(VENDOR, method, self._base + path, headers=headers, json=body, effect=effect)


def _objects(kind: str) -> str:
    return f"/crm/objects/{VERSION}/{kind}"


def _contact_path(contact_id: str) -> str:
    return f"{_objects('contacts')}/{segment(contact_id)}"


def _equal(name: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": "EQ", "value": value}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
