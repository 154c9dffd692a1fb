"""The audit trail as a page and as a file, for the admins of its workspace. There is no way to change it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import Engine

from canvas.domain.dates import when
from canvas.domain.trail import changes, deed_words
from canvas.store import audit
from canvas.store.audit import Entry
from canvas.store.database import reading
from canvas.surfaces.history_view import harmless
from canvas.surfaces.services import services
from canvas.surfaces.sessions import admin_only, me

blueprint = Blueprint("audit_trail", __name__, url_prefix="/settings")
PAGE = 50
COLUMNS = ("at", "actor_kind", "actor_id", "actor_name", "deed", "about", "before", "after", "result")


@blueprint.get("/audit")
@admin_only
def page() -> str:
    """The newest lines; `before` is the number of the last line of the page before."""
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
    with reading(services().flow.engine) as conn:
        lines = audit.newest(conn, me().install.id, PAGE + 1, before)
    older = f"/settings/audit?before={lines[PAGE - 1].id}" if len(lines) > PAGE else None
    return render_template(
        "audit.html",
        lines=lines[:PAGE],
        older=older,
        newer="/settings/audit" if before else None,
        when=lambda moment: when(moment, me().install.tz),
        words=deed_words,
        changes=changes,
    )


@blueprint.get("/audit.csv")
@admin_only
def download() -> Response:
    """Every line, oldest first."""
    headers = {"Content-Disposition": 'attachment; filename="redeliver-audit.csv"'}
    return Response(_written(services().flow.engine, me().install.id), mimetype="text/csv", headers=headers)


def _written(engine: Engine, install_id: int) -> Iterator[str]:
    yield _row(COLUMNS)
    with reading(engine) as conn:
        for entry in audit.everything(conn, install_id):
            yield _row([_cell(entry, name) for name in COLUMNS])


def _cell(entry: Entry, name: str) -> str:
    value = getattr(entry, name)
    if name == "at":
        return str(value.isoformat())
    return harmless(_json(value) if name in ("before", "after") else value or "")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _row(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
