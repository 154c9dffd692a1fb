"""Where everything is joined: configuration in, the queue, what the flows work with and the web app out."""

from __future__ import annotations

import logging
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import structlog
from flask import Flask, g, has_app_context
from huey import Huey, PostgresHuey, SqliteHuey, crontab
from sqlalchemy.engine import make_url
from structlog.typing import EventDict, Processor

from canvas import config as configuration
from canvas.clients.guard import Guarded
from canvas.clients.http import Http
from canvas.clients.hubspot import HubSpot
from canvas.clients.intercom import Intercom
from canvas.clients.links import Links
from canvas.clients.mail import Mail
from canvas.clients.octopods import Octopods
from canvas.clients.webhook import Webhook
from canvas.config import Config
from canvas.domain.masking import masked
from canvas.flows import carry_out, come_in, discovery, insights, repeats, retention
from canvas.flows.context import Flow, VendorApp, utc_now
from canvas.flows.counters import Counters
from canvas.flows.first_screens import FirstScreens
from canvas.flows.fix_tokens import Tokens
from canvas.flows.message_links import MessageLinks
from canvas.knowledge import catalogue
from canvas.store.database import PATIENCE, open_engine
from canvas.store.sealing import Sealer
from canvas.surfaces import (
    alerts,
    api,
    audit_trail,
    bulk,
    edges,
    gateway,
    history,
    hooks,
    hubspot,
    hubspot_calls,
    intercom,
    intercom_events,
    intercom_view,
    oauth,
    operate,
    pages,
    reasons,
    settings,
    unknown,
)
from canvas.surfaces import insights as insights_page
from canvas.surfaces.initialize_cache import InitializeCache
from canvas.surfaces.limits import Limits
from canvas.surfaces.services import Services

log = structlog.get_logger()
ROOT = Path(__file__).parent.parent
BLUEPRINTS = (
    intercom.blueprint,
    intercom_events.blueprint,
    hubspot.blueprint,
    hubspot_calls.blueprint,
    gateway.blueprint,
    api.blueprint,
    hooks.blueprint,
    oauth.blueprint,
    history.blueprint,
    pages.blueprint,
    settings.blueprint,
    audit_trail.blueprint,
    bulk.blueprint,
    insights_page.blueprint,
    alerts.blueprint,
    unknown.blueprint,
    reasons.blueprint,
    operate.blueprint,
)
Wake = Callable[[str, datetime], None]
EVERY_MINUTE: tuple[Callable[[Flow], object], ...] = (
    come_in.abandoned,
    repeats.forget_old,
    discovery.keep_looking,
    insights.keep_counting,
    carry_out.sweep,
)


class NoDatabase(Exception):
    """The database cannot be reached at the start; the message says why, as far as is known."""


def open_queue(config: Config) -> Huey:
    """Huey beside the tables: a SQLite file next to the database, or the same PostgreSQL. Raises NoDatabase."""
    url = make_url(config["DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        return _sqlite_queue(Path(url.database or "redeliver.db"))
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return _postgres_queue(dsn)
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        why = str(error).partition("\n")[0]
        raise NoDatabase(f"The database does not answer: {why}") from error


def _sqlite_queue(database: Path) -> Huey:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey(
            "redeliver", filename=str(database.with_suffix(".queue.db")), results=False, utc=True
        )
    except (OSError, sqlite3.Error) as error:
        raise NoDatabase(f"The database {database} cannot be opened: {error}") from error


def _postgres_queue(dsn: str) -> Huey:
    """The queue. The first process makes its tables; those that start at the same moment wait until they are made.

    PostgreSQL's "create table if not exists" looks first and creates after: two that do so at once can both find
    nothing, and one of them is refused.
    """
    with psycopg.connect(dsn) as held, held.transaction():
        held.execute("select pg_advisory_xact_lock(hashtext('redeliver queue'))")
        return PostgresHuey("redeliver", dsn=dsn, results=False, utc=True)


def teach_queue(huey: Huey, flow_of: Callable[[], Flow]) -> Wake:
    """Register what the worker does, and give the way to wake it. A wake-up that is lost is found by the sweep."""

    @huey.task(name="carry_out")
    def carry_out_task(action_id: str) -> None:
        carry_out.carry_out(flow_of(), action_id)

    @huey.periodic_task(crontab(minute="*"), name="sweep")
    def sweep_task() -> None:
        every_minute(flow_of())

    @huey.periodic_task(crontab(minute="23"), name="purge")
    def purge_task() -> None:
        retention.purge(flow_of())

    def wake(action_id: str, due_at: datetime) -> None:
        try:
            # Aware on purpose: Huey cuts a naive time to the second, and a wake-up before its time is lost.
            carry_out_task.schedule(args=(action_id,), eta=due_at)
        except Exception:
            # The action row is committed and due: the sweep carries it out within a minute.
            log.exception("wake.failed", action=action_id)

    return wake


def every_minute(flow: Flow) -> None:
    """Look after what nobody was woken for. A step that breaks is told in the log and keeps none from the next."""
    for step in EVERY_MINUTE:
        try:
            step(flow)
        except Exception:
            log.exception("sweep.broke", step=step.__name__)


def build_flow(
    config: Config, wake: Wake, clock: Callable[[], datetime] = utc_now, patience: float = PATIENCE
) -> Flow:
    """What every flow works with. A screen has little `patience` (seconds) with a locked database."""
    engine = open_engine(config["DATABASE_URL"], patience)
    counters = Counters(engine)
    http = Http(
        connect=config["CONNECT_TIMEOUT"],
        on_call=lambda vendor, result: counters.count("calls", vendor, result),
    )
    return Flow(
        engine=engine,
        counters=counters,
        catalogue=catalogue.load(),
        sealer=Sealer(config["ENCRYPTION_KEYS"], config["SECRET_KEY"]),
        octopods=Octopods(http, config["OCTOPODS_URL"], clock=clock, send_seconds=config["READ_TIMEOUT"]),
        intercom=Intercom(http, config["INTERCOM_URL"] or None, clock=clock),
        hubspot=HubSpot(http, config["HUBSPOT_URL"], clock=clock),
        links=Links(allow_private=config["ALLOW_PRIVATE_LINKS"]),
        webhook=Webhook(Guarded(allow_private=config["ALLOW_PRIVATE_LINKS"])),
        mail=Mail(config["SMTP_URL"], config["MAIL_FROM"]),
        message_links=MessageLinks(config["SECRET_KEY"], config["PUBLIC_URL"], clock),
        wake=wake,
        clock=clock,
        poll_steps=config["POLL_SCHEDULE"],
        poll_spacing=timedelta(seconds=config["POLL_SPACING"]),
        list_every=timedelta(seconds=config["LIST_EVERY"]),
        settings_url=config["OCTOPODS_SETTINGS_URL"],
        default_region=config["DEFAULT_REGION"],
        retention_days=config["RETENTION_DAYS"],
        erase_after=timedelta(days=config["ERASE_AFTER_DAYS"]),
        intercom_app=VendorApp(config["INTERCOM_CLIENT_ID"], config["INTERCOM_CLIENT_SECRET"]),
        hubspot_app=VendorApp(
            config["HUBSPOT_CLIENT_ID"], config["HUBSPOT_CLIENT_SECRET"].split(",")[0].strip()
        ),
    )


def flow_on_queue(config: Config, queue: Huey, patience: float = PATIENCE) -> Flow:
    """The flow that wakes the worker through that queue, whose tasks in turn work with this flow."""
    flow: Flow | None = None

    def flow_of() -> Flow:
        assert flow is not None
        return flow

    flow = build_flow(config, teach_queue(queue, flow_of), patience=patience)
    return flow


def create_app(config: Config | None = None, flow: Flow | None = None) -> Flask:
    """The web app. Tests give their own flow; otherwise it is built from the configuration.

    Raises BadSetting when the configuration is not fit to run.
    """
    config = config or configuration.load()
    set_up_logging(config["LOG_LEVEL"])
    app = Flask(__name__, root_path=str(ROOT))
    app.config.update({setting.name: config[setting.name] for setting in configuration.SETTINGS})
    if flow is None:
        flow = flow_on_queue(config, open_queue(config))
    services = app.extensions["redeliver"] = _services(config, flow)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    edges.protect(app)
    app.wsgi_app = InitializeCache(app, services)  # type: ignore[method-assign]
    return app


def _services(config: Config, flow: Flow) -> Services:
    tokens = Tokens(config["SECRET_KEY"])
    limits = Limits(flow.engine, config["RATE_PER_INSTALL"], config["RATE_PER_ADDRESS"])
    first_screens = FirstScreens(flow, lambda look: orjson.dumps(intercom_view.first(look, tokens)))
    return Services(flow, tokens, limits, flow.counters, first_screens)


def set_up_logging(level: str) -> None:
    """One JSON object a line on stdout, ours and the libraries' alike. Never a body, a key or a token.

    The masking is a net below that: what slips into an exception's text is masked on its way out.
    """
    number = logging.getLevelNamesMapping()[level]
    common: list[Processor] = [
        _request_number,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    libraries = logging.StreamHandler(sys.stdout)
    formatter = structlog.stdlib.ProcessorFormatter
    libraries.setFormatter(formatter(foreign_pre_chain=common, processors=last))
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h.formatter, formatter)]
    root.addHandler(libraries)
    structlog.configure(
        processors=[*common, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )


def _request_number(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Each line of a request carries its number."""
    return {**event, "request": g.get("request_id")} if has_app_context() else event


def _mask(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: masked(value) for name, value in event.items()}
