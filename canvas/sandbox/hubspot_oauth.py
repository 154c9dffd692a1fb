"""The OAuth side of the fake HubSpot ("OAuth tokens": exchange, refresh, introspect, revoke)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from canvas.sandbox import hubspot_people as people
from canvas.sandbox import hubspot_state as fakes
from canvas.sandbox.hubspot_errors import oauth_error
from canvas.sandbox.hubspot_state import HubSpotState

LIFE_SECONDS = 1800


def routes(fake: HubSpotState) -> Blueprint:
    blueprint = Blueprint("oauth", __name__, url_prefix="/oauth")

    @blueprint.get("/authorize")
    def authorize() -> AnyResponse:
        """The consent page, where somebody always agrees."""
        answer = urlencode({"code": fakes.CODE, "state": request.args.get("state", "")})
        return redirect(f"{request.args['redirect_uri']}?{answer}")

    @blueprint.post("/<version>/token")
    def token(version: str) -> Response:
        form = request.form
        if not form.get("client_secret"):
            raise oauth_error("BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret")
        if form.get("grant_type") == "authorization_code" and form.get("code") != fakes.CODE:
            raise oauth_error("BAD_AUTH_CODE", "invalid_grant", "missing or unknown auth code")
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token") not in fake.refresh_tokens:
            sentence = "refresh token is invalid, expired or revoked"
            raise oauth_error("BAD_REFRESH_TOKEN", "invalid_grant", sentence)
        with fake.lock:
            fake.refresh_tokens.add(fakes.REFRESH_TOKEN)
            return jsonify(_grant(fake.new_token()))

    @blueprint.post("/<version>/token/introspect")
    def introspect(version: str) -> Response:
        if fake.tokens.get(request.form.get("token", "")) != "valid":
            return jsonify(active=False)
        account = {"hub_id": people.PORTAL, "hub_domain": "redeliver-sandbox.example"}
        return jsonify(
            active=True, user_id=people.USER, user=people.USER_EMAIL, scopes=fakes.SCOPES, **account
        )

    @blueprint.post("/<version>/token/revoke")
    def revoke(version: str) -> tuple[str, int]:
        fake.refresh_tokens.discard(request.form.get("token", ""))
        fakes.done()
        return "", 204

    return blueprint


def _grant(access_token: str) -> dict[str, Any]:
    return {
        "token_type": "bearer",
        "access_token": access_token,
        "refresh_token": fakes.REFRESH_TOKEN,
        "expires_in": LIFE_SECONDS,
        "hub_id": people.PORTAL,
        "user_id": people.USER,
        "scopes": fakes.SCOPES,
        "token_use": "access_token",
    }
