"""Where providers call: Twilio's status callbacks and Meta's WhatsApp webhooks. Who, signature, parse, hand over."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, current_app, request

from canvas.domain.json_text import json_or_none
from canvas.domain.provider_news import from_meta, from_twilio
from canvas.flows import hooks
from canvas.flows.hooks import Hook
from canvas.surfaces.guard import same
from canvas.surfaces.services import services

log = structlog.get_logger()
blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")
View = Callable[[Hook], Response]
Guarded = Callable[[str], Response]


def twilio_signature(token: str, url: str, form: Mapping[str, Sequence[str]]) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 of the address and the sorted form, in base64.

    Source: Twilio, "Security: validating requests".
    """
    values = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.new(token.encode(), (url + values).encode(), hashlib.sha1).digest()).decode()


def meta_signature(secret: str, body: bytes) -> str:
    """`X-Hub-Signature-256`: HMAC-SHA256 over the raw body. Source: Meta, "Webhooks: getting started"."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _signed(provider: str, proves: Callable[[Hook], bool]) -> Callable[[View], Guarded]:
    """Let a call through only when it is signed with the secret of its install; else 401 with no body."""

    def decorate(view: View) -> Guarded:
        @wraps(view)
        def guarded(install: str) -> Response:
            found = hooks.hook(services().flow, install, provider)
            if found is None or not proves(found):
                log.warning("hook.refused", provider=provider, known=found is not None)
                return Response(status=401)
            return view(found)

        guarded.guard = provider  # type: ignore[attr-defined]
        return guarded

    return decorate


def _by_twilio(hook: Hook) -> bool:
    given = request.headers.get("X-Twilio-Signature", "")
    request.get_data(cache=True)  # before the form is read, which would use the body up
    form = {name: request.form.getlist(name) for name in request.form}
    signed = (twilio_signature(hook.secret, url, form) for url in _addresses())
    return bool(given) and any(same(given, wanted) for wanted in signed)


def _addresses() -> tuple[str, ...]:
    """Our address as Twilio may have written it: with and without the port that goes without saying."""
    public = str(current_app.config["PUBLIC_URL"])
    path = str(request.environ.get("RAW_URI") or request.full_path.rstrip("?"))
    parts = urlsplit(public)
    if parts.port:
        return (public + path,)
    port = 443 if parts.scheme == "https" else 80
    return public + path, f"{parts.scheme}://{parts.netloc}:{port}{parts.path}{path}"


def _by_meta(hook: Hook) -> bool:
    given = request.headers.get("X-Hub-Signature-256", "")
    return bool(given) and same(given, meta_signature(hook.secret, request.get_data()))


def _by_verify_token(hook: Hook) -> bool:
    given = request.args.get("hub.verify_token", "")
    wanted = hook.verify
    return bool(wanted and given) and same(given, wanted or "")


@blueprint.post("/twilio/<install>")
@_signed("twilio", _by_twilio)
def twilio(hook: Hook) -> Response:
    """One status of one message."""
    news = from_twilio({name: value.replace("\x00", "") for name, value in request.form.items()})
    if news:
        hooks.take(services().flow, hook.install, [news])
    return Response(status=204)


@blueprint.get("/whatsapp/<install>")
@_signed("whatsapp", _by_verify_token)
def meta_registration(hook: Hook) -> Response:
    """Meta asks, when an admin registers the address, whether it is ours."""
    return Response(request.args.get("hub.challenge", "")[:200], mimetype="text/plain")


@blueprint.post("/whatsapp/<install>")
@_signed("whatsapp", _by_meta)
def meta(hook: Hook) -> Response:
    """Statuses of one or many messages; everything else Meta sends here is passed over."""
    hooks.take(services().flow, hook.install, from_meta(_document()))
    return Response(status=200)


def _document() -> Any:
    return json_or_none(request.get_data().replace(b"\\u0000", b""))
