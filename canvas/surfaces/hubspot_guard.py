"""Only HubSpot may call: signatures are checked over the raw bytes, and one portal is meant without doubt."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response, current_app, request

from canvas.domain.json_text import json_or_none
from canvas.surfaces.route import route
from canvas.surfaces.services import services
from canvas.surfaces.signature_hubspot import Refused, SignedRequest, check, raw_target

log = structlog.get_logger()
View = Callable[..., Any]
VOUCHED_FOR = ("portalId", "userId", "userEmail", "appId")


def signed_by_hubspot(*versions: str) -> Callable[[View], View]:
    """Let a request through only with a right signature of one of these versions; else 401 with no body."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                _check(versions)
            except Refused as why:
                log.warning("signature.refused", route=route(), why=str(why))
                return Response(status=401)
            return view(*args, **kwargs)

        guarded.guard = "hubspot"  # type: ignore[attr-defined]
        return guarded

    return decorate


def signed_json() -> Any:
    """The JSON that HubSpot signed, whatever type it tells; None when it is none."""
    return json_or_none(request.get_data())


def _check(versions: tuple[str, ...]) -> None:
    config = current_app.config
    given = SignedRequest(
        request.method, raw_target(request.environ), request.get_data(), dict(request.headers.items())
    )
    check(
        given,
        public_url=config["PUBLIC_URL"],
        secrets=[secret.strip() for secret in config["HUBSPOT_CLIENT_SECRET"].split(",")],
        now=services().flow.clock(),
        accepted=versions,
    )
    _refuse_doubt(config["HUBSPOT_APP_ID"])


def _refuse_doubt(app_id: str) -> None:
    """HubSpot adds its parameters to those a card wrote itself, so one that stands there twice is forged."""
    for name in VOUCHED_FOR:
        if len(request.args.getlist(name)) > 1:
            raise Refused(f"{name} is given more than once")
    sent = request.args.get("appId")
    if app_id and sent and sent != app_id:
        raise Refused("the call comes from another app")
