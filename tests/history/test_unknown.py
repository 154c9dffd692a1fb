"""Texts nobody knows: named once by an admin, they are known in this workspace from then on."""

from __future__ import annotations

import json

from canvas.domain.message import Status
from canvas.flows import diagnosing
from canvas.knowledge.model import Evidence
from canvas.store.database import writing
from canvas.store.teammates import change
from tests.history import made
from tests.history.conftest import Pages

STRANGE = "Gremlin 4711 ate the message for +353871234567"


def fail_strangely(pages: Pages) -> str:
    evidence = Evidence(text=STRANGE, channel="sms")
    with writing(pages.flow.engine) as conn:
        diagnosis = diagnosing.diagnose_for(conn, pages.flow, pages.install.id, evidence, pages.now)
    message = made.message(
        pages.install.id,
        pages.now,
        status=Status.FAILED,
        failure=evidence,
        failure_raw=STRANGE,
        diagnosis=diagnosis,
        failed_at=pages.now,
        open=True,
    )
    pages.add(message)
    return message.id


def test_a_text_is_named_and_its_messages_are_read_again(pages: Pages) -> None:
    message_id = fail_strangely(pages)
    page = pages.get("/settings/unknown")
    assert STRANGE in page.words
    saved = pages.press(pages.get("/settings/unknown"), "Save", reason="handset_unreachable")
    assert "Saved. 1 message was read again." in saved.words
    assert pages.stored(message_id).reason == "handset_unreachable"
    lines = pages.get("/settings/unknown/contribution.jsonl").response.get_data(as_text=True).splitlines()
    (given,) = map(json.loads, lines)
    assert given["reason"] == "handset_unreachable"
    assert "353871234567" not in lines[0]


def test_a_reason_or_a_text_that_does_not_exist_is_refused(pages: Pages) -> None:
    fail_strangely(pages)
    page = pages.get("/settings/unknown")
    assert "There is no reason bad_luck." in pages.press(page, "Save", reason="bad_luck").words
    assert "There is no unknown text" in pages.press(page, "Save", shape="nothing").words


def test_only_admins_name_texts_and_set_alerts_or_start_jobs(pages: Pages) -> None:
    drawn_for_an_admin = pages.get("/history/bulk")
    with writing(pages.flow.engine) as conn:
        change(conn, pages.install.id, "814860", role="member")
    for path in ("/settings/unknown", "/settings/alerts", "/settings/unknown/contribution.jsonl"):
        assert pages.get(path).status == 403
    offered = [label for form in pages.get("/history/bulk").read.forms for label, _, _ in form.buttons]
    assert offered == ["Sign out"]
    assert pages.press(drawn_for_an_admin, "Make a dry run").status == 403
    assert pages.get("/history").status == pages.get("/insights").status == 200
