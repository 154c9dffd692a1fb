"""A fake of HubSpot's REST API, as far as a companion app calls it, over real HTTP.

HubSpot developer documentation: "CRM API | Contacts", "Communications", "Notes", "Search", "OAuth tokens",
"App events", "Complete a callback" and "Error handling". State is in memory; `/_control` steers it: beside
what every fake offers, POST token {state}, POST merge, POST search_lag and GET timeline/<contact>.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, jsonify

from canvas.sandbox import hubspot_control, hubspot_crm, hubspot_oauth, hubspot_other
from canvas.sandbox.clock import SandboxClock
from canvas.sandbox.control import control
from canvas.sandbox.faults import Fault
from canvas.sandbox.front import Front
from canvas.sandbox.hubspot_errors import HubSpotRefusal, error, not_found, rate_limit
from canvas.sandbox.hubspot_state import HubSpotState
from canvas.sandbox.journal import Entry

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PARTS = (hubspot_oauth, hubspot_crm, hubspot_other, hubspot_control)


class FakeHubSpot(HubSpotState):
    """The state of one fake portal, and its WSGI application `app`."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        super().__init__(clock)
        self.app: WSGIApplication = Front(self._flask(), self.journal, self.board, self.clock, refuse)

    def _flask(self) -> Flask:
        flask = Flask(__name__, static_folder=None)
        for part in PARTS:
            flask.register_blueprint(part.routes(self))
        flask.register_blueprint(control(self.journal, self.board, self.clock, self.reset))
        flask.register_error_handler(HubSpotRefusal, lambda e: (jsonify(e.body), e.status))
        flask.register_error_handler(404, lambda e: (jsonify(not_found().body), 404))
        return flask


def refuse(fault: Fault, entry: Entry, key: str) -> Response:
    """HubSpot's own words for a fault played at the door."""
    if fault.kind == "rate_limited":
        return _answer(429, rate_limit(entry.path, fault.seconds))
    return _answer(502 if fault.kind == "down" else 200, error("INTERNAL_ERROR", "internal error"))


def _answer(status: int, body: Any) -> Response:
    return Response(orjson.dumps(body), status=status, content_type="application/json")
