"""The insights: what fails and why, what the fixes achieve, and which problems hit many people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request

from canvas.domain.dates import when
from canvas.domain.fix import CHANNEL_NAMES
from canvas.flows import incidents as watching
from canvas.flows.insights import today
from canvas.store import incidents, insights
from canvas.store.database import reading
from canvas.store.incidents import Incident
from canvas.store.installs import Install
from canvas.surfaces import insights_view as view
from canvas.surfaces.history import template_names
from canvas.surfaces.services import services
from canvas.surfaces.sessions import admin_only, me, problem, signed_in

blueprint = Blueprint("insights", __name__, url_prefix="/insights")
SPANS = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days"}
USUAL = "30"
MOST_TEMPLATES = 30  # a workspace may have thousands; of reasons there are few, so all are shown


@blueprint.get("")
@signed_in
def index() -> Any:
    """Everything that was counted in the last days."""
    span = request.args.get("days") or USUAL
    if span not in SPANS:
        words = f"There is no span of “{span[:40]}” days. Choose one of the list."
        return problem("This cannot be shown", words, 400, ("Back to the insights", "/insights"))
    flow, install = services().flow, me().install
    last = today(flow.clock(), install.tz)
    first = last - timedelta(days=int(span) - 1)
    window = (first.isoformat(), last.isoformat())
    reasons = flow.catalogue.reasons
    with reading(flow.engine) as conn:
        by_day = insights.sums(conn, install.id, "day", *window)
        by = {n: insights.sums(conn, install.id, n, *window) for n in ("reason", "channel", "template_id")}
        fixes = view.add_up(insights.sums(conn, install.id, "channel", *window, fixes=True))
        fix_results = insights.fix_results(conn, install.id, window[0])
        found = incidents.newest(conn, install.id)
        names = template_names(conn, install.id)
    day_rows = view.days(first, last, by_day)
    titles = {r.id: r.title for r in reasons.values()}
    templates = view.rows([s for s in by["template_id"] if s.label], names, nothing="")
    return render_template(
        "insights/index.html",
        spans=list(SPANS.items()),
        span=span,
        window=window,
        total=view.add_up(by_day),
        fixes=fixes,
        percent=view.percent,
        chart=view.rate_chart(day_rows),
        days=[
            (view.day_name(d), total, failed, view.percent(failed, total)) for d, total, failed in day_rows
        ],
        by_reason=view.rows([s for s in by["reason"] if s.label], titles, nothing=""),
        by_channel=view.rows(by["channel"], CHANNEL_NAMES, nothing=""),
        by_template=templates[:MOST_TEMPLATES],
        more_templates=len(templates[MOST_TEMPLATES:]),
        fix_rows=view.fix_rows(fix_results, reasons),
        incidents=[_incident(i, install) for i in found],
    )


def _incident(incident: Incident, install: Install) -> dict[str, Any]:
    reason = services().flow.catalogue.reasons.get(incident.cause.reason)
    title, text = watching.words(incident, reason) if reason else (incident.cause.reason, "")
    solved = incident.solved_at
    return {
        "id": incident.id,
        "reason": incident.cause.reason,
        "title": title,
        "text": text,
        "since": when(incident.started_at, install.tz),
        "last": when(incident.last_at, install.tz),
        "solved": when(solved, install.tz) if solved else None,
    }


@blueprint.post("/incidents/<incident_id>/close")
@admin_only
def close(incident_id: str) -> Any:
    """Say that an incident is over, where no later message can show it, such as for a template never used again."""
    watching.close(services().flow, me().install, incident_id)
    return redirect("/insights", 303)
