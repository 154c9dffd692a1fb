"""The commands, run as an operator runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import text, update

from canvas import config
from canvas.cli.commands import register
from canvas.sandbox.octopods import keys
from canvas.store import channels, migrate
from canvas.store.database import open_engine, reading, writing
from canvas.store.tables import installs
from tests import postgres
from tests.conftest import Clock, make_desk
from tests.desk import TOKEN, WORKSPACE, Desk
from tests.fakes import Fake, OctopodsFake


@pytest.fixture
def run(desk: Desk) -> Iterator[FlaskCliRunner]:
    register(desk.app)
    with desk.app.app_context():  # as `flask` itself gives it to every command
        yield desk.app.test_cli_runner()


@pytest.fixture
def british(
    sqlite_url: str, clock: Clock, fake_octopods: OctopodsFake, fake_intercom: Fake
) -> Iterator[Desk]:
    """A deployment whose default country is set."""
    made = make_desk(sqlite_url, clock, fake_octopods, fake_intercom, DEFAULT_REGION="GB")
    register(made.app)
    yield made
    made.flow.engine.dispose()


@pytest.mark.parametrize("older", [False, True])
def test_an_install_made_by_command_reads_numbers_in_the_default_country(british: Desk, older: bool) -> None:
    run = british.app.test_cli_runner()
    assert run.invoke(args=["install", "add", "intercom", WORKSPACE, "--token", TOKEN]).exit_code == 0
    if older:  # made before the country was kept with the install
        with writing(british.flow.engine) as conn:
            conn.execute(update(installs).values(settings={}))
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        add = ["channel", "add", "--install", f"intercom:{WORKSPACE}", "--kind", kind, "--key", key]
        assert run.invoke(args=add).exit_code == 0
    news = {"status": "failed", "failure_reason": "Recipient is not a WhatsApp user.", "contact_id": "c1"}
    sent = {"destination_phone": "07400 123456", "template_id": 90001, "message_variables": ["Mo", "Tuesday"]}
    british.work()
    assert british.gateway("/track", {**sent, **news, "message_id": 1}, keys.WHATSAPP).status_code == 201
    screen = british.initialize()
    assert "+44 7400 123456" in screen.words
    british.click(screen, "Send as SMS instead")
    assert [s["body"]["destination_phone"] for s in british.octopods.sends()] == ["+447400123456"]


def test_diagnose_answers_each_line_and_loses_none(run: FlaskCliRunner) -> None:
    lines = [
        '{"text":"Recipient is not a WhatsApp user.","channel":"whatsapp"}',
        "not json",
        '["a list"]',
        '{"text":7,"channel":[],"http_status":"x"}',
        '{"text":"\\ud83d\\ude00 zork"}',
        '{"text":"Recipient is not a WhatsApp user \\ud83d"}',
    ]
    result = run.invoke(args=["diagnose"], input="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [a["reason"] for a in answers] == ["not_on_whatsapp", *["unknown"] * 4, "not_on_whatsapp"]
    wanted = {"reason", "category", "retry", "confidence", "candidates", "fixes", "matched"}
    assert all(wanted <= set(a) for a in answers)
    assert "not JSON" in answers[1]["error"]


def test_diagnose_tells_people_in_plain_words(run: FlaskCliRunner) -> None:
    output = run.invoke(args=["diagnose", "Recipient is not a WhatsApp user."]).output
    assert output.startswith("Not on WhatsApp\n")
    assert "Will sending again help?" in output


def test_the_catalogue_is_in_order(run: FlaskCliRunner) -> None:
    result = run.invoke(args=["catalogue", "check"])
    assert result.exit_code == 0
    assert "are in order" in result.output


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--timezone", "Dublin", "Enter a time zone by its name, such as Europe/Dublin."),
        ("--country", "Ireland", "Enter a country as two letters, such as IE."),
    ],
)
def test_an_install_with_a_place_that_does_not_exist_is_refused(
    run: FlaskCliRunner, option: str, value: str, sentence: str
) -> None:
    result = run.invoke(args=["install", "add", "intercom", WORKSPACE, option, value])
    assert (result.exit_code, result.output) == (1, f"Error: {sentence}\n")
    assert run.invoke(args=["install", "list"]).output == ""


def test_a_private_install_is_connected_listed_and_erased(run: FlaskCliRunner) -> None:
    name = f"intercom:{WORKSPACE}"
    assert (
        run.invoke(args=["install", "add", "intercom", WORKSPACE, "--token", "-"], input="secret\n").exit_code
        == 0
    )
    add = ["channel", "add", "--install", name, "--kind", "sms", "--key", "-", "--number", "+353871234567"]
    assert "key ending in 2222" in run.invoke(args=add, input="sandbox-sms-2222\n").output
    assert "…2222" in run.invoke(args=["channel", "list", "--install", name]).output
    assert "sandbox-sms" not in run.invoke(args=["channel", "list", "--install", name]).output
    everywhere = run.invoke(args=["channel", "list"]).output.splitlines()
    assert [name in line for line in everywhere if "…2222" in line] == [True]
    assert name in run.invoke(args=["install", "list"]).output
    assert run.invoke(args=["install", "remove", name, "--yes"]).exit_code == 0
    assert name not in run.invoke(args=["install", "list"]).output


CHANNEL_ADD = ("channel", "add", "--install", f"intercom:{WORKSPACE}", "--kind", "sms", "--key")


@pytest.mark.parametrize("given", ["", "\n", "\ufeffk3y-1234\n"])
def test_a_secret_that_did_not_come_in_is_told(run: FlaskCliRunner, desk: Desk, given: str) -> None:
    desk.connect()
    for command in (["install", "add", "intercom", WORKSPACE, "--token", "-"], [*CHANNEL_ADD, "-"]):
        result = run.invoke(args=command, input=given)
        assert (result.exit_code, "nothing was given" in result.output) == (1, True)


def test_a_number_is_kept_in_full_international_form_however_it_is_written(
    run: FlaskCliRunner, both_desk: Desk
) -> None:
    both_desk.connect("whatsapp")
    register(both_desk.app)
    with both_desk.app.app_context():
        args = [*CHANNEL_ADD, keys.SMS, "--number", "+353 (0) 87 / 123 - 45 - 67"]
        assert both_desk.app.test_cli_runner().invoke(args=args).exit_code == 0
    with reading(both_desk.flow.engine) as conn:
        assert channels.by_key(conn, both_desk.flow.sealer.fingerprint(keys.SMS))[0].number == "+353871234567"


@pytest.mark.parametrize(
    "args",
    [
        ["worker", "--workers", "0"],
        ["sandbox", "--port", "65535"],
        ["channel", "remove", "--install", f"intercom:{WORKSPACE}", "99999999999"],
    ],
)
def test_a_number_out_of_range_is_told(run: FlaskCliRunner, args: list[str]) -> None:
    result = run.invoke(args=args)
    assert (result.exit_code, "is not in the range" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["install", "add", "intercom", "no spaces"], "letters, digits"),
        (
            ["channel", "add", "--install", "intercom:no", "--kind", "sms", "--key", "abcd"],
            "There is no install",
        ),
        (["channel", "list", "--install", "nonsense"], "There is no install"),
        (["unknown", "list", "--install", "intercom:no"], "There is no install"),
        (["install", "remove", "intercom:no"], "There is no install"),
        (["erase", "intercom:no", "--contact", "c1"], "There is no install"),
        (["install", "add", "intercom", "x" * 64], "letters, digits"),
        (["hubspot", "set", f"intercom:{WORKSPACE}", "--timeline", "off"], "is no HubSpot account"),
        (["install", "add", "intercom", WORKSPACE, "--token", ""], "Token: nothing was given"),
        (
            [*CHANNEL_ADD, "\udcff\udcfe"],
            "Octopods API key: nothing was given, or what was given is not plain",
        ),
        ([*CHANNEL_ADD, "k3y-1234", "--name", "n" * 201], "at most 200 characters"),
        ([*CHANNEL_ADD, "k3y-1234", "--number", "0871234567"], "full international form"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: FlaskCliRunner, desk: Desk, args: list[str], words: str
) -> None:
    desk.connect("whatsapp")
    result = run.invoke(args=args)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output
    assert "Go on?" not in result.output


@pytest.mark.parametrize("deed", [["install", "remove"], ["erase"]])
def test_nothing_is_erased_before_the_operator_is_sure(
    run: FlaskCliRunner, desk: Desk, deed: list[str]
) -> None:
    desk.connect()
    name = f"intercom:{WORKSPACE}"
    refused = run.invoke(args=[*deed, name], input="n\n")
    assert (refused.exit_code, "Go on?" in refused.output) == (1, True)
    assert name in run.invoke(args=["install", "list"]).output
    assert run.invoke(args=[*deed, name], input="y\n").exit_code == 0
    assert run.invoke(args=["install", "list"]).output == ""


WITHOUT_TABLES = (
    ["install", "list"],
    ["install", "remove", "intercom:no"],
    ["channel", "list"],
    ["teammate", "list", "--install", "intercom:no"],
    ["hook", "list", "--install", "intercom:no"],
    ["hubspot", "set", "hubspot:1", "--contact-properties"],
    ["unknown", "list", "--install", "intercom:no"],
    ["keys", "rotate"],
    ["worker"],
    ["sweep"],
    ["rediagnose"],
    ["purge"],
    ["export", "intercom:no"],
    ["erase", "intercom:no"],
)


@pytest.fixture
def bare(
    tmp_path: Path,
    clock: Clock,
    fake_octopods: OctopodsFake,
    fake_intercom: Fake,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FlaskCliRunner]:
    """A database that was never upgraded."""
    url = f"sqlite:///{tmp_path}/bare.db"
    monkeypatch.setenv("DATABASE_URL", url)
    made = make_desk(url, clock, fake_octopods, fake_intercom)
    register(made.app)
    with made.app.app_context():
        yield made.app.test_cli_runner()
    made.flow.engine.dispose()


@pytest.mark.parametrize("args", WITHOUT_TABLES, ids=" ".join)
def test_a_database_without_tables_is_told_in_one_sentence(bare: FlaskCliRunner, args: list[str]) -> None:
    result = bare.invoke(args=args)
    words = "Error: The database has no tables yet; run: flask --app app db upgrade\n"
    assert (result.exit_code, result.output) == (1, words)


def test_the_upgrade_makes_the_tables_that_the_commands_ask_for(bare: FlaskCliRunner) -> None:
    assert bare.invoke(args=["db", "upgrade"]).exit_code == 0
    assert bare.invoke(args=["install", "list"]).exit_code == 0


def test_tables_of_a_newer_version_are_left_alone(run: FlaskCliRunner, desk: Desk) -> None:
    with writing(desk.flow.engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    result = run.invoke(args=["db", "upgrade"])
    words = "Error: The database was upgraded by a newer version. Start that version.\n"
    assert (result.exit_code, result.output) == (1, words)


@pytest.mark.postgres
def test_two_upgrades_at_once_both_end_well(postgres_server: postgres.Server) -> None:
    url = postgres_server.new_database("upgraded_twice")
    gate = Barrier(3)

    def upgrade() -> str | None:
        engine = open_engine(url)
        gate.wait()
        migrate.upgrade(engine)
        with reading(engine) as conn:
            trouble = migrate.trouble(conn)
        engine.dispose()
        return trouble

    with ThreadPoolExecutor(3) as together:
        started = [together.submit(upgrade) for _ in range(3)]
    assert [each.result() for each in started] == [None] * 3


def test_settings_are_printed_without_their_secrets(
    run: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "very-secret-value-of-some-length-12345")
    output = run.invoke(args=["config"]).output
    assert "PUBLIC_URL=" in output
    assert "very-secret" not in output


def test_settings_are_printed_as_they_are_read(run: FlaskCliRunner) -> None:
    printed = re.findall(r"^([A-Z_]+)=(.*)$", run.invoke(args=["config"]).output, re.MULTILINE)
    given = {name: value for name, value in printed if value != "(hidden)"}
    assert given["POLL_SCHEDULE"] == "10,30,60,300,1800,3600"
    again, before = config.load(given), config.load()
    assert {name: again[name] for name in given} == {name: before[name] for name in given}
