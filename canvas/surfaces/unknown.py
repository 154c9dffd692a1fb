"""Failure texts that nobody knows yet: an admin names them for this workspace, and may give them to everybody."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, redirect, render_template, request

from canvas.domain.dates import when
from canvas.flows import diagnosing
from canvas.flows.diagnosing import NoSuch
from canvas.knowledge.model import UNKNOWN
from canvas.surfaces.services import services
from canvas.surfaces.sessions import admin_only, me, problem

blueprint = Blueprint("unknown", __name__, url_prefix="/settings/unknown")


@blueprint.get("")
@admin_only
def index() -> Any:
    """The texts, the most frequent first."""
    flow, install = services().flow, me().install
    reasons = sorted(flow.catalogue.reasons.values(), key=lambda r: r.title)
    choices = [(UNKNOWN, "Not known yet"), *((r.id, r.title) for r in reasons if r.id != UNKNOWN)]
    found = diagnosing.listed(flow, install.id)
    return render_template(
        "insights/unknown.html",
        texts=[(text, when(text.last_at, install.tz)) for text in found],
        choices=choices,
        notice=_notice(request.args.get("changed", "")),
        named=any(text.reason for text in found),
    )


def _notice(changed: str) -> tuple[str, str] | None:
    """What naming a text has just done."""
    if not changed.isdigit():
        return None
    read = "1 message was" if changed == "1" else f"{changed} messages were"
    return "success", f"Saved. {read} read again."


@blueprint.post("")
@admin_only
def name() -> Any:
    """Say what a text means; its messages are read again with that."""
    key, reason = request.form.get("shape", ""), request.form.get("reason", "")
    try:
        changed = diagnosing.name(services().flow, me().install.id, key, reason)
    except NoSuch as error:
        return problem("This could not be saved", str(error), 404, ("Back to the texts", "/settings/unknown"))
    return redirect(f"/settings/unknown?changed={changed}", 303)


@blueprint.get("/contribution.jsonl")
@admin_only
def contribution() -> Response:
    """What was named here, one JSON object a line, ready for the catalogue. Numbers and names are not in it."""
    rows = diagnosing.contribution(services().flow, me().install.id)
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    headers = {"Content-Disposition": 'attachment; filename="reasons-contribution.jsonl"'}
    return Response(lines, mimetype="application/x-ndjson", headers=headers)
