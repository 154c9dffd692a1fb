"""Proof that a request was sent by HubSpot on behalf of our app.

Facts: HubSpot, "Validating requests",
https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

WINDOW_MS = 300_000
TIMESTAMP = re.compile(r"[0-9]{13}")
# HubSpot decodes these escapes, and no others, before it signs.
SIGNED_AS = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
DECODED = re.compile("|".join(SIGNED_AS))


class Refused(Exception):
    """The request carries no proof that HubSpot sent it now; the text says why, for our log only."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as its bytes came in: `target` is path and query exactly as they stood on the wire."""

    method: str
    target: str
    body: bytes
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        wanted = name.lower()
        return next((value for given, value in self.headers.items() if given.lower() == wanted), "")


def raw_target(environ: Mapping[str, Any]) -> str:
    """Path and query as the server read them, before anybody decoded, sorted or completed them."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if not target.startswith("/"):
        raise Refused("the request target does not start with a slash")
    return str(target)


def check(
    request: SignedRequest,
    *,
    public_url: str,
    secrets: Sequence[str],
    now: datetime,
    accepted: Collection[str] = ("v3",),
) -> str:
    """Return the version of the signature that proved the request; raise Refused when none does.

    The strongest version that the request carries decides alone, so dropping to an older one
    needs the newer header taken off, and helps only where `accepted` names the older one.
    """
    if not any(secrets):
        raise Refused("no client secret is configured")
    url = public_url.rstrip("/") + request.target
    version = _carried(request)
    if version not in accepted:
        raise Refused(f"signed with {version or 'nothing'}, wanted {' or '.join(sorted(accepted))}")
    if version == "v3":
        _refuse_other_times(request.header("X-HubSpot-Request-Timestamp"), now)
    given = request.header("X-HubSpot-Signature-v3" if version == "v3" else "X-HubSpot-Signature")
    if not _matches(given, _expected(version, request, url, secrets)):
        raise Refused(f"the {version} signature does not match")
    return version


def sign_v1(secret: str, body: bytes) -> str:
    return hashlib.sha256(secret.encode() + body).hexdigest()


def sign_v2(secret: str, method: str, url: str, body: bytes) -> str:
    return hashlib.sha256((secret + method + url).encode() + body).hexdigest()


def sign_v3(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """`url` is signed as given: pass it through `as_signed` first, as HubSpot does."""
    message = (method + url).encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def as_signed(url: str) -> str:
    return DECODED.sub(lambda escape: SIGNED_AS[escape.group()], url)


def _carried(request: SignedRequest) -> str:
    if request.header("X-HubSpot-Signature-v3"):
        return "v3"
    if not request.header("X-HubSpot-Signature"):
        return ""
    return request.header("X-HubSpot-Signature-Version") or "v1"


def _refuse_other_times(timestamp: str, now: datetime) -> None:
    if not TIMESTAMP.fullmatch(timestamp):
        raise Refused("the timestamp is not epoch milliseconds")
    if abs(now.timestamp() * 1000 - int(timestamp)) > WINDOW_MS:
        raise Refused("the timestamp is more than five minutes away")


def _expected(version: str, request: SignedRequest, url: str, secrets: Sequence[str]) -> Iterable[str]:
    signers: Mapping[str, Callable[[str], Iterable[str]]] = {
        "v1": lambda secret: [sign_v1(secret, request.body)],
        "v2": lambda secret: [sign_v2(secret, request.method, url, request.body)],
        "v3": lambda secret: _v3_forms(secret, request, url),
    }
    return [signature for secret in secrets if secret for signature in signers[version](secret)]


def _v3_forms(secret: str, request: SignedRequest, url: str) -> Iterable[str]:
    # HubSpot's own client libraries sign the URL undecoded; both forms need the secret.
    timestamp = request.header("X-HubSpot-Request-Timestamp")
    return [sign_v3(secret, request.method, form, request.body, timestamp) for form in (as_signed(url), url)]


def _matches(given: str, expected: Iterable[str]) -> bool:
    proof = given.encode("utf-8", "replace")
    return any(hmac.compare_digest(proof, one.encode()) for one in expected)
