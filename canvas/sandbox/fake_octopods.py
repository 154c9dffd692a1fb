"""A fake Octopods that answers as its help center documents, over real HTTP.

Octopods help center: "API Overview and Authentication", "API Error Reference", and each call's reference.
The state is in memory; `/_control` steers it (control.py, and the routes at the end of this file).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Flask, Response, jsonify, request

from canvas.sandbox.clock import SandboxClock, iso
from canvas.sandbox.control import control
from canvas.sandbox.faults import Fault, FaultBoard
from canvas.sandbox.front import ENTRY, Front
from canvas.sandbox.journal import Entry, Journal
from canvas.sandbox.octopods import answers, checks, errors, keys
from canvas.sandbox.octopods.answers import Shapes
from canvas.sandbox.octopods.errors import Refused, error_body
from canvas.sandbox.octopods.keys import Key, KeyRing
from canvas.sandbox.octopods.messages import Outbox
from canvas.sandbox.octopods.templates import BY_ID, STATUSES, Template, find
from canvas.sandbox.people import BY_ID as PEOPLE
from canvas.sandbox.people import Person

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LIST_CAP = 100
BLOCK_SECONDS = 60


class FakeOctopods:
    """The state of one fake, and its WSGI application `app`."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.keys = KeyRing()
        self.outbox = Outbox()
        self.shapes = Shapes()
        self.journal = Journal()
        self.board = FaultBoard()
        self.app: WSGIApplication = Front(self._flask(), self.journal, self.board, self.clock, self.refuse)

    def _flask(self) -> Flask:
        flask = Flask(__name__, static_folder=None)
        flask.register_blueprint(api(self))
        flask.register_blueprint(control(self.journal, self.board, self.clock, self.reset))
        flask.register_blueprint(steering(self))
        flask.register_error_handler(Refused, refused)
        return flask

    def reset(self) -> None:
        self.keys.reset()
        self.outbox.reset()
        self.shapes = Shapes()

    def cure(self, person: Person) -> None:
        """An admin has repaired what stood in this person's way."""
        self.outbox.cure(person.id)
        if person.flaw in keys.OF_FLAW:
            self.keys.mend(keys.OF_FLAW[person.flaw])

    def refuse(self, fault: Fault, entry: Entry, key: str) -> Response:
        """Octopods' own words for a fault played at the door."""
        if fault.kind == "rate_limited":
            self.keys.block(key, self.clock.now() + timedelta(seconds=fault.seconds))
            return self.too_many(fault.seconds)
        answer = jsonify_(error_body(7, "Service temporarily unavailable"))
        answer.status_code = 503 if fault.kind == "down" else 200
        return answer

    def too_many(self, seconds: float) -> Response:
        """429 with a retry timestamp, whose name and form are documented nowhere."""
        # Rounded up to the second: a call at the time given must find the key free.
        until = self.clock.now() + timedelta(seconds=seconds + 1)
        body = error_body(429, "Too many requests. Please retry after the given time.")
        epoch = int(until.timestamp())
        stamp = {"iso": iso(until), "seconds": epoch, "milliseconds": epoch * 1000}.get(self.shapes.retry_at)
        response = jsonify_({**body, "retry_at": stamp} if stamp else body)
        response.status_code = 429
        if self.shapes.retry_at == "header":
            response.headers["Retry-After"] = str(max(1, round(seconds)))
        return response

    def key_for(self, channel: str) -> Key:
        """The caller's key. Raises Refused: none or unknown, wrong kind, deprecated."""
        given = request.headers.get("X-Octopods-Auth", "")
        key = self.keys.get(given)
        if key is None:
            status = self.shapes.missing_key
            raise Refused(channel, "ARGUMENT_MISSING", "Missing or invalid API key.", status)
        if key.state == "deprecated":
            raise Refused(channel, "DEPRECATED_API_KEY", errors.DEPRECATED)
        if not key.opens(channel) or key.state == "offline":
            raise Refused(channel, "PROVIDER", errors.OFFLINE)
        return key

    def send(self, channel: str, template: Template | None, body: dict[str, Any], key: Key) -> Response:
        """Take a checked message. Raises Refused when the provider refuses at hand-off."""
        phone = body["destination_phone"]
        failure = self.outbox.trouble(channel, key.value, phone, template, body)
        if failure and failure.at == "send":
            text = f"{failure.code}: {failure.text}" if failure.code else failure.text
            raise Refused(channel, "PROVIDER", text)
        message = self.outbox.take(channel, key.value, phone, body, template, self.clock.now(), failure)
        entry: Entry = request.environ[ENTRY]
        entry.accepted, entry.outcome, entry.id = True, "accepted", str(message.id)
        response = jsonify(answers.sent(message, self.shapes, request.url_root))
        response.status_code = 201
        return response


def refused(error: Refused) -> tuple[Response, int]:
    request.environ[ENTRY].outcome = f"refused: {error.text}"
    return jsonify(error.body), error.status


def jsonify_(body: Any) -> Response:
    """A JSON answer outside any Flask request."""
    return Response(orjson.dumps(body), content_type="application/json")


def api(fake: FakeOctopods) -> Blueprint:
    blueprint = Blueprint("octopods", __name__, url_prefix="/api/v1")

    @blueprint.before_request
    def blocked() -> Response | None:
        until = fake.keys.blocked_until(request.headers.get("X-Octopods-Auth", ""), fake.clock.now())
        return fake.too_many((until - fake.clock.now()).total_seconds()) if until else None

    for part in (sends, statuses, templates):
        blueprint.register_blueprint(part(fake))
    return blueprint


def sends(fake: FakeOctopods) -> Blueprint:
    blueprint = Blueprint("sends", __name__)

    @blueprint.post("/sms/messages")
    def send_sms() -> Response:
        key = fake.key_for("sms")
        body = json_object("sms")
        checks.check_phone("sms", body)
        checks.check_text(body)
        return fake.send("sms", None, body, key)

    @blueprint.post("/<any(whatsapp, vbm):channel>/templates/<int:template_id>/messages")
    def send_template(channel: str, template_id: int) -> Response:
        key = fake.key_for(channel)
        body = json_object(channel)
        checks.check_phone(channel, body)
        template = checks.check_template(channel, template_id)
        checks.check_variables(channel, template, body.get("message_variables"))
        checks.check_header(channel, template, body)
        return fake.send(channel, template, body, key)

    return blueprint


def statuses(fake: FakeOctopods) -> Blueprint:
    blueprint = Blueprint("statuses", __name__)

    @blueprint.get("/<any(whatsapp, sms, vbm):channel>/messages/<message_id>")
    def status(channel: str, message_id: str) -> Response | tuple[Response, int]:
        key = fake.key_for(channel)
        if channel == "vbm" and not fake.shapes.vbm_status:
            return jsonify(error="Not Found"), 404
        number = int(message_id) if message_id.isdigit() else 0
        message = fake.outbox.get(channel, number, key.value)
        if message is None:
            raise Refused(channel, "ARGUMENT_MISSING", errors.must_supply("message_id"))
        return jsonify(answers.status(message, fake.shapes, fake.clock.now()))

    @blueprint.get("/whatsapp/messages")
    def listing() -> Response:
        key = fake.key_for("whatsapp")
        limit = min(request.args.get("limit", LIST_CAP, int), LIST_CAP)
        messages = fake.outbox.newest("whatsapp", key.value, max(limit, 0))
        if not messages:
            raise Refused("whatsapp", "ARGUMENT_MISSING", "No messages found.")
        return jsonify(answers.listing(messages, fake.shapes, fake.clock.now(), str(uuid.uuid4())))

    return blueprint


def templates(fake: FakeOctopods) -> Blueprint:
    blueprint = Blueprint("templates", __name__)

    @blueprint.get("/<any(whatsapp, vbm):channel>/templates")
    def every(channel: str) -> Response:
        key = fake.key_for(channel)
        wanted = request.args.get("status")
        if wanted and channel == "whatsapp" and wanted not in STATUSES:
            raise Refused("whatsapp", "INVALID_STATUS", f"{wanted} is not a valid template status.")
        found = find(channel, wanted, request.args.get("active"), request.args.get("lang"))
        return jsonify([template.as_json(key.phone) for template in found])

    @blueprint.get("/<any(whatsapp, vbm):channel>/templates/<int:template_id>")
    def one(channel: str, template_id: int) -> Response:
        key = fake.key_for(channel)
        found = BY_ID.get(template_id)
        if found is None or found.channel != channel:
            raise Refused(channel, "TEMPLATE_NOT_EXIST", errors.NOT_EXIST)
        return jsonify(found.as_json(key.phone))

    return blueprint


def json_object(family: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(family, "TYPE_MISMATCH", "The request payload must be a JSON object.")
    return body


def steering(fake: FakeOctopods) -> Blueprint:
    """POST shapes {...}, keys {value, kind, state}, keys/<key>/block {seconds}, people/<id>/cure."""
    blueprint = Blueprint("steering", __name__, url_prefix="/_control")

    @blueprint.route("/shapes", methods=["GET", "POST"])
    def shapes() -> Response:
        for name, value in (request.get_json(silent=True) or {}).items():
            setattr(fake.shapes, name, value)
        return jsonify(fake.shapes)

    @blueprint.post("/keys")
    def add_key() -> tuple[Response, int]:
        key = Key(**request.get_json())
        fake.keys.put(key)
        return jsonify(key), 201

    @blueprint.post("/keys/<value>/block")
    def block(value: str) -> Response:
        seconds = (request.get_json(silent=True) or {}).get("seconds", BLOCK_SECONDS)
        until = fake.clock.now() + timedelta(seconds=seconds)
        fake.keys.block(value, until)
        return jsonify(until=iso(until))

    @blueprint.post("/people/<person>/cure")
    def cure(person: str) -> tuple[Response, int]:
        if person not in PEOPLE:
            return jsonify(error="nobody of that id"), 404
        fake.cure(PEOPLE[person])
        return jsonify(cured=person), 200

    return blueprint
