"""What HubSpot's answers mean: its errors in their several shapes, and the few records we read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from canvas.clients.documents import identifier, json_or_none, mapping, objects, text
from canvas.clients.errors import CallFailed, RateLimited, Refused, Unauthorised
from canvas.clients.http import Answer, Effect, broken
from canvas.clients.waiting import retry_at

VENDOR = "HubSpot"
EXPIRED = "EXPIRED_AUTHENTICATION"  # code of the Unauthorised that one refresh cures
REVOKED = "BAD_REFRESH_TOKEN"  # code of the Unauthorised that says the app was uninstalled
PHONES = ("hs_whatsapp_phone_number", "mobilephone", "phone")  # best for messages first

# "Usage guidelines": how long a policy's window lasts. The day ends at midnight of the account, whose zone is
# not known here, so the day's limit is asked about again every hour.
WAITS = {"TEN_SECONDLY_ROLLING": 10, "SECONDLY": 1, "DAILY": 3600}
LOCKED_SECONDS = 2
LOCKED, MIGRATING = 423, 477
_DETAIL = "Property values were not valid: "
_EXISTING = re.compile(r"Existing ID: *(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account gave us. `expires_in` is in seconds; older endpoints may leave out `portal_id`."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    portal_id: str | None = None
    user_id: str | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is. `domain` and `email` are the names people know account and user by."""

    portal_id: str | None
    user_id: str | None
    domain: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class HubSpotContact:
    """A contact record. After a merge `id` is that of the surviving record."""

    id: str
    properties: Mapping[str, str]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Its phone numbers as typed, each once, the one for WhatsApp first."""
        found = (self.properties.get(name, "") for name in PHONES)
        return tuple(dict.fromkeys(number for number in found if number.strip()))

    @property
    def name(self) -> str:
        names = (self.properties.get(part, "") for part in ("firstname", "lastname"))
        return " ".join(name for name in names if name)


def read_grant(answer: Answer, effect: Effect, old_refresh_token: str = "") -> Grant:  # nosec B107 # no scope
    """A token answer; the refresh token usually stays the same and may then be left out."""
    document = mapping(json_or_none(answer))
    access, refresh = text(document.get("access_token")), text(document.get("refresh_token"))
    if not access or not (refresh or old_refresh_token):
        raise broken(effect, "HubSpot answered without a token.", answer)
    life, scopes = document.get("expires_in"), document.get("scopes")
    return Grant(
        access_token=access,
        refresh_token=refresh or old_refresh_token,
        expires_in=life if isinstance(life, int) else 1800,
        portal_id=identifier(document.get("hub_id")),
        user_id=identifier(document.get("user_id")),
        scopes=tuple(s for s in scopes if isinstance(s, str)) if isinstance(scopes, list) else (),
    )


def read_holder(answer: Answer, document: Mapping[str, Any]) -> Holder:
    """A token's introspection ("OAuth tokens"). Raises Refused for one that is not in force."""
    if document.get("active") is not True:
        raise Refused("HubSpot says that the token is not in force.", status=answer.status)
    return Holder(
        portal_id=identifier(document.get("hub_id")),
        user_id=identifier(document.get("user_id")),
        domain=text(document.get("hub_domain")) or "",
        email=text(document.get("user")) or "",
    )


def read_contact(document: Any) -> HubSpotContact | None:
    record = mapping(document)
    contact_id = identifier(record.get("id"))
    values = mapping(record.get("properties"))
    properties = {name: value for name, value in values.items() if isinstance(value, str)}
    return HubSpotContact(contact_id, properties) if contact_id else None


def good(answer: Answer, effect: Effect, now: datetime) -> Mapping[str, Any]:
    """The object of a good answer, empty for an empty body. Raises what any other answer stands for."""
    if not 200 <= answer.status < 300:
        raise failure(answer, effect, now)
    document = json_or_none(answer)
    if answer.body.strip() and not isinstance(document, Mapping):
        raise broken(effect, "HubSpot answered with something that cannot be read.", answer)
    if mapping(document).get("status") == "error":
        raise failure(answer, effect, now)
    return mapping(document)


def failure(answer: Answer, effect: Effect, now: datetime) -> CallFailed:
    """HubSpot, "Error handling" and "Usage guidelines"; token endpoints have a shape of their own."""
    document = mapping(json_or_none(answer))
    said = _sentence(document)
    status = text(document.get("status"))
    own = status if status and status != "error" else None
    code = text(document.get("category")) or own or text(document.get("error"))
    facts: dict[str, Any] = {
        "status": answer.status,
        "body": answer.text,
        "code": code,
        "request_id": text(document.get("correlationId")) or text(document.get("requestId")),
        "details": _details(document),
    }
    if answer.status in (429, LOCKED, MIGRATING):
        wait = _wait(answer, document)
        until = retry_at(answer.headers, "", now, wait)
        return RateLimited("HubSpot asks us to slow down.", retry_at=until, **facts)
    if answer.status >= 500 or answer.status == 408:
        trouble = f"HubSpot had trouble of its own ({answer.status})."
        return broken(effect, trouble, answer, code, facts["request_id"])
    if answer.status == 403:
        return Unauthorised(f"HubSpot does not allow this: {said or 'a permission is missing.'}", **facts)
    if answer.status == 401 or code in (REVOKED, "BAD_AUTH_CODE", "invalid_grant"):
        return Unauthorised("HubSpot does not let us in any more; connect the account again.", **facts)
    sentence = f"HubSpot said: {said}" if said else f"HubSpot refused the request ({answer.status})."
    return Refused(sentence[:500], **facts)


def _wait(answer: Answer, document: Mapping[str, Any]) -> timedelta:
    policy = text(document.get("policyName")) or ""
    return timedelta(seconds=LOCKED_SECONDS if answer.status == LOCKED else WAITS.get(policy, 10))


def _sentence(document: Mapping[str, Any]) -> str | None:
    """HubSpot's words for people: those of the refused property when the message holds them."""
    detail = _property_error(document)
    return (
        text(detail.get("localizedErrorMessage"))
        or text(detail.get("message"))
        or text(document.get("message"))
        or text(document.get("error_description"))
    )


def _property_error(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first error of the JSON that stands inside the message of a validation error."""
    _, found, inner = (text(document.get("message")) or "").partition(_DETAIL)
    if not found:
        return {}
    try:
        return next(iter(objects(orjson.loads(inner))), {})
    except ValueError:
        return {}  # cut short, or no JSON this time: the whole message is shown instead


def _details(document: Mapping[str, Any]) -> dict[str, str]:
    """What else the error names: the policy, the property and its code, the other contact, the scopes."""
    wrong = _property_error(document)
    other = _EXISTING.search(text(document.get("message")) or "")
    scopes = [
        scope
        for one in objects(document.get("errors"))
        for scope in mapping(one.get("context")).get("requiredGranularScopes") or ()
    ]
    named = {
        "policy": text(document.get("policyName")),
        "property": text(wrong.get("name")),
        "error": text(wrong.get("error")),
        "other_id": other[1] if other else None,
        "scopes": " ".join(map(str, scopes)),
    }
    return {name: value for name, value in named.items() if value}
