"""Who calls: signatures over the raw bytes, compared in constant time, and closed when nothing is configured."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response, abort, current_app, request

from canvas.flows.gateway import caller
from canvas.surfaces.octopods_wire import octopods_error
from canvas.surfaces.route import route
from canvas.surfaces.services import services

log = structlog.get_logger()
View = Callable[..., Any]


def body_signature(secret: str, body: bytes) -> str:
    """`X-Body-Signature`: HMAC-SHA256 in lower-case hex (Intercom, "Signing notifications")."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def hub_signature(secret: str, body: bytes) -> str:
    """`X-Hub-Signature`: HMAC-SHA1 with its prefix (Intercom, "Webhook notifications")."""
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Constant-time comparison that also survives bytes no signature has."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def proves_intercom(secret: str, given: str, body: bytes) -> bool:
    """Whether a body bears the right `X-Body-Signature`; without a secret or a signature nothing does."""
    return bool(secret and given) and same(given, body_signature(secret, body))


def signed_by_intercom(view: View) -> View:
    """Let a request through only with a right `X-Body-Signature` over its raw bytes; else 401 with no body."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        secret = current_app.config["INTERCOM_CLIENT_SECRET"]
        given = request.headers.get("X-Body-Signature", "")
        if not proves_intercom(secret, given, request.get_data()):
            log.warning("signature.refused", route=route(), given=bool(given), configured=bool(secret))
            return Response(status=401)
        return view(*args, **kwargs)

    guarded.guard = "intercom"  # type: ignore[attr-defined]
    return guarded


def signed_hub(view: View) -> View:
    """Let a notification through only with a right `X-Hub-Signature`; the probe, a HEAD, has none and gets 200."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if request.method == "HEAD":
            return Response(status=200)
        secret = current_app.config["INTERCOM_CLIENT_SECRET"]
        given = request.headers.get("X-Hub-Signature", "")
        if not secret or not given or not same(given, hub_signature(secret, request.get_data())):
            log.warning("signature.refused", route=route(), given=bool(given), configured=bool(secret))
            return Response(status=401)
        return view(*args, **kwargs)

    guarded.guard = "intercom"  # type: ignore[attr-defined]
    return guarded


def keyed(kind: str | None) -> Callable[[View], View]:
    """Let a request through only with an API key held here, and hand its channel to the view.

    `kind` is the channel that the route is for; None takes any. Octopods answers 401 without a valid key
    (API Key Authentication), so we do, in its shape.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            key = request.headers.get("X-Octopods-Auth", "").strip()
            channel = caller(services().flow, key, kind) if 0 < len(key) <= 512 else None
            if channel is None:
                words = "This API key is not connected here. Add it in Redeliver's settings, then try again."
                return octopods_error(401, 0, words)
            wait = services().limits.install(channel.install_id)
            if wait:
                return _too_many(wait)
            return view(channel, *args, **kwargs)

        guarded.guard = "key"  # type: ignore[attr-defined]
        return guarded

    return decorate


def _too_many(wait: int) -> Response:
    response = octopods_error(429, 0, f"Too many requests. Try again in {wait} seconds.")
    response.headers["Retry-After"] = str(wait)
    return response


def bearer(setting: str) -> Callable[[View], View]:
    """Let a request through only with the token of that setting; without one configured the view does not exist."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            token = current_app.config[setting]
            if not token:
                abort(404)
            if not same(request.headers.get("Authorization", ""), f"Bearer {token}"):
                return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
            return view(*args, **kwargs)

        guarded.guard = "bearer"  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_to_all(view: View) -> View:
    """Mark a view that anybody may call, so that a test can tell it from one that forgot its guard."""
    view.guard = "open"  # type: ignore[attr-defined]
    return view
