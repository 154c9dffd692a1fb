"""The OAuth side of the fake Intercom ("Setting up OAuth"): a consent page, and the exchange of its code.

The page offers two teammates, so that an admin and a colleague can be tried, and a way to say no.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from canvas.sandbox import intercom_people as people

BEARER = "sandbox-intercom-token"
CODE = "sandbox-code="
"""An authorization code ends in `=` now and then, and must be kept whole ("Setting up OAuth")."""

COLLEAGUE = {**people.ADMIN, "id": "814861", "name": "Ben Ito", "email": "ben@example.com"}
TEAM: dict[str, tuple[str, dict[str, Any]]] = {
    CODE: (BEARER, people.ADMIN),
    "sandbox-code-ben=": ("sandbox-intercom-token-ben", COLLEAGUE),
}
TOKENS = dict(TEAM.values())

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox Intercom</title><main><h1>Redeliver asks for access</h1>
<p>This page stands in for Intercom's own. Who are you?</p><ul>{people}</ul></main></html>"""


def routes() -> Blueprint:
    blueprint = Blueprint("oauth", __name__)

    @blueprint.get("/oauth")
    def authorize() -> Response:
        """The consent page; each link leads back with what Intercom would send."""
        back, state = request.args["redirect_uri"], request.args.get("state", "")
        answers = [
            (f"Allow, as {admin['name']}", {"code": code, "state": state})
            for code, (_, admin) in TEAM.items()
        ]
        answers.append(("Do not allow", {"error": "access_denied", "state": state}))
        links = "".join(
            f'<li><a href="{escape(f"{back}?{urlencode(answer)}")}">{escape(label)}</a></li>'
            for label, answer in answers
        )
        return Response(PAGE.format(people=links), mimetype="text/html")

    return blueprint
