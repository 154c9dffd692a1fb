"""What an operator asks a running instance."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from canvas.config import load
from canvas.factory import build_flow, create_app
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import counts
from canvas.store.database import open_engine, reading, writing
from tests.desk import Desk
from tests.edges.test_audit import fix_mara

MARA = BY_ID["not_on_whatsapp"]
TOKEN = "a-metrics-token"


def scrape(desk: Desk) -> tuple[str, dict[tuple[str, ...], float]]:
    """The answer's text, and its samples by name and label values (labels in the order of their names)."""
    desk.app.config["METRICS_TOKEN"] = TOKEN
    answer = desk.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    samples = [sample for family in families for sample in family.samples]
    return answer.text, {(s.name, *s.labels.values()): s.value for s in samples}


def test_metrics_tell_requests_calls_actions_blocks_and_unknown_texts(both_desk: Desk) -> None:
    desk = both_desk
    _, before = scrape(desk)  # counters outlive a test on the PostgreSQL server that tests share
    fix_mara(desk)
    desk.octopods.block_key(keys.SMS, 60)
    desk.send_sms("+46701740612")
    desk.gateway(
        "/track", {"message_id": "9", "status": "failed", "failure_reason": "Flux 77 ebbed"}, keys.SMS
    )
    words, found = scrape(desk)
    for counter, least in (
        (("redeliver_requests_total", "/intercom/submit", "200"), 2),
        (("redeliver_calls_total", "429", "Octopods"), 1),
        (("redeliver_actions_total", "send", "carried out"), 1),
    ):
        assert found[counter] - before.get(counter, 0) >= least
    assert found[("redeliver_blocked_keys",)] == 1
    assert found[("redeliver_unknown_reasons",)] == 1
    assert found[("redeliver_installs", "active")] == 1
    assert found[("redeliver_actions", "poll", "due")] >= 1
    assert not re.search(r"\d{9,}", words)


def test_counts_of_several_processes_are_added_up(database_url: str) -> None:
    engine = open_engine(database_url)
    for _ in range(3):
        with writing(engine) as conn:
            counts.add(conn, {("requests", "/a", "200"): 2, ("requests", "/b", "200"): 1})
    with reading(engine) as conn:
        assert counts.everything(conn)[("requests", "/a", "200")] == 6
        conn.execute(text("DELETE FROM counts"))
    engine.dispose()


def test_metrics_are_closed_without_their_token(desk: Desk) -> None:
    assert desk.client.get("/metrics").status_code == 404
    desk.app.config["METRICS_TOKEN"] = TOKEN
    for given in ("", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer é"):
        answer = desk.client.get("/metrics", headers={"Authorization": given.encode().decode("latin-1")})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_ready_tells_how_long_the_queue_waits(both_desk: Desk) -> None:
    fix_mara(both_desk)
    assert both_desk.client.get("/readyz").text.startswith("ok, oldest due action 0 s")
    both_desk.clock.advance(900)
    answer = both_desk.client.get("/readyz")
    assert answer.status_code == 200
    assert "is the worker running?" in answer.text


def test_an_unreachable_or_old_database_is_not_ready(tmp_path: Path) -> None:
    for url, words in (
        ("postgresql://nobody@127.0.0.1:1/none", "does not answer"),
        (f"sqlite:///{tmp_path}/empty.db", "run: flask --app app db upgrade"),
    ):
        config = load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR"})
        app = create_app(config, build_flow(config, lambda action_id, due_at: None))
        answer = app.test_client().get("/readyz")
        assert answer.status_code == 503
        assert words in answer.text
        assert app.test_client().get("/healthz").status_code == 200
