"""What operators ask: are we up, are we ready, and the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError

from canvas.store import counts, numbers
from canvas.store.counts import Key
from canvas.store.database import reading
from canvas.store.migrate import trouble
from canvas.store.numbers import Numbers
from canvas.surfaces.guard import bearer, open_to_all
from canvas.surfaces.services import services

blueprint = Blueprint("operate", __name__)
LATE_SECONDS = 300  # after which a due action says that no worker is running, or that it cannot keep up

COUNTERS = {
    "requests": ("Requests answered.", ("route", "status")),
    "calls": ("Calls made to vendors, by HTTP status or kind of failure.", ("vendor", "result")),
    "actions": ("Actions carried out.", ("kind", "outcome")),
}


@blueprint.get("/healthz")
@open_to_all
def healthz() -> Response:
    """The process answers."""
    return _text("ok\n")


@blueprint.get("/readyz")
@open_to_all
def readyz() -> Response:
    """The database answers, its tables are those this code knows, and how long the queue waits.

    A late queue is told but does not make a web process unready: its screens are right all the same, and
    taking it out of service would help nobody.
    """
    flow = services().flow
    try:
        with reading(flow.engine) as conn:
            wrong = trouble(conn)
            waiting = 0.0 if wrong else numbers.oldest_due(conn, flow.clock())
    except SQLAlchemyError:
        return _text("the database does not answer\n", 503)
    if wrong:
        return _text(f"{wrong}\n", 503)
    late = f"; the queue is late by {waiting:.0f} s, is the worker running?" if waiting > LATE_SECONDS else ""
    return _text(f"ok, oldest due action {waiting:.0f} s{late}\n")


@blueprint.get("/metrics")
@bearer("METRICS_TOKEN")
def metrics() -> Response:
    """Everything in Prometheus' text format, read from the database: one scrape sees all processes and machines."""
    flow = services().flow
    services().counters.flush()
    with reading(flow.engine) as conn:
        found, counted = numbers.read(conn, flow.clock()), counts.everything(conn)
    registry = CollectorRegistry()
    registry.register(_Collected([*_gauges(found), *_counters(counted)]))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _text(words: str, status: int = 200) -> Response:
    return Response(words, status=status, mimetype="text/plain")


class _Collected:
    """Metrics already put together, as prometheus-client's registry takes them."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _gauges(found: Numbers) -> Iterator[Metric]:
    installs = GaugeMetricFamily("redeliver_installs", "Installs by status.", labels=["status"])
    for status, count in sorted(found.installs.items()):
        installs.add_metric([status], count)
    waiting = GaugeMetricFamily("redeliver_actions", "Actions not done, now.", labels=["kind", "state"])
    for labels, count in sorted(found.actions.items()):
        waiting.add_metric(labels, count)
    yield installs
    yield waiting
    words = "Seconds the oldest due action has waited."
    yield GaugeMetricFamily("redeliver_oldest_due_action_seconds", words, value=found.oldest_due)
    words = "API keys that Octopods blocks now (429)."
    yield GaugeMetricFamily("redeliver_blocked_keys", words, value=found.blocked_keys)
    words = "Failure texts that came in and that nobody has named."
    yield GaugeMetricFamily("redeliver_unknown_reasons", words, value=found.unknown_texts)


def _counters(counted: Mapping[Key, int]) -> Iterator[Metric]:
    for name, (words, labels) in COUNTERS.items():
        family = CounterMetricFamily(f"redeliver_{name}", words, labels=labels)
        for (counter, *values), count in counted.items():
            if counter == name:
                family.add_metric(values, count)
        yield family
