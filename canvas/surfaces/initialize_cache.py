"""A response cache ahead of Flask for Intercom's initialize, which is asked whenever a conversation is looked at.

Mostly nothing has changed since, and Flask's routing and request objects would cost more than the rest of such an
answer (docs/benchmarks.md). This decides nothing: whatever is not signed, not understood, not cached or broken goes on
to the view as it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from flask import Flask

from canvas.flows.first_screens import NotConnected
from canvas.surfaces.edges import MAX_BODY, every_answers_headers, https
from canvas.surfaces.guard import proves_intercom
from canvas.surfaces.intercom_request import TROUBLE, person_of, read
from canvas.surfaces.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH: Final = "/intercom/initialize"


class InitializeCache:
    """WSGI middleware: answers initialize from the cached first screens, and hands everything else to Flask."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._flask: WSGIApplication = app.wsgi_app
        self._services = services
        self._secret: str = app.config["INTERCOM_CLIENT_SECRET"]
        self._https = https(app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        cached = self._cached(environ) if environ.get("PATH_INFO") == PATH else None
        if cached is None:
            return self._flask(environ, start_response)
        self._services.counters.count("requests", PATH, "200")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(cached)))]
        start_response("200 OK", headers + every_answers_headers(token_hex(6), self._https))
        return [cached]

    def _cached(self, environ: WSGIEnvironment) -> bytes | None:
        body = _body(environ)
        if not proves_intercom(self._secret, environ.get("HTTP_X_BODY_SIGNATURE", ""), body):
            return None
        asked = read(body)
        if asked is None:
            return None
        try:
            return self._services.first_screens.cached(
                "intercom", asked.workspace, lambda install: person_of(self._services.flow, install, asked)
            )
        except NotConnected:
            return None
        except Exception as trouble:
            environ[TROUBLE] = trouble  # the view says so, and does not wait for the database once more
            return None


def _body(environ: WSGIEnvironment) -> bytes:
    """The body of a request that tells its length within our limit, left to be read again; else nothing."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or int(length) > MAX_BODY:
        return b""
    body: Any = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return bytes(body)
