"""The desk's HubSpot side: the real card in the browser, and the server that signs its calls.

The bundle is made from hubspot/ with Node.js; without Node.js the desk says so and works on for Intercom.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Blueprint, Response, abort, jsonify, request, send_from_directory

from canvas.sandbox import hubspot_people as people
from canvas.sandbox.hubspot_caller import HubSpotCaller
from canvas.sandbox.hubspot_control import timeline
from canvas.sandbox.hubspot_state import HubSpotState
from canvas.sandbox.people import BY_ID

PROJECT = Path(__file__).parent.parent.parent / "hubspot"
BUNDLE = PROJECT / "dist"
SOURCES = ("src", "desk", "desk.mjs", "package-lock.json")
PATIENCE_SECONDS = 300


def bundle() -> str | None:
    """Make the bundle unless it is there and fresh; one sentence when that is not possible."""
    made = BUNDLE / "worker.js"
    if made.exists() and made.stat().st_mtime > _newest():
        return None
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return "The HubSpot card needs Node.js and npm to be drawn here. Install them and start again."
    steps = [] if _installed() else [[npm, "ci", "--prefer-offline", "--no-audit", "--no-fund"]]
    for step in [*steps, [node, "desk.mjs"]]:
        done = subprocess.run(  # noqa: S603 - fixed words, in our own folder
            step, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        if done.returncode:
            return f"The HubSpot card could not be built: {done.stderr.strip()[-300:]}"
    return None


class Bundle:
    """The bundle, made when somebody first looks at the HubSpot tab."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def trouble(self) -> str | None:
        """Make it when it is not fresh; one sentence when that is not possible."""
        with self._lock:
            return bundle()


def _installed() -> bool:
    lock, done = PROJECT / "package-lock.json", PROJECT / "node_modules" / ".package-lock.json"
    return done.exists() and done.stat().st_mtime >= lock.stat().st_mtime


def _newest() -> float:
    files = [file for name in SOURCES for file in [PROJECT / name, *(PROJECT / name).rglob("*")]]
    return max(file.stat().st_mtime for file in files if file.is_file())


def routes(hubspot: HubSpotState, caller: HubSpotCaller, made: Bundle) -> Blueprint:
    """The desk's API under /api/hubspot."""
    blueprint = Blueprint("hubspot", __name__, url_prefix="/api/hubspot")
    blueprint.register_blueprint(card(caller, made))
    blueprint.register_blueprint(portal(hubspot))
    return blueprint


def card(caller: HubSpotCaller, made: Bundle) -> Blueprint:
    """What the real card needs of the place it is drawn in."""
    blueprint = Blueprint("card", __name__)

    @blueprint.get("/record/<identifier>")
    def record(identifier: str) -> Response:
        """Which record is on the screen, in the words of a card's context."""
        if identifier not in BY_ID:
            abort(404)
        number = int(people.contact_id(BY_ID[identifier]))
        return jsonify(
            trouble=made.trouble(),
            record={
                "objectId": number,
                "portalId": caller.portal,
                "userId": caller.user,
                "timezone": people.TIMEZONE,
            },
        )

    @blueprint.get("/bundle/<name>")
    def script(name: str) -> Response:
        return send_from_directory(BUNDLE, name)

    @blueprint.post("/fetch")
    def fetch() -> Response:
        """What HubSpot's servers do with a card's `hubspot.fetch`."""
        wish: dict[str, Any] = request.get_json()
        parts = urlsplit(wish["url"])
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return jsonify(exchange(caller, wish["method"], target, wish.get("body")))

    return blueprint


def portal(hubspot: HubSpotState) -> Blueprint:
    """What HubSpot itself shows around the card."""
    blueprint = Blueprint("portal", __name__)

    @blueprint.get("/contacts/<contact>")
    def contact(contact: str) -> Response:
        found = hubspot.find("contacts", contact)["properties"]
        return jsonify({name: found.get(name) or "" for name in found})

    @blueprint.get("/timeline/<contact>")
    def entries(contact: str) -> Response:
        return jsonify(timeline(hubspot, contact))

    return blueprint


def exchange(caller: HubSpotCaller, method: str, target: str, body: Any) -> dict[str, Any]:
    """Make the call and tell both sides of it. Never raises for what the app answers."""
    began = time.perf_counter()
    shown = {"url": f"{caller.public_url}{target}", "headers": {"X-HubSpot-Signature-v3": "…"}, "body": body}
    try:
        answer = caller.fetch(method, target, body)
    except requests.RequestException as error:
        return {"request": shown, "response": None, "error": str(error), "ms": _since(began)}
    sent = answer.request
    told = {
        "url": sent.url,
        "headers": dict(sent.headers),
        "body": sent.body.decode() if isinstance(sent.body, bytes) else "{}",
    }
    response = {"status": answer.status_code, "body": answer.text}
    return {"request": told, "response": response, "error": None, "ms": _since(began)}


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
