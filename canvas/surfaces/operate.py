"""What operators ask: are we up, are we ready."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from canvas.store.database import reading
from canvas.store.migrate import at_head
from canvas.surfaces.guard import open_to_all
from canvas.surfaces.services import services

blueprint = Blueprint("operate", __name__)


@blueprint.get("/healthz")
@open_to_all
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@open_to_all
def readyz() -> Response:
    """The database answers and its tables are those this code knows."""
    try:
        with reading(services().flow.engine) as conn:
            ready = at_head(conn)
    except SQLAlchemyError:
        return Response("the database does not answer\n", status=503, mimetype="text/plain")
    words = "ok\n" if ready else "the database is not at this version; run: flask --app app db upgrade\n"
    return Response(words, status=200 if ready else 503, mimetype="text/plain")
