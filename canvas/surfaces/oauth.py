"""The welcome page, the OAuth authorization flows of Intercom and HubSpot with their callbacks, and logging out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from canvas.flows import oauth
from canvas.flows.oauth import SignedIn, SignInFailed
from canvas.store.oauth_states import State
from canvas.surfaces import sessions
from canvas.surfaces.edges import for_people
from canvas.surfaces.guard import open_to_all
from canvas.surfaces.services import services
from canvas.surfaces.sessions import csrf_token, keep_fresh, own_path, problem, signed_in, whoever

log = structlog.get_logger()
blueprint = Blueprint("oauth", __name__)
blueprint.after_app_request(keep_fresh)
blueprint.add_app_template_global(csrf_token)

REGIONS = {
    "US": "https://app.intercom.com/oauth",
    "EU": "https://app.eu.intercom.com/oauth",
    "AU": "https://app.au.intercom.com/oauth",
}
APP_STORE = "https://app.intercom.com/appstore/redirect"  # Intercom, "Installing and uninstalling apps"
FROM_APP_STORE = "appstore"
COOKIE_SECONDS = 3600
SignIn = Callable[[State, str], SignedIn]


@blueprint.app_context_processor
def _who() -> dict[str, Any]:
    return {"me": whoever()}


@blueprint.get("/")
@open_to_all
def welcome() -> str:
    """What this is, and the two ways to sign in."""
    return render_template("welcome.html", back=own_path(request.args.get("next")))


@blueprint.get("/intercom/install")
@open_to_all
@for_people
def intercom_install() -> AnyResponse | tuple[str, int]:
    """Redirect to Intercom's authorization page of that region. `from=appstore` leads back there at the end."""
    region = request.args.get("region", "").upper()
    region = region if region in REGIONS else "US"
    url = current_app.config["INTERCOM_AUTHORIZE_URL"] or REGIONS[region]
    return _authorize("intercom", url, region, {})


@blueprint.get("/hubspot/install")
@open_to_all
@for_people
def hubspot_install() -> AnyResponse | tuple[str, int]:
    """Redirect to HubSpot's authorization page."""
    config = current_app.config
    scopes = {"scope": config["HUBSPOT_SCOPES"], "optional_scope": config["HUBSPOT_OPTIONAL_SCOPES"]}
    return _authorize("hubspot", config["HUBSPOT_AUTHORIZE_URL"], "", scopes)


def _authorize(platform: str, url: str, region: str, more: dict[str, str]) -> AnyResponse | tuple[str, int]:
    vendor = oauth.VENDORS[platform]
    client_id = current_app.config[f"{platform.upper()}_CLIENT_ID"]
    if not client_id:
        words = f"The operator has not set {platform.upper()}_CLIENT_ID and its secret on this server yet."
        return problem(f"{vendor} is not set up here", words, 503, ("Back to the start", "/"))
    browser = request.cookies.get(sessions.cookie_name("oauth"), "")
    browser = browser if 20 < len(browser) < 100 else secrets.token_urlsafe(32)
    back = (
        FROM_APP_STORE if request.args.get("from") == FROM_APP_STORE else own_path(request.args.get("next"))
    )
    state = oauth.begin(services().flow, platform, browser, region, back)
    query = {"client_id": client_id, "redirect_uri": _redirect_uri(platform), "state": state, **more}
    response = redirect(f"{url}?{urlencode(query)}", 302)
    sessions.set_cookie(response, "oauth", browser, COOKIE_SECONDS)
    return response


def _redirect_uri(platform: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}/{platform}/callback"


@blueprint.get("/intercom/callback")
@open_to_all
@for_people
def intercom_callback() -> AnyResponse | tuple[str, int]:
    """Intercom sends the admin back with a code."""
    flow = services().flow
    return _callback("intercom", lambda state, code: oauth.sign_in_intercom(flow, code, state.region))


@blueprint.get("/hubspot/callback")
@open_to_all
@for_people
def hubspot_callback() -> AnyResponse | tuple[str, int]:
    """HubSpot sends the person back with a code."""
    flow = services().flow
    uri = _redirect_uri("hubspot")
    return _callback("hubspot", lambda state, code: oauth.sign_in_hubspot(flow, code, uri))


def _callback(platform: str, sign_in: SignIn) -> AnyResponse | tuple[str, int]:
    browser = request.cookies.get(sessions.cookie_name("oauth"), "")
    state: State | None = None
    try:
        state = oauth.consume_state(services().flow, platform, request.args.get("state", ""), browser)
        code = _code(platform)
        return _start_session(state, sign_in(state, code))
    except SignInFailed as failure:
        log.warning("oauth.sign_in_failed", platform=platform, why=str(failure))
        if state is not None and state.back == FROM_APP_STORE:
            return redirect(
                f"{APP_STORE}?{urlencode({'install_success': 'false', 'error_message': str(failure)})}"
            )
        status = 503 if failure.passing else 400
        again = ("Start again", f"/{platform}/install")
        return problem(f"{oauth.VENDORS[platform]} is not connected", str(failure), status, again)


def _code(platform: str) -> str:
    """The code as it came, "=" at its end and all. Raises SignInFailed."""
    code = request.args.get("code", "")
    if code:
        return code[:2000]
    if request.args.get("error"):
        raise SignInFailed(
            "Access was not allowed, and nothing was changed. Start again when you want to allow it."
        )
    raise SignInFailed(f"{oauth.VENDORS[platform]} sent no code along. Start again.")


def _start_session(state: State, arrived: SignedIn) -> AnyResponse:
    goal = state.back or ("/settings" if arrived.fresh and arrived.person.is_admin else "/history")
    if goal == FROM_APP_STORE:
        goal = f"{APP_STORE}?install_success=true"
    response = redirect(goal, 303)
    sessions.start(response, arrived.session)
    sessions.drop_cookie(response, "oauth")
    return response


@blueprint.post("/logout")
@signed_in
def logout() -> AnyResponse:
    """End this session, here and wherever a copy of its cookie may be."""
    sessions.end()
    response = redirect("/", 303)
    sessions.drop_cookie(response, "session")
    return response
