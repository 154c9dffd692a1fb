"""The edges of the web app: request ids, security headers, limits, counters, and errors that show no insides."""

from __future__ import annotations

from secrets import token_hex
from typing import Any, Final

import structlog
from flask import Flask, Request, Response, current_app, g, render_template, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from canvas.surfaces.octopods_wire import octopods_error
from canvas.surfaces.route import route
from canvas.surfaces.services import services

log = structlog.get_logger()
MAX_BODY: Final = 1024 * 1024
MAX_FORM_FIELD: Final = 64 * 1024
MAX_FORM_PARTS: Final = 200
MACHINES = ("/intercom/", "/hubspot/", "/hooks/")
API = "/api/v1/"
UNCOUNTED = frozenset({"static", "operate.healthz", "operate.readyz", "operate.metrics"})
HUBSPOT_FRAMES = "https://*.hubspot.com"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
HTML_HEADERS = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"
WORDS = {
    400: "This request cannot be read.",
    401: "Sign in first.",
    403: "You may not do this.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "The request is larger than we take.",
    429: "Too many requests. Wait a moment, then try again.",
    500: "Something went wrong here.",
}


def protect(app: Flask) -> None:
    """Give the app its edges."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_FIELD,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https(app),
    )
    hops = app.config["TRUSTED_PROXIES"]
    if hops:
        # Only so many proxies of ours are believed: what a client writes further left in the header is not.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.session_interface = _Sessions()
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(Exception, _error)


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, at no cost for the vendors' calls, which bring none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return (
            super().open_session(app, request) if "HTTP_COOKIE" in request.environ else SecureCookieSession()
        )

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed or session.modified:
            super().save_session(app, session, response)


def framed_by_hubspot(view: Any) -> Any:
    """Mark a page that HubSpot may show inside its own."""
    view.framed = True
    return view


def https(app: Flask) -> bool:
    """Whether people and vendors know the app by an https address."""
    return bool(app.config["PUBLIC_URL"].startswith("https:"))


def _view() -> Any:
    return current_app.view_functions.get(request.endpoint or "")


def _begin() -> Response | None:
    """Number the request, and count it against its address where people and strangers come in.

    Calls that prove themselves (a signature, an API key) are never refused for what others at their address
    do: whoever can send them from a vendor's servers could otherwise shut that vendor out.
    """
    g.request_id = token_hex(6)
    if request.endpoint in UNCOUNTED or request.path.startswith(API) or _for_machines():
        return None
    wait = services().limits.address(request.remote_addr or "")
    return _slow_down(wait) if wait else None


def _for_machines() -> bool:
    """Whether a vendor's server asks: those paths, but for the few that a person's browser visits."""
    return request.path.startswith(MACHINES) and getattr(_view(), "audience", None) != "people"


def for_people(view: Any) -> Any:
    """Mark a view under a vendor's prefix that a person's browser visits, such as an OAuth callback."""
    view.audience = "people"
    return view


def _end(response: Response) -> Response:
    if response.status_code in (401, 403, 404) and request.endpoint != "static":
        response = _refused_again(response)
    _set_headers(response)
    services().counters.count("requests", route(), str(response.status_code))
    return response


def _refused_again(response: Response) -> Response:
    """A stranger who is refused again and again is told to slow down instead."""
    if not (request.path.startswith(API) or _for_machines()):
        return response  # counted when it came in
    wait = services().limits.address(request.remote_addr or "")
    return _slow_down(wait) if wait else response


def _slow_down(wait: int) -> Response:
    response = answer_error(429)
    response.headers["Retry-After"] = str(wait)
    return response


def every_answers_headers(request_id: str, secure: bool) -> list[tuple[str, str]]:
    """What each answer says of itself, unless its view says otherwise."""
    headers = [
        ("X-Request-Id", request_id),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    return [*headers, ("Strict-Transport-Security", HSTS)] if secure else headers


def _set_headers(response: Response) -> None:
    headers = response.headers
    for name, value in every_answers_headers(g.get("request_id", ""), https(current_app)):
        headers.setdefault(name, value)
    if response.mimetype == "text/html":
        framed = getattr(_view(), "framed", False)
        headers["Content-Security-Policy"] = POLICY + (HUBSPOT_FRAMES if framed else "'none'")
        if not framed:
            headers["X-Frame-Options"] = "DENY"
        if getattr(_view(), "guard", "") == "link":
            headers["Referrer-Policy"] = "no-referrer"  # the address is the key to the page
        for name, value in HTML_HEADERS.items():
            headers.setdefault(name, value)


def _error(error: Exception) -> Any:
    """Nothing unexpected shows its insides: a number to ask about, and the rest in the log."""
    if not isinstance(error, HTTPException):
        log.exception("request.broke", route=route())
        return answer_error(500)
    plain = error.get_response()
    if plain.status_code < 400:
        return plain
    response = answer_error(plain.status_code)
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in plain.headers:
            response.headers[name] = plain.headers[name]
    return response


def answer_error(status: int, words: str | None = None) -> Response:
    """An error as its caller reads it: Octopods' shape for the API, nothing for a vendor, a page for people."""
    sentence = words or WORDS.get(status, WORDS[400] if status < 500 else WORDS[500])
    if request.path.startswith(API):
        if status >= 500:
            sentence += f" Quote request {g.request_id} when you ask about it."
        return octopods_error(status, 0, sentence)
    if _for_machines():
        return Response(status=status)
    page = render_template("error.html", status=status, words=sentence, request_id=g.request_id)
    return Response(page, status=status, mimetype="text/html")
