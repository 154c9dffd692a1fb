"""The control API every fake vendor offers under /_control: journal, faults, time, reset."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from canvas.sandbox.clock import SandboxClock, iso
from canvas.sandbox.faults import FaultBoard, parse
from canvas.sandbox.journal import Journal


def control(journal: Journal, board: FaultBoard, clock: SandboxClock, reset: Callable[[], None]) -> Blueprint:
    """Routes: GET log?after=N, GET/POST/DELETE faults, POST advance {seconds}, POST reset."""
    blueprint = Blueprint("control", __name__, url_prefix="/_control")

    @blueprint.get("/log")
    def log() -> Response:
        return jsonify(journal.entries(after=request.args.get("after", 0, int)))

    @blueprint.get("/faults")
    def faults() -> Response:
        return jsonify(board.waiting())

    @blueprint.post("/faults")
    def add_fault() -> tuple[Response, int]:
        try:
            fault = parse(request.get_json())
        except ValueError as error:
            return jsonify(error=str(error)), 400
        board.add(fault)
        return jsonify(board.waiting()), 201

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        board.clear()
        return jsonify([])

    @blueprint.post("/advance")
    def advance() -> Response:
        return jsonify(now=iso(clock.advance(float(request.get_json()["seconds"]))))

    @blueprint.post("/reset")
    def start_over() -> Response:
        journal.clear()
        board.clear()
        clock.reset()
        reset()
        return jsonify(now=iso(clock.now()))

    return blueprint
