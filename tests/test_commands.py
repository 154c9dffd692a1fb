"""The commands, run as an operator runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import update

from canvas import config
from canvas.cli.commands import register
from canvas.sandbox.octopods import keys
from canvas.store.database import writing
from canvas.store.tables import installs
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
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: FlaskCliRunner, args: list[str], words: str
) -> None:
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
