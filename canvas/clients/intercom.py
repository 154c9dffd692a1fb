"""The client of Intercom's REST API, pinned to one version. Every call names its token and region."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from canvas.clients.documents import identifier, json_or_none, mapping, objects, text
from canvas.clients.errors import CallFailed, RateLimited, Refused, Unauthorised
from canvas.clients.http import Answer, Effect, Http, broken, segment
from canvas.clients.waiting import retry_at
from canvas.domain import phones

VENDOR = "Intercom"
# Without the header the version set on the app applies, and a click in the Developer Hub would change ours.
VERSION = "2.15"
BASES = {
    "US": "https://api.intercom.io",
    "EU": "https://api.eu.intercom.io",
    "AU": "https://api.au.intercom.io",
}
WINDOW = timedelta(seconds=10)  # quotas are dealt out in windows of ten seconds ("Rate Limiting")
LAST_DIGITS = 7  # enough to find few contacts, and few enough to survive how a number is spaced
PER_PAGE = 50

_DISCONNECTED = frozenset(
    {"unauthorized", "token_revoked", "token_blocked", "token_not_found", "token_expired"}
)
_FORBIDDEN = frozenset({"token_unauthorized", "action_forbidden", "forbidden", "api_plan_restricted"})
_OTHER_CONTACT = re.compile(r"\bid=([\w-]+)")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who let us in: the workspace, and the admin who did. `id` is `workspace_id` in Canvas Kit requests."""

    id: str
    name: str = ""
    region: str = "US"
    timezone: str | None = None
    admin_id: str | None = None
    admin_name: str = ""
    admin_email: str = ""
    email_verified: bool = False


@dataclass(frozen=True, slots=True)
class IntercomContact:
    """A person in Intercom, as far as we need one."""

    id: str
    phone: str | None = None
    name: str = ""
    email: str | None = None
    external_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Intercom:
    """Calls Intercom's REST API. `base_url` replaces the regional hosts, for fakes.

    Raises Unauthorised when the workspace must connect again or a permission is missing, Refused (with
    `details["other_id"]` for a 409), RateLimited, NotReached, BrokenAnswer, and for changes Unsure.
    """

    def __init__(
        self,
        http: Http,
        base_url: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/") if base_url else None
        self._clock = clock

    def exchange_code(self, client_id: str, client_secret: str, code: str) -> str:
        """The access token for an OAuth `code`, which may end in "=" and works once. It does not expire."""
        form = {"code": code, "client_id": client_id, "client_secret": client_secret}
        url = self._host("US") + "/auth/eagle/token"  # one host serves every region
        answer = self._http.send(VENDOR, "POST", url, form=form, effect="once")
        document = mapping(self._good(answer, "once"))
        token = text(document.get("access_token")) or text(document.get("token"))
        if not token:
            raise broken("once", "Intercom answered without an access token.", answer)
        return token

    def me(self, token: str, region: str = "US") -> Workspace:
        """Identify an admin; also the cheapest check of a token."""
        answer = self._call(token, region, "GET", "/me")
        document = mapping(self._good(answer, "none"))
        app = mapping(document.get("app"))
        workspace_id = text(app.get("id_code"))
        if not workspace_id:
            raise broken("none", "Intercom answered without the workspace's id.", answer)
        return Workspace(
            id=workspace_id,
            name=text(app.get("name")) or "",
            region=_region(app.get("region")),
            timezone=text(app.get("timezone")),
            admin_id=identifier(document.get("id")),
            admin_name=text(document.get("name")) or "",
            admin_email=text(document.get("email")) or "",
            email_verified=document.get("email_verified") is True,
        )

    def get_contact(self, token: str, region: str, contact_id: str) -> IntercomContact:
        """Get a contact. One that was merged into another is 404, and the survivor is not named."""
        answer = self._call(token, region, "GET", f"/contacts/{segment(contact_id)}")
        return self._contact(answer, "none")

    def set_phone(self, token: str, region: str, contact_id: str, e164: str) -> IntercomContact:
        """Update a contact's phone and nothing else. Raises Refused when Intercom stored another number."""
        path = f"/contacts/{segment(contact_id)}"
        answer = self._call(token, region, "PUT", path, {"phone": e164}, "repeatable")
        contact = self._contact(answer, "repeatable")
        if phones.clean(contact.phone or "") != e164:
            stored = contact.phone or "no number"
            raise Refused(f"Intercom kept {stored} on the contact.", status=answer.status, body=answer.text)
        return contact

    def search_contacts_by_phone(
        self, token: str, region: str, e164: str, default_region: str = "US"
    ) -> list[IntercomContact]:
        """The contacts whose number is `e164` however it was typed, newest first as Intercom lists them.

        Intercom compares text as stored, so the last digits are asked for and the rest is compared here. A
        contact made minutes ago may not be found yet.
        """
        value = [
            {"field": "phone", "operator": "=", "value": e164},
            {"field": "phone", "operator": "$", "value": e164[-LAST_DIGITS:]},
            {"field": "phone", "operator": "$", "value": phones.pretty(e164).split(" ")[-1]},
        ]
        query = {"query": {"operator": "OR", "value": value}, "pagination": {"per_page": PER_PAGE}}
        answer = self._call(token, region, "POST", "/contacts/search", query)
        found = map(_read_contact, objects(mapping(self._good(answer, "none")).get("data")))
        return [c for c in found if c and c.phone and phones.normalise(c.phone, default_region) == e164]

    def write_note(self, token: str, region: str, conversation_id: str, admin_id: str, body: str) -> None:
        """An internal note in a conversation, never shown to the customer. `body` is HTML, already escaped.

        Not idempotent: after Unsure, ask `has_note` before writing again.
        """
        path = f"/conversations/{segment(conversation_id)}/reply"
        note = {"message_type": "note", "type": "admin", "admin_id": admin_id, "body": body}
        answer = self._call(token, region, "POST", path, note, "once")
        self._good(answer, "once")

    def has_note(self, token: str, region: str, conversation_id: str, words: str) -> bool:
        """Whether one of the newest 500 parts of the conversation is a note that holds `words`."""
        path = f"/conversations/{segment(conversation_id)}?display_as=plaintext"
        document = mapping(self._good(self._call(token, region, "GET", path), "none"))
        parts = objects(mapping(document.get("conversation_parts")).get("conversation_parts"))
        return any(p.get("part_type") == "note" and words in (text(p.get("body")) or "") for p in parts)

    def _host(self, region: str) -> str:
        return self._base or BASES[_region(region)]

    def _call(
        self,
        token: str,
        region: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        effect: Effect = "none",
    ) -> Answer:
        url = self._host(region) + path
        return self._http.send(VENDOR, method, url, headers=_headers(token), json=body, effect=effect)

    def _contact(self, answer: Answer, effect: Effect) -> IntercomContact:
        contact = _read_contact(mapping(self._good(answer, effect)))
        if contact is None:
            raise broken(effect, "Intercom answered without the contact.", answer)
        return contact

    def _good(self, answer: Answer, effect: Effect) -> Any:
        """The JSON of a good answer, None when its body is empty; raises what any other answer stands for."""
        if not 200 <= answer.status < 300:
            raise self._failure(answer, effect)
        document = json_or_none(answer)
        if document is None and answer.body.strip():
            raise broken(effect, "Intercom answered with something that cannot be read.", answer)
        if isinstance(document, Mapping) and document.get("type") in ("error.list", "error"):
            raise self._failure(answer, effect)
        return document

    def _failure(self, answer: Answer, effect: Effect) -> CallFailed:
        """Intercom, "HTTP responses" and "Error codes"; two calls use shapes of their own."""
        document = mapping(json_or_none(answer))
        first = next(iter(objects(document.get("errors"))), {})
        code = text(first.get("code")) or text(document.get("error_key"))
        said = text(first.get("message")) or text(document.get("message"))
        facts: dict[str, Any] = {
            "status": answer.status,
            "body": answer.text,
            "code": code,
            "request_id": identifier(document.get("request_id")),
        }
        if answer.status == 429:
            return RateLimited("Intercom asks us to slow down.", retry_at=self._until(answer), **facts)
        if answer.status >= 500 or answer.status == 408:
            trouble = f"Intercom had trouble of its own ({answer.status})."
            return broken(effect, trouble, answer, code, facts["request_id"])
        if is_shut_out(answer.status, code):
            return Unauthorised("Intercom does not let us in any more; connect the workspace again.", **facts)
        if answer.status == 403 or code in _FORBIDDEN:
            return Unauthorised(f"Intercom does not allow this: {said or 'a permission is missing'}", **facts)
        other = _OTHER_CONTACT.search(said or "") if answer.status == 409 else None
        sentence = f"Intercom said: {said}" if said else f"Intercom refused the request ({answer.status})."
        return Refused(sentence[:500], details={"other_id": other[1]} if other else {}, **facts)

    def _until(self, answer: Answer) -> datetime:
        reset = answer.headers.get("X-RateLimit-Reset", "")
        return retry_at(answer.headers, reset, self._clock(), WINDOW)


def is_shut_out(status: int | None, code: str | None) -> bool:
    """Whether an answer says that the workspace must connect again, not just that a permission is missing."""
    return status == 401 or code in _DISCONNECTED


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Intercom-Version": VERSION}


def _region(value: Any) -> str:
    return value.upper() if isinstance(value, str) and value.upper() in BASES else "US"


def _read_contact(document: Mapping[str, Any]) -> IntercomContact | None:
    contact_id = identifier(document.get("id"))
    if contact_id is None:
        return None
    return IntercomContact(
        id=contact_id,
        phone=text(document.get("phone")) or None,
        name=text(document.get("name")) or "",
        email=text(document.get("email")),
        external_id=identifier(document.get("external_id")),
        raw=document,
    )
