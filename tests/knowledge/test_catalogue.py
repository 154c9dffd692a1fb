"""The catalogue is complete, says what it should, and refuses files that are wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from canvas.knowledge import compiled, scores, sources
from canvas.knowledge.catalogue import load
from canvas.knowledge.check import check, load_from
from canvas.knowledge.diagnose import diagnose, diagnose_with
from canvas.knowledge.model import Evidence, Reason
from canvas.knowledge.sources import SENDING_FIXES, CatalogueError

REASONS = list(load().reasons.values())


def test_the_compiled_catalogue_is_fresh() -> None:
    made = (sources.HOME / compiled.NAME).read_text(encoding="utf-8")
    assert made == compiled.text(), "run python -m canvas.knowledge.build"


def test_the_learned_weights_are_of_these_files() -> None:
    head = (sources.HOME / scores.NAME).read_bytes().split(b"\n")[0]
    assert json.loads(head)["stamp"] == sources.stamp(), "run python -m canvas.knowledge.build"


def test_every_example_finds_its_own_row() -> None:
    check(load())


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.id)
def test_a_plain_retry_is_offered_only_where_it_can_help(reason: Reason) -> None:
    if reason.retry in {"after_fix", "settings"}:
        assert not {"retry_now", "retry_later"} & set(reason.fixes)
    if "retry_later" in reason.fixes:
        assert reason.wait_seconds > 0


def test_nothing_sends_to_a_person_who_opted_out() -> None:
    assert not SENDING_FIXES & set(load().reason("recipient_opted_out").fixes)


def test_the_marketing_cap_waits_a_day() -> None:
    assert load().reason("marketing_limit_ecosystem").wait_seconds == 24 * 60 * 60


@pytest.mark.parametrize("reason", [r for r in REASONS if r.who == "admin"], ids=lambda reason: reason.id)
def test_where_an_admin_must_act_an_admin_can_be_asked(reason: Reason) -> None:
    assert "ask_admin" in reason.fixes


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.id)
def test_words_are_short_plain_sentences(reason: Reason) -> None:
    for sentence in (reason.meaning, reason.cure, reason.again, reason.customer_words):
        assert sentence[0].isupper()
        assert sentence[-1] in ".?"
        assert len(sentence) <= 140


def test_an_id_nobody_knows_any_more_is_unknown() -> None:
    assert load().reason("was_renamed").id == "unknown"


def test_every_documented_code_means_a_reason_we_have() -> None:
    rows = load().codes.rows
    assert len(rows) > 1300
    assert {row.cause for row in rows} <= set(load().reasons)
    assert all(row.source for row in rows)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    shutil.copytree(sources.HOME, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", compiled.NAME))
    return copy


def add_key(text: str) -> str:
    return text.replace("[missing_phone]\ntitle = ", '[missing_phone]\ncolour = "red"\ntitle = ')


def double_id(text: str) -> str:
    return text + "\n[missing_phone]\n"


def dangle(text: str) -> str:
    return text.replace('fixes = ["edit_phone", "contact_support"]', 'fixes = ["edit_fone"]', 1)


def drop_words(text: str) -> str:
    return text.replace('meaning = "The message had no number to go to."\n', "")


def take_anothers_example(text: str) -> str:
    return text.replace(
        "matches = [",
        "matches = [\n  '\"lead or user does not have a phone number associated with them\"',",
        1,
    )


def unknown_concept(text: str) -> str:
    return text.replace("matches = [", "matches = [\n  '@no_such_concept',", 1)


def send_to_opted_out(text: str) -> str:
    return text.replace('fixes = ["mark_handled"]', 'fixes = ["send_other_channel"]', 1)


def only_on_nothing_known(text: str) -> str:
    return text.replace('only_on = ["whatsapp"]', 'only_on = ["fax"]', 1)


@pytest.mark.parametrize(
    ("spoil", "row", "why"),
    [
        (add_key, "missing_phone", "unknown key colour"),
        (double_id, "missing_phone", "missing_phone"),
        (dangle, "missing_phone", "no such fix: edit_fone"),
        (drop_words, "missing_phone", "meaning has no words"),
        (take_anothers_example, "missing_phone", "matches an example of no_contact_phone"),
        (unknown_concept, "missing_phone", "unknown concept @no_such_concept"),
        (send_to_opted_out, "recipient_opted_out", "opted out"),
        (only_on_nothing_known, "not_on_whatsapp", "only_on may hold whatsapp, sms, vbm"),
    ],
)
def test_a_wrong_file_is_refused_with_file_row_and_reason(
    home: Path, spoil: Callable[[str], str], row: str, why: str
) -> None:
    path = home / "reasons" / "recipient.toml"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_from(home)
    for part in ("recipient.toml", row, why):
        assert part in str(refused.value)


def test_an_id_in_two_files_is_refused(home: Path) -> None:
    text = (home / "reasons" / "recipient.toml").read_text(encoding="utf-8")
    (home / "reasons" / "zz.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"zz\.toml: missing_phone: this id is taken"):
        load_from(home)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no_such_reason\ten\tSome words", "needs a reason we have"),
        ("missing_phone\ten", "needs a reason we have"),
        ("missing_phone\ten\tInvalid recipient", "already means invalid_phone"),
    ],
)
def test_a_wrong_phrase_is_refused_with_its_line(home: Path, line: str, why: str) -> None:
    path = home / "phrases.tsv"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=rf"phrases\.tsv: line \d+: .*{why}"):
        load_from(home)


def test_a_row_a_support_person_adds_is_found_at_once(home: Path) -> None:
    path = home / "reasons" / "recipient.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("matches = [", "matches = [\n  '\"zorgle blargh\"',", 1)
    path.write_text(text, encoding="utf-8")
    evidence = Evidence("Zorgle blargh")
    assert diagnose(evidence).reason == "unknown"
    assert diagnose_with(load_from(home), evidence).reason == "missing_phone"


def test_a_new_row_makes_no_guess_of_what_was_unknown(home: Path) -> None:
    path = home / "reasons" / "recipient.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("matches = [", "matches = [\n  '\"zorgle blargh\"',", 1), encoding="utf-8")
    edited = load_from(home)
    for said in ("Allgemeiner Fehler", "message blocked out of office", "Something went wrong"):
        assert diagnose_with(edited, Evidence(said)).reason == diagnose(Evidence(said)).reason
