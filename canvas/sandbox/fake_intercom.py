"""A fake of the Intercom REST API 2.15, as far as a companion app calls it, over real HTTP.

Intercom developer documentation: "Update a contact", "Search contacts", "Reply to a conversation",
"Setting up OAuth", "Error codes" and "Rate limiting". State is in memory; `/_control` steers it (control.py).
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Flask, Response, jsonify, request

from canvas.sandbox import intercom_people as people
from canvas.sandbox.clock import SandboxClock
from canvas.sandbox.control import control
from canvas.sandbox.faults import Fault, FaultBoard
from canvas.sandbox.front import ENTRY, Front
from canvas.sandbox.intercom_oauth import TEAM, TOKENS, routes
from canvas.sandbox.intercom_search import matches
from canvas.sandbox.journal import Entry, Journal
from canvas.sandbox.people import PEOPLE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

VERSIONS = {"2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "Preview"}
WINDOW_SECONDS = 10
CALLS_A_WINDOW = 1666
EDITABLE = {"role", "external_id", "email", "phone", "name", "owner_id", "custom_attributes"}
OPEN_ROUTES = {"intercom.account.exchange"}
APP = {
    "type": "app",
    "id_code": people.WORKSPACE,
    "name": "Redeliver sandbox",
    "created_at": people.FIRST_TALK,
    "secure": True,
    "identity_verification": False,
    "timezone": people.TIMEZONE,
    "region": people.REGION,
}


class IntercomRefusal(Exception):
    """One error of Intercom's error list."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeIntercom:
    """The state of one fake, and its WSGI application `app`."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.journal = Journal()
        self.board = FaultBoard()
        self.lock = threading.RLock()
        self.reset()
        self.app: WSGIApplication = Front(self._flask(), self.journal, self.board, self.clock, self.refuse)

    def _flask(self) -> Flask:
        flask = Flask(__name__, static_folder=None)
        flask.register_blueprint(api(self))
        flask.register_blueprint(routes())
        flask.register_blueprint(control(self.journal, self.board, self.clock, self.reset))
        flask.register_error_handler(
            IntercomRefusal, lambda e: (jsonify(error_list(e.code, e.message)), e.status)
        )
        return flask

    def reset(self) -> None:
        with self.lock:
            self.contacts = people.all_contacts()
            self.tokens = dict.fromkeys(TOKENS, people.WORKSPACE)
            self.tags: dict[str, dict[str, str]] = {}
            self.notes: list[dict[str, Any]] = []

    def refuse(self, fault: Fault, entry: Entry, key: str) -> Response:
        """Intercom's own words for a fault played at the door."""
        if fault.kind == "rate_limited":
            return _answer(429, error_list("rate_limit_exceeded", "Exceeded rate limit"), fault.seconds)
        status = 503 if fault.kind == "down" else 200
        return _answer(
            status, error_list("service_unavailable", "Sorry, the API service is temporarily unavailable")
        )

    def contact(self, identifier: str, missing: str = "User Not Found") -> dict[str, Any]:
        with self.lock:
            if identifier not in self.contacts:
                raise IntercomRefusal(404, "not_found", missing)
            return self.contacts[identifier]


def _answer(status: int, body: Any, reset_in: int = WINDOW_SECONDS) -> Response:
    response = Response(orjson.dumps(body), status=status, content_type="application/json")
    response.headers.update(rate_headers(0 if status == 429 else CALLS_A_WINDOW, reset_in))
    return response


def rate_headers(remaining: int, reset_in: int = WINDOW_SECONDS) -> dict[str, str]:
    reset = int(time.time()) + reset_in
    return {
        "X-RateLimit-Limit": str(CALLS_A_WINDOW),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }


def error_list(code: str, message: str) -> dict[str, Any]:
    errors = [{"code": code, "message": message, "field": None}]
    return {"type": "error.list", "request_id": str(uuid.uuid4()), "errors": errors}


def done(identifier: str | None = None) -> None:
    """Write down that the deed was done."""
    entry: Entry = request.environ[ENTRY]
    entry.accepted, entry.outcome, entry.id = True, "accepted", identifier


def api(fake: FakeIntercom) -> Blueprint:
    blueprint = Blueprint("intercom", __name__)

    @blueprint.before_request
    def known_caller() -> None:
        version = request.headers.get("Intercom-Version")
        if version and version not in VERSIONS:
            raise IntercomRefusal(400, "intercom_version_invalid", "The requested version could not be found")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.endpoint not in OPEN_ROUTES and token not in fake.tokens:
            raise IntercomRefusal(401, "unauthorized", "Access Token Invalid")

    @blueprint.after_request
    def count(response: Response) -> Response:
        response.headers.update(rate_headers(CALLS_A_WINDOW - 1))
        return response

    for part in (account, contacts, conversations, tags):
        blueprint.register_blueprint(part(fake))
    return blueprint


def account(fake: FakeIntercom) -> Blueprint:
    """Who calls, from which workspace, and how the app comes and goes there."""
    blueprint = Blueprint("account", __name__)

    @blueprint.get("/me")
    def me() -> Response:
        admin = TOKENS[request.headers["Authorization"].removeprefix("Bearer ")]
        return jsonify({**admin, "email_verified": True, "app": APP})

    @blueprint.post("/auth/eagle/token")
    def exchange() -> Response:
        given = request.form or request.get_json(silent=True) or {}
        if given.get("code") not in TEAM:
            raise IntercomRefusal(401, "unauthorized", "Unauthorized Code")
        token = TEAM[given["code"]][0]
        return jsonify({"token_type": "Bearer", "token": token, "access_token": token})

    @blueprint.post("/auth/uninstall")
    def uninstall() -> tuple[str, int]:
        with fake.lock:
            fake.tokens.pop(request.headers["Authorization"].removeprefix("Bearer "))
        done()
        return "", 200

    @blueprint.post("/app_install/status")
    def health() -> Response:
        done()
        return jsonify(request.get_json())

    return blueprint


def contacts(fake: FakeIntercom) -> Blueprint:
    blueprint = Blueprint("contacts", __name__)

    @blueprint.get("/contacts/<identifier>")
    def read(identifier: str) -> Response:
        return jsonify(fake.contact(identifier))

    @blueprint.put("/contacts/<identifier>")
    def update(identifier: str) -> Response:
        contact = fake.contact(identifier, "Contact Not Found")
        changes = {name: value for name, value in request.get_json().items() if name in EDITABLE}
        with fake.lock:
            refuse_a_twin(fake, identifier, changes)
            contact.update(changes)
        done(identifier)
        return jsonify(contact)

    @blueprint.post("/contacts/search")
    def search() -> Response:
        wish = request.get_json()
        with fake.lock:
            found = [contact for contact in fake.contacts.values() if matches(contact, wish["query"])]
        size = (wish.get("pagination") or {}).get("per_page") or 50
        pages = {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(found) // size)}
        return jsonify(type="list", data=found[:size], total_count=len(found), pages=pages)

    @blueprint.post("/contacts/<identifier>/notes")
    def note(identifier: str) -> Response:
        fake.contact(identifier)
        return jsonify(keep_note(fake, {"contact": identifier, "body": request.get_json()["body"]}))

    return blueprint


def refuse_a_twin(fake: FakeIntercom, identifier: str, changes: dict[str, Any]) -> None:
    """Two contacts may not share an email or an external id. Raises IntercomRefusal (409)."""
    for name in {"email", "external_id"} & changes.keys():
        for other in fake.contacts.values():
            if other["id"] != identifier and other[name] == changes[name]:
                message = f"A contact matching those details already exists with id={other['id']}"
                raise IntercomRefusal(409, "conflict", message)


def keep_note(fake: FakeIntercom, note: dict[str, Any]) -> dict[str, Any]:
    with fake.lock:
        kept = {"type": "note", "id": str(len(fake.notes) + 1), **note}
        fake.notes.append(kept)
    done(kept["id"])
    return kept


def parts_of(fake: FakeIntercom, conversation: str) -> dict[str, Any]:
    """What was added to a conversation here: the notes, as `display_as=plaintext` shows them."""
    with fake.lock:
        notes = [note for note in fake.notes if note.get("conversation") == conversation]
    parts = [
        {
            "type": "conversation_part",
            "id": note["id"],
            "part_type": note["message_type"],
            "body": re.sub(r"<[^>]*>", " ", note["body"]),
        }
        for note in notes
    ]
    return {
        "type": "conversation_part.list",
        "conversation_parts": parts,
        "total_count": len(parts),
    }


def conversation(identifier: str) -> dict[str, Any]:
    place = int(identifier) - int(people.conversation_id(PEOPLE[0])) if identifier.isdigit() else -1
    if not 0 <= place < len(PEOPLE):
        raise IntercomRefusal(404, "not_found", "Resource Not Found")
    return people.conversation(PEOPLE[place])


def conversations(fake: FakeIntercom) -> Blueprint:
    blueprint = Blueprint("conversations", __name__)

    @blueprint.get("/conversations/<identifier>")
    def read(identifier: str) -> Response:
        return jsonify({**conversation(identifier), "conversation_parts": parts_of(fake, identifier)})

    @blueprint.post("/conversations/<identifier>/reply")
    def reply(identifier: str) -> Response:
        found = conversation(identifier)
        wish = request.get_json()
        if missing := {"message_type", "type", "admin_id", "body"} - wish.keys():
            raise IntercomRefusal(400, "parameter_missing", f"{sorted(missing)[0]} is required")
        keep_note(fake, {"conversation": identifier, **wish})
        return jsonify(found)

    return blueprint


def tags(fake: FakeIntercom) -> Blueprint:
    blueprint = Blueprint("tags", __name__)

    @blueprint.post("/contacts/<identifier>/tags")
    def tag_contact(identifier: str) -> Response:
        contact = fake.contact(identifier)
        found = tag_of(fake, request.get_json().get("id"))
        with fake.lock:
            if found not in contact["tags"]["data"]:
                contact["tags"]["data"].append(found)
        done(found["id"])
        return jsonify(found)

    @blueprint.post("/conversations/<identifier>/tags")
    def tag_conversation(identifier: str) -> Response:
        conversation(identifier)
        found = tag_of(fake, request.get_json().get("id"))
        done(found["id"])
        return jsonify(found)

    @blueprint.post("/tags")
    def create() -> Response:
        name = request.get_json().get("name")
        if not name:
            raise IntercomRefusal(400, "parameter_invalid", "invalid tag parameters")
        with fake.lock:
            fresh = {"type": "tag", "id": str(len(fake.tags) + 1), "name": name}
            found = fake.tags.setdefault(name.lower(), fresh)
        done(found["id"])
        return jsonify(found)

    return blueprint


def tag_of(fake: FakeIntercom, identifier: Any) -> dict[str, str]:
    with fake.lock:
        found = next((tag for tag in fake.tags.values() if tag["id"] == identifier), None)
    if found is None:
        raise IntercomRefusal(404, "not_found", "Resource Not Found")
    return found
