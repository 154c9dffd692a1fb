"""Who looks at a page: the session cookie, the guards of pages, and the proof that a form is one of ours."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import current_app, g, render_template, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from canvas.domain.rights import Rights
from canvas.flows import rights, sign_in
from canvas.flows.sign_in import Me
from canvas.flows.signing import serializer
from canvas.store.database import reading
from canvas.surfaces.route import route
from canvas.surfaces.services import services

log = structlog.get_logger()
View = Callable[..., Any]
NO_BULK = (
    "Only an admin may fix many messages at once here. Admins can allow it to everybody in the settings."
)
SAFE = ("GET", "HEAD")
RENEW_SECONDS = 60  # a cookie younger than this is not written again


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie holds: the secret, and when it was last renewed, in epoch seconds."""

    secret: str
    at: int


def cookie_name(what: str = "session") -> str:
    """`__Host-` keeps sibling hosts and plain HTTP from setting it; browsers take it only with Secure."""
    prefix = "__Host-" if _secure() else ""
    return f"{prefix}redeliver_{what}"


def _secure() -> bool:
    return bool(current_app.config["PUBLIC_URL"].startswith("https://"))


def set_cookie(response: Response, what: str, value: str, max_age: int | None = None) -> None:
    """A cookie that only this site's own requests carry and no script reads."""
    response.set_cookie(
        cookie_name(what), value, max_age=max_age, secure=_secure(), httponly=True, samesite="Lax", path="/"
    )


def drop_cookie(response: Response, what: str) -> None:
    response.delete_cookie(cookie_name(what), secure=_secure(), httponly=True, samesite="Lax", path="/")


def _signer() -> URLSafeTimedSerializer:
    return serializer(current_app.config["SECRET_KEY"], "session")


def _now() -> int:
    return int(services().flow.clock().timestamp())


def start(response: Response, secret: str) -> None:
    """Give the browser its session."""
    set_cookie(response, "session", _signer().dumps([secret, _now()]))


def _read() -> Session | None:
    """The cookie's session when it was made here and used lately."""
    try:
        session = Session(*_signer().loads(request.cookies.get(cookie_name(), "")))
    except (BadData, TypeError):
        return None
    idle = current_app.config["SESSION_IDLE_MINUTES"] * 60
    return session if session.at + idle >= _now() else None


def whoever() -> Me | None:
    """Who is signed in on this request, or nobody. Asked of the database once a request."""
    if "me" not in g:
        g.session = _read()
        g.me = sign_in.find(services().flow, g.session.secret) if g.session else None
    found: Me | None = g.me
    return found


def me() -> Me:
    """Who is signed in; for views behind `signed_in` or `admin_only`."""
    found = whoever()
    assert found is not None
    return found


def end() -> None:
    """Sign out whoever is signed in on this request."""
    if whoever():
        sign_in.end(services().flow, g.session.secret)
        g.me = None


def csrf_token() -> str:
    """What every form of this session carries; worth nothing in another session."""
    return _csrf(g.session.secret) if whoever() else ""


def _csrf(secret: str) -> str:
    key = b"csrf " + current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def form_token(purpose: str) -> str:
    """What the forms of a page carry that may also be used without signing in; `purpose` names the page."""
    return _csrf((g.session.secret if whoever() else "") + purpose)


def same_form_token(purpose: str) -> bool:
    """Whether the form that came in was drawn for this page and whoever looks at it now."""
    given = request.form.get("csrf_token", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, form_token(purpose).encode())


def signed_in(view: View) -> View:
    """For people of a connected workspace. A change must come from a form that this session was given."""
    return _guarded(view, "session", lambda: None)


def admin_only(view: View) -> View:
    """For those who may change the workspace's settings."""
    return _guarded(view, "admin", _refuse_others)


def my_rights() -> Rights:
    """What whoever is signed in may do, by the workspace's settings and their role."""
    with reading(services().flow.engine) as conn:
        return rights.of(conn, me().install, me().actor)


def may_bulk(view: View) -> View:
    """For those who may fix many messages at once."""
    return _guarded(view, "bulk", _refuse_bulk)


def _refuse_bulk() -> Any:
    mine = my_rights()
    if mine.may_bulk:
        return None
    words = mine.sentence or NO_BULK
    return problem("You may not fix many at once", words, 403, ("Back to the history", "/history"))


def _guarded(view: View, mark: str, refuse: Callable[[], Any]) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if whoever() is None:
            return _sign_in_first()
        if request.method not in SAFE and not _own_form():
            log.warning("form.refused", route=route())
            words = "This form is from an earlier sign-in. Load the page again and send it once more."
            way_on = ("Load the page again", _page_of_form())
            return problem("That form is not valid any more", words, 403, way_on)
        return refuse() or view(*args, **kwargs)

    guarded.guard = mark  # type: ignore[attr-defined]
    return guarded


def own_path(wanted: str | None) -> str:
    """A path of this site, or nothing: never a way to somebody else's."""
    path = wanted or ""
    if (
        not path.startswith("/")
        or path.startswith(("//", "/\\"))
        or not path.isprintable()
        or len(path) > 200
    ):
        return ""
    return path


def _page_of_form() -> str:
    """Where the form that came in was drawn, or the start when the browser does not say."""
    came_from = urlsplit(request.referrer or "")
    return (came_from.netloc == request.host and own_path(came_from.path)) or "/"


def _own_form() -> bool:
    given = request.form.get("csrf_token", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, csrf_token().encode())


def _refuse_others() -> Any:
    if me().is_admin:
        return None
    words = "Only an admin of Redeliver may change this. The settings page lists them."
    return problem("This is for admins", words, 403, ("Back to the settings", "/settings"))


def _sign_in_first() -> tuple[str, int]:
    had = cookie_name() in request.cookies
    words = "Your sign-in has ended. Sign in again to go on." if had else "Sign in to see this page."
    back = request.full_path.rstrip("?") if request.method in SAFE else ""
    return render_template("welcome.html", notice=("warning" if had else "info", words), back=back), 401


def problem(title: str, words: str, status: int, way_on: tuple[str, str] | None = None) -> tuple[str, int]:
    """A page that says one thing that went wrong, and offers one way on."""
    return render_template("problem.html", title=title, words=words, way_on=way_on), status


def keep_fresh(response: Response) -> Response:
    """Renew the cookie of somebody active; take away one that opens nothing."""
    if "me" not in g:
        return response
    if g.me is None:
        if cookie_name() in request.cookies and "Set-Cookie" not in response.headers:
            drop_cookie(response, "session")
    elif g.session.at + RENEW_SECONDS <= _now() and "Set-Cookie" not in response.headers:
        start(response, g.session.secret)
    # What a page shows of one workspace belongs into nobody's cache.
    response.headers["Cache-Control"] = "no-store"
    return response
