"""Where everything is joined: configuration in, the queue, the flows' surroundings and the web app out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from huey import Huey, PostgresHuey, SqliteHuey, crontab
from sqlalchemy.engine import make_url
from werkzeug.exceptions import HTTPException

from canvas import config as configuration
from canvas.clients.http import Http
from canvas.clients.hubspot import HubSpot
from canvas.clients.intercom import Intercom
from canvas.clients.links import Links
from canvas.clients.octopods import Octopods
from canvas.config import Config
from canvas.flows import carry_out, come_in, repeats
from canvas.flows.context import Flow, HubSpotApp, utc_now
from canvas.flows.fix import Tokens
from canvas.flows.message_links import MessageLinks
from canvas.knowledge import catalogue
from canvas.store.database import PATIENCE, open_engine
from canvas.store.sealing import Sealer
from canvas.surfaces import api, gateway, hubspot, hubspot_calls, intercom, operate, reasons
from canvas.surfaces.services import Services

log = structlog.get_logger()
MAX_BODY = 1024 * 1024
ROOT = Path(__file__).parent.parent
BLUEPRINTS = (
    intercom.blueprint,
    hubspot.blueprint,
    hubspot_calls.blueprint,
    gateway.blueprint,
    api.blueprint,
    reasons.blueprint,
    operate.blueprint,
)
Wake = Callable[[str, datetime], None]


def open_queue(config: Config) -> Huey:
    """Huey beside the tables: a SQLite file next to the database, or the same PostgreSQL."""
    url = make_url(config["DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "redeliver.db")
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("redeliver", filename=str(path.with_suffix(".queue.db")), results=False, utc=True)
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresHuey("redeliver", dsn=dsn, results=False, utc=True)


def teach_queue(huey: Huey, flow_of: Callable[[], Flow]) -> Wake:
    """Register what the worker does, and give the way to wake it. A wake-up that is lost is found by the sweep."""

    @huey.task(name="carry_out")
    def carry_out_task(action_id: str) -> None:
        carry_out.carry_out(flow_of(), action_id)

    @huey.periodic_task(crontab(minute="*"), name="sweep")
    def sweep_task() -> None:
        come_in.abandoned(flow_of())
        repeats.forget_old(flow_of())
        carry_out.sweep(flow_of())

    def wake(action_id: str, due_at: datetime) -> None:
        try:
            # Aware on purpose: Huey cuts a naive time to the second, and a wake-up before its time is lost.
            carry_out_task.schedule(args=(action_id,), eta=due_at)
        except Exception:
            # The action row is committed and due: the sweep carries it out within a minute.
            log.exception("wake.failed", action=action_id)

    return wake


def build_flow(
    config: Config, wake: Wake, clock: Callable[[], datetime] = utc_now, patience: float = PATIENCE
) -> Flow:
    """The surroundings of every flow. A screen has little `patience` (seconds) with a locked database."""
    http = Http(connect=config["CONNECT_TIMEOUT"])
    return Flow(
        engine=open_engine(config["DATABASE_URL"], patience),
        catalogue=catalogue.load(),
        sealer=Sealer(config["ENCRYPTION_KEYS"], config["SECRET_KEY"]),
        octopods=Octopods(http, config["OCTOPODS_URL"], clock=clock, send_seconds=config["READ_TIMEOUT"]),
        intercom=Intercom(http, config["INTERCOM_URL"] or None, clock=clock),
        hubspot=HubSpot(http, config["HUBSPOT_URL"], clock=clock),
        links=Links(allow_private=config["ALLOW_PRIVATE_LINKS"]),
        message_links=MessageLinks(config["SECRET_KEY"], config["PUBLIC_URL"]),
        wake=wake,
        clock=clock,
        poll_steps=config["POLL_SCHEDULE"],
        poll_spacing=timedelta(seconds=config["POLL_SPACING"]),
        settings_url=config["OCTOPODS_SETTINGS_URL"],
        default_region=config["DEFAULT_REGION"],
        hubspot_app=HubSpotApp(
            config["HUBSPOT_CLIENT_ID"], config["HUBSPOT_CLIENT_SECRET"].split(",")[0].strip()
        ),
    )


def create_app(config: Config | None = None, flow: Flow | None = None) -> Flask:
    """The web app. Tests give their own flow; otherwise it is built from the configuration.

    Raises BadSetting when the configuration is not fit to run.
    """
    config = config or configuration.load()
    set_up_logging(config["LOG_LEVEL"])
    app = Flask(__name__, root_path=str(ROOT))
    app.config.update(
        {setting.name: config[setting.name] for setting in configuration.SETTINGS},
        MAX_CONTENT_LENGTH=MAX_BODY,
    )
    if flow is None:
        flow = _own_flow(config)
    app.extensions["redeliver"] = Services(flow, Tokens(config["SECRET_KEY"]))
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _number_requests(app)
    app.register_error_handler(Exception, _last_resort)
    return app


def _own_flow(config: Config) -> Flow:
    flow: Flow | None = None

    def flow_of() -> Flow:
        assert flow is not None
        return flow

    flow = build_flow(config, teach_queue(open_queue(config), flow_of))
    return flow


def _number_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.request_id = uuid4().hex[:12]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response


def _last_resort(error: Exception) -> Any:
    """Nothing unexpected shows its insides: a number to ask about, and the rest in the log."""
    if isinstance(error, HTTPException):
        return error
    log.exception("request.broke", path=request.path)
    words = f"Something went wrong here. Quote request {g.get('request_id', '?')} when you ask about it.\n"
    return Response(words, status=500, mimetype="text/plain")


def set_up_logging(level: str) -> None:
    """One JSON object a line on stdout. Never a body, a key or a token."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
