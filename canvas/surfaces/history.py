"""The history: every message of the install, found and filtered, each with its page and its fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context
from sqlalchemy import Connection

from canvas.domain.dates import when
from canvas.domain.message import Message
from canvas.flows import discovery
from canvas.flows.chores import template_from
from canvas.flows.context import Flow
from canvas.store import history, templates
from canvas.store.database import reading
from canvas.store.history import Filter
from canvas.surfaces import history_filter, history_view
from canvas.surfaces.history_filter import Asked, BadFilter
from canvas.surfaces.message_page import Buttons, Shown, press, show
from canvas.surfaces.services import services
from canvas.surfaces.sessions import me, problem, signed_in

blueprint = Blueprint("history", __name__)
GAPS = 2  # of them are told


@blueprint.get("/history")
@signed_in
def index() -> str | tuple[str, int]:
    """One page of the list; a filter that makes no sense is answered with the form and one sentence."""
    flow, install = services().flow, me().install
    try:
        asked = history_filter.read(request.args, flow.catalogue, install.tz)
    except BadFilter as error:
        return _page(Asked(Filter(), history_filter.given(request.args)), history.Page(()), str(error)), 400
    with reading(flow.engine) as conn:
        found = history.page(conn, install.id, asked.filter, before=asked.before, after=asked.after)
    return _page(asked, found)


def _page(asked: Asked, found: history.Page, wrong: str | None = None) -> str:
    flow, install = services().flow, me().install
    with reading(flow.engine) as conn:
        names = template_names(conn, install.id)
        used = [(id_, names.get(id_, id_)) for id_ in history.templates_used(conn, install.id)]
        choices = history_view.choices(flow.catalogue, used, history.senders(conn, install.id))
    looked = found.looked_back_to
    # What Octopods' list cannot show any more is missing from every page alike: said where a person begins.
    known = () if asked.narrowed or asked.before else discovery.gaps_of(flow, install.id)[:GAPS]
    gaps = [discovery.gap_words(gap, install.tz) for gap in known]
    return render_template(
        "history/index.html",
        entries=[history_view.line(entry, flow.catalogue, install.tz) for entry in found.entries],
        caption=_caption(asked, len(found.entries)),
        values=asked.values,
        narrowed=asked.narrowed,
        says_words=asked.says_words,
        unfolded=bool(set(asked.values) - {"q", "state", "channel"}),
        choices=choices,
        query=asked.query(),
        wrong=wrong,
        gaps=gaps,
        looked_back_to=when(looked, install.tz) if looked else None,
        older=f"/history?{asked.query(before=found.older)}" if found.older else None,
        newer=f"/history?{asked.query(after=found.newer)}" if found.newer else None,
    )


def _caption(asked: Asked, count: int) -> str:
    shown = "1 message" if count == 1 else f"{count} messages"
    fits = " that fit the filter" if asked.narrowed else ""
    return f"{shown}{fits}, newest first"


def template_names(conn: Connection, install_id: int) -> dict[str, str]:
    """The names of the templates known here, by id."""
    known = (template_from(data) for _, data, _ in templates.of_install(conn, install_id))
    return {t.id: t.name or f"Template {t.id}" for t in known}


@blueprint.get("/history.csv")
@signed_in
def download() -> Response | tuple[str, int]:
    """All messages of a filter as CSV, written while they are read."""
    flow, install = services().flow, me().install
    try:
        asked = history_filter.read(request.args, flow.catalogue, install.tz)
    except BadFilter as error:
        return problem("This filter makes no sense", str(error), 400, ("Back to the history", "/history"))
    lines = history_view.csv_lines(
        _batches(flow, install.id, asked.filter), masked=bool(request.args.get("mask"))
    )
    name = f"messages-{flow.clock():%Y-%m-%d}.csv"
    return Response(
        stream_with_context(lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _batches(flow: Flow, install_id: int, f: Filter) -> Iterator[list[Message]]:
    """The messages in short reads, so that a slow download holds no transaction open."""
    before = None
    while True:
        with reading(flow.engine) as conn:
            batch = history.walk(conn, install_id, f, before)
        yield batch
        if len(batch) < history.BATCH:
            return
        before = batch[-1].id


@blueprint.get("/history/<message_id>")
@signed_in
def message(message_id: str) -> str | tuple[str, int]:
    """One message: what happened, what can be done, what was tried."""
    return _message(show(services().flow, me().install, message_id, me().actor))


@blueprint.post("/history/<message_id>/fix")
@signed_in
def fix(message_id: str) -> Any:
    """One press of a button on that page. Pressed twice, it shows the first receipt."""
    pressed = press(services().flow, services().tokens, me().install, message_id, request.form, me().actor)
    if pressed and pressed.is_new(message_id):
        # The new message has a page of its own, which may be loaded again without pressing anything.
        return redirect(f"/history/{pressed.story.message.id}", 303)
    return _message(pressed)


def _message(shown: Shown | None) -> str | tuple[str, int]:
    if shown is None:
        words = "It may have been removed, or the link is not complete."
        return problem("There is no such message here", words, 404, ("All messages", "/history"))
    found, install = shown.story.message, me().install
    with reading(services().flow.engine) as conn:
        template = template_names(conn, install.id).get(found.content.template_id or "")
    return render_template(
        "history/detail.html",
        shown=shown,
        buttons=Buttons(services().tokens, found),
        facts=history_view.facts(found, install.tz, template),
    )
