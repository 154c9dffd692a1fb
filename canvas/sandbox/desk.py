"""The desk: one page that shows the inbox as a support agent sees it, and everything that crosses the wire.

The browser never holds the signing secret: it asks the desk, and the desk signs and posts to the running app.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from flask import Blueprint, Flask, Response, abort, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException

from canvas.domain.fix import CHANNEL_NAMES
from canvas.sandbox import desk_people, hubspot_desk, intercom_requests
from canvas.sandbox.admin import say_repaired
from canvas.sandbox.fake_hubspot import FakeHubSpot
from canvas.sandbox.fake_intercom import FakeIntercom
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.faults import parse
from canvas.sandbox.hubspot_caller import HubSpotCaller
from canvas.sandbox.intercom_people import TIMEZONE, contact_id
from canvas.sandbox.people import BY_ID, Person

FOLDER = Path(__file__).parent / "desk"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk sits between: the running app, the key it signs with, and the fakes it looks into."""

    app_url: str
    intercom_secret: str
    octopods: FakeOctopods
    intercom: FakeIntercom
    hubspot: FakeHubSpot
    caller: HubSpotCaller

    @classmethod
    def beside(cls, app_url: str, intercom_secret: str, hubspot_secret: str = "") -> Desk:
        """A desk with fakes of its own, beside the app at `app_url`."""
        caller = HubSpotCaller(app_url, app_url, hubspot_secret)
        return cls(app_url, intercom_secret, FakeOctopods(), FakeIntercom(), FakeHubSpot(), caller)


def create_desk(desk: Desk) -> Flask:
    flask = Flask(__name__, static_folder=None)
    flask.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    flask.register_blueprint(pages(desk.app_url))
    flask.register_blueprint(intercom(desk))
    flask.register_blueprint(octopods(desk))
    flask.register_blueprint(admin(desk))
    flask.register_blueprint(hubspot_desk.routes(desk.hubspot, desk.caller, hubspot_desk.Bundle()))
    flask.after_request(lambda response: _harden(response, desk.app_url))
    flask.register_error_handler(HTTPException, lambda e: (jsonify(error=e.description), e.code))
    return flask


def _harden(response: Response, app_url: str) -> Response:
    response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {app_url}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def pages(app_url: str) -> Blueprint:
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def page() -> Response:
        return send_from_directory(FOLDER, "index.html")

    @blueprint.get("/desk/zone.js")
    def zone() -> Response:
        """The zone of the sandbox's workspaces, for the scripts that write dates."""
        return Response(f'export const timeZone = "{TIMEZONE}";\n', mimetype="text/javascript")

    @blueprint.get("/desk/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(FOLDER, name)

    @blueprint.get("/api/started")
    def started() -> Response:
        return jsonify(started=answers(app_url))

    @blueprint.get("/api/people")
    def everybody() -> Response:
        return jsonify(desk_people.groups())

    return blueprint


def answers(app_url: str) -> bool:
    """Whether the app says anything at all."""
    try:
        requests.get(f"{app_url}/healthz", timeout=2)
    except requests.RequestException:
        return False
    return True


def person_or_404(identifier: str) -> Person:
    return BY_ID[identifier] if identifier in BY_ID else abort(404, "Nobody of that id sits in the sandbox.")


def intercom(desk: Desk) -> Blueprint:
    blueprint = Blueprint("intercom", __name__, url_prefix="/api/intercom")

    def contact(person: Person) -> dict[str, Any]:
        return desk.intercom.contact(contact_id(person))

    @blueprint.post("/<identifier>/initialize")
    def initialize(identifier: str) -> Response:
        person = person_or_404(identifier)
        body = intercom_requests.initialize(person, contact(person))
        url = f"{desk.app_url}/intercom/initialize"
        return jsonify(intercom_requests.post(url, body, desk.intercom_secret))

    @blueprint.post("/<identifier>/submit")
    def submit(identifier: str) -> Response:
        person = person_or_404(identifier)
        body = intercom_requests.submit(person, contact(person), request.get_json())
        url = f"{desk.app_url}/intercom/submit"
        return jsonify(intercom_requests.post(url, body, desk.intercom_secret))

    return blueprint


def octopods(desk: Desk) -> Blueprint:
    blueprint = Blueprint("octopods", __name__, url_prefix="/api/octopods")
    fake = desk.octopods

    @blueprint.get("/log")
    def log() -> Response:
        """What Octopods received, or its `newest` so many entries; how often it took a message, by number.

        Status questions come only with `checks=1`, for they are many.
        """
        entries = fake.journal.entries()
        taken = Counter(entry["body"].get("destination_phone") for entry in entries if entry["accepted"])
        if not request.args.get("checks", 0, int):
            entries = [entry for entry in entries if entry["method"] == "POST"]
        return jsonify(entries=entries[-request.args.get("newest", 0, int) :], taken=taken)

    @blueprint.get("/faults")
    def faults() -> Response:
        return jsonify(fake.board.waiting())

    @blueprint.put("/fault")
    def set_fault() -> Response:
        """Exactly one fault waits: the one switched on, or none for `{"kind": null}`."""
        wish = request.get_json()
        fake.board.clear()
        if wish.get("kind"):
            try:
                fake.board.add(parse(wish))
            except ValueError as error:
                abort(400, str(error))
        return jsonify(fake.board.waiting())

    return blueprint


def admin(desk: Desk) -> Blueprint:
    """What a workspace admin does at Octopods."""
    blueprint = Blueprint("admin", __name__, url_prefix="/api/octopods")

    @blueprint.post("/cure/<identifier>")
    def cure(identifier: str) -> Response:
        """The admin repairs it with the provider, and says so in the app's settings."""
        person = person_or_404(identifier)
        desk.octopods.cure(person)
        try:
            say_repaired(desk.app_url, CHANNEL_NAMES[person.channel])
        except requests.RequestException as error:
            abort(502, f"It is repaired, but the app did not take it: {error}")
        return jsonify(cured=identifier)

    return blueprint
