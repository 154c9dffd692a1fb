"""The doors: a page that says what this is, the walks to Intercom and HubSpot and back, and the way out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from canvas.flows import oauth
from canvas.flows.oauth import Arrival, Stopped
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
WALK_SECONDS = 3600
Walk = Callable[[State, str], Arrival]


@blueprint.app_context_processor
def _who() -> dict[str, Any]:
    return {"me": whoever()}


@blueprint.get("/")
@open_to_all
def welcome() -> str:
    """What this is, and the two ways in."""
    return render_template("welcome.html", back="")


@blueprint.get("/intercom/install")
@open_to_all
@for_people
def intercom_install() -> AnyResponse | tuple[str, int]:
    """Send an admin to Intercom's page of their region. `from=appstore` leads back there at the end."""
    region = request.args.get("region", "").upper()
    region = region if region in REGIONS else "US"
    url = current_app.config["INTERCOM_AUTHORIZE_URL"] or REGIONS[region]
    return _leave("intercom", url, region, {})


@blueprint.get("/hubspot/install")
@open_to_all
@for_people
def hubspot_install() -> AnyResponse | tuple[str, int]:
    """Send somebody to HubSpot's page."""
    config = current_app.config
    scopes = {"scope": config["HUBSPOT_SCOPES"], "optional_scope": config["HUBSPOT_OPTIONAL_SCOPES"]}
    return _leave("hubspot", config["HUBSPOT_AUTHORIZE_URL"], "", scopes)


def _leave(platform: str, url: str, region: str, more: dict[str, str]) -> AnyResponse | tuple[str, int]:
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
    query = urlencode({"client_id": client_id, "redirect_uri": _callback(platform), "state": state, **more})
    response = redirect(f"{url}?{query}", 302)
    sessions.set_cookie(response, "oauth", browser, WALK_SECONDS)
    return response


def _callback(platform: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}/{platform}/callback"


@blueprint.get("/intercom/callback")
@open_to_all
@for_people
def intercom_callback() -> AnyResponse | tuple[str, int]:
    """Intercom sends the admin back with a code."""
    flow = services().flow
    return _arrive("intercom", lambda state, code: oauth.arrive_intercom(flow, code, state.region))


@blueprint.get("/hubspot/callback")
@open_to_all
@for_people
def hubspot_callback() -> AnyResponse | tuple[str, int]:
    """HubSpot sends the person back with a code."""
    flow = services().flow
    return _arrive("hubspot", lambda state, code: oauth.arrive_hubspot(flow, code, _callback("hubspot")))


def _arrive(platform: str, walk: Walk) -> AnyResponse | tuple[str, int]:
    browser = request.cookies.get(sessions.cookie_name("oauth"), "")
    state: State | None = None
    try:
        state = oauth.come_back(services().flow, platform, request.args.get("state", ""), browser)
        code = _code(platform)
        return _enter(state, walk(state, code))
    except Stopped as stopped:
        log.warning("oauth.stopped", platform=platform, why=str(stopped))
        if state is not None and state.back == FROM_APP_STORE:
            return redirect(
                f"{APP_STORE}?{urlencode({'install_success': 'false', 'error_message': str(stopped)})}"
            )
        status = 503 if stopped.passing else 400
        again = ("Start again", f"/{platform}/install")
        return problem(f"{oauth.VENDORS[platform]} is not connected", str(stopped), status, again)


def _code(platform: str) -> str:
    """The code as it came, "=" at its end and all. Raises Stopped."""
    code = request.args.get("code", "")
    if code:
        return code[:2000]
    if request.args.get("error"):
        raise Stopped(
            "Access was not allowed, and nothing was changed. Start again when you want to allow it."
        )
    raise Stopped(f"{oauth.VENDORS[platform]} sent no code along. Start again.")


def _enter(state: State, arrival: Arrival) -> AnyResponse:
    goal = state.back or ("/settings" if arrival.fresh and arrival.person.is_admin else "/history")
    if goal == FROM_APP_STORE:
        goal = f"{APP_STORE}?install_success=true"
    response = redirect(goal, 303)
    sessions.start(response, arrival.session)
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
