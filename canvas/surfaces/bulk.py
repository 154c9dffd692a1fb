"""Fixing many messages at once: choose, see the dry run, start, watch, stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from canvas.domain import phones
from canvas.domain.dates import when
from canvas.domain.message import ARRIVED, Actor, Status
from canvas.domain.wording import LABELS
from canvas.flows import bulk as flow_bulk
from canvas.flows.bulk import CHOICES, MOST, NotNow
from canvas.flows.context import Flow
from canvas.store import bulk
from canvas.store.bulk import Item, Job
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces import history_filter
from canvas.surfaces.history_filter import BadFilter
from canvas.surfaces.services import services
from canvas.surfaces.sessions import NO_BULK, may_bulk, me, my_rights, problem, signed_in

blueprint = Blueprint("bulk", __name__, url_prefix="/history/bulk")
WATCH_SECONDS = 5
SHOWN = 100
LABEL_OF = {
    bulk.WAITING: ("Waiting", "info"),
    bulk.TRYING: ("Being done", "info"),
    bulk.SENT: ("Done", "success"),
    bulk.SKIPPED: ("Skipped", "default"),
    bulk.FAILED: ("Gave up", "danger"),
}
LEFT_OUT = (bulk.SKIPPED, bulk.FAILED)
STATES = {bulk.DRAFT: "Not started", bulk.RUNNING: "Running", bulk.STOPPED: "Stopped", bulk.DONE: "Done"}


def _unknown() -> tuple[str, int]:
    words = "It may have been removed, or the link is not complete."
    return problem("There is no such job here", words, 404, ("All messages", "/history"))


@blueprint.get("")
@signed_in
def choose() -> str:
    """What is to be done with the messages of this filter."""
    values = history_filter.given(request.args)
    with reading(services().flow.engine) as conn:
        jobs = bulk.newest(conn, me().install.id)
    past = [
        (job.id, when(job.created_at, me().install.tz), CHOICES[job.choice], STATES[job.state])
        for job in jobs
    ]
    return render_template(
        "history/bulk.html",
        values=values,
        query=urlencode(values),
        choices=list(CHOICES.items()),
        past=past,
        refusal=_refusal(),
    )


def _refusal() -> str | None:
    """Why whoever is signed in may not fix many messages, or None when they may."""
    mine = my_rights()
    return None if mine.may_bulk else mine.sentence or NO_BULK


@blueprint.post("")
@may_bulk
def draft() -> Response | tuple[str, int]:
    """Make the dry run. Nothing is sent."""
    flow, install = services().flow, me().install
    choice = request.form.get("choice", "")
    try:
        asked = history_filter.read(request.form, flow.catalogue, install.tz)
        if choice not in CHOICES:
            raise BadFilter("Choose what is to be done.")
    except BadFilter as error:
        return problem("This cannot be done", str(error), 400, ("Back to the history", "/history"))
    job_id, more = flow_bulk.draft(flow, install, asked.filter, asked.values, choice, me().actor)
    return redirect(f"/history/bulk/{job_id}{'?more=yes' if more else ''}", 303)


@blueprint.get("/<job_id>")
@signed_in
def job(job_id: str) -> Response | tuple[str, int]:
    """The dry run, the progress, or the result of a job."""
    return _shown(job_id)


def _shown(job_id: str, wrong: str | None = None) -> Response | tuple[str, int]:
    with reading(services().flow.engine) as conn:
        found = bulk.get(conn, me().install.id, job_id)
        if found is None:
            return _unknown()
        counts = bulk.counts(conn, job_id)
        outcomes = bulk.outcomes(conn, job_id)
        items = bulk.items(conn, job_id, request.args.get("after", ""), SHOWN + 1)
        known = bulk.numbers_and_reasons(conn, me().install.id, [item.message_id for item in items])
    page = render_template(
        "history/job.html",
        job=found,
        state=STATES[found.state],
        what=CHOICES[found.choice],
        by=found.actor.name,
        began=when(found.started_at or found.created_at, me().install.tz),
        **_sums(counts, outcomes),
        items=[_line(item, *known.get(item.message_id, ("", None))) for item in items[:SHOWN]],
        after=items[SHOWN - 1].message_id if len(items) > SHOWN else None,
        more=MOST if request.args.get("more") else None,
        watching=bool(request.args.get("watch")) and found.state == bulk.RUNNING,
        wrong=wrong,
        refusal=_refusal(),
        back=f"/history?{urlencode(found.filter)}",
    )
    return _refreshing(page, found)


def _line(item: Item, number: str, reason_id: str | None) -> dict[str, Any]:
    """One message of the job in words; a message that was erased is left with its id."""
    reason = services().flow.catalogue.reasons.get(reason_id or "")
    label, variant = LABEL_OF[item.state]
    return {
        "item": item,
        "to": phones.pretty(number) if number else item.message_id,
        "reason": reason.title if reason else "",
        "label": label,
        "variant": variant,
    }


def _sums(counts: list[tuple[str, str | None, str | None, int]], outcomes: dict[str, int]) -> dict[str, Any]:
    total = sum(many for *_, many in counts)
    waiting = sum(many for state, _, _, many in counts if state in bulk.OPEN)
    by_fix: Counter[str] = Counter()
    for state, fix_id, _, many in counts:
        if state in bulk.OPEN:
            by_fix[FIX_WORDS.get(fix_id or "", fix_id or "")] += many
    return {
        "total": total,
        "waiting": waiting,
        "sent": sum(many for state, _, _, many in counts if state == bulk.SENT),
        "by_fix": by_fix.most_common(),
        "skipped": [(why, many) for state, _, why, many in counts if state in LEFT_OUT],
        "arrived": sum(many for status, many in outcomes.items() if Status(status) in ARRIVED),
        "outcomes": [(LABELS[Status(status)][0], many) for status, many in sorted(outcomes.items())],
    }


FIX_WORDS = {
    "retry_now": "Sent again, unchanged",
    "retry_later": "Sent again, unchanged, once it may be",
    "reformat_phone": "Sent to the same number, written right",
    "send_other_channel": "Sent on another channel",
    "mark_handled": "Marked as handled",
}


def _refreshing(page: str, found: Job) -> Response:
    """With `watch`, and only while it runs, the page loads itself again: chosen by a link, undone by a link."""
    response = make_response(page)
    if request.args.get("watch") and found.state == bulk.RUNNING:
        response.headers["Refresh"] = str(WATCH_SECONDS)
    return response


@blueprint.post("/<job_id>/start")
@may_bulk
def start(job_id: str) -> Response | tuple[str, int]:
    """Let the worker begin with what the dry run showed."""
    return _changed(flow_bulk.start, job_id)


@blueprint.post("/<job_id>/stop")
@may_bulk
def stop(job_id: str) -> Response | tuple[str, int]:
    """Take no further message."""
    return _changed(flow_bulk.stop, job_id)


def _changed(deed: Callable[[Flow, Install, str, Actor], None], job_id: str) -> Response | tuple[str, int]:
    with reading(services().flow.engine) as conn:
        if bulk.get(conn, me().install.id, job_id) is None:
            return _unknown()
    try:
        deed(services().flow, me().install, job_id, me().actor)
    except NotNow as error:
        return _shown(job_id, str(error))
    return redirect(f"/history/bulk/{job_id}", 303)
