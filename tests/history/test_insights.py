"""What is counted, what it teaches, and what it shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from canvas.domain.action_kinds import TALLY, action_key
from canvas.domain.message import Content, Status
from canvas.domain.ranking import ranked
from canvas.flows import insights
from canvas.flows import installs as install_flow
from canvas.flows.retention import purge
from canvas.knowledge.catalogue import load
from canvas.store import actions, installs
from canvas.store import insights as counted
from canvas.store.database import reading, writing
from canvas.surfaces.insights_view import level
from tests.history import made
from tests.history.conftest import WORKSPACE, Pages

DAY = timedelta(days=1)
REASONS = load().reasons


def count(pages: Pages) -> None:
    insights.keep_counting(pages.flow)
    for _ in range(4):
        pages.pass_time(1)


def resent(pages: Pages, reason: str, fix: str, status: Status, days_ago: int = 0) -> None:
    """A failed message and the one a fix sent for it."""
    at = pages.now - days_ago * DAY
    install = pages.install.id
    failed = made.failed(pages.flow.catalogue, install, at, reason, open=False)
    text = "x" * 200  # two SMS parts
    child = made.message(
        install,
        at + timedelta(seconds=5),
        status=status,
        parent_id=failed.id,
        fix_id=fix,
        attempt=2,
        preview=text,
        content=Content(text=text),
        diagnosis=failed.diagnosis if status is Status.FAILED else None,
    )
    pages.add(failed, child)


def test_days_are_counted_and_shown_with_their_table(both_pages: Pages) -> None:
    pages = both_pages
    for days_ago in (0, 2, 20):
        pages.add(*(made.message(pages.install.id, pages.now - days_ago * DAY) for _ in range(9)))
        resent(pages, "provider_outage", "retry_now", Status.DELIVERED, days_ago)
    resent(pages, "provider_outage", "retry_now", Status.FAILED)
    count(pages)
    words = pages.get("/insights").words
    assert "Messages35" in words
    assert "Failed514.3 % of all" in words
    assert "Recovered375.0 % of those that failed at first" in words
    assert "Sent again48 SMS parts paid for them" in words
    week = pages.get("/insights?days=7").words
    assert "Messages24" in week
    html = pages.get("/insights").response.get_data(as_text=True)
    assert html.count('<rect class="bar"') == 30
    assert "3 %: worth a look" in html


def test_counting_again_changes_nothing_and_catches_up_with_late_news(pages: Pages) -> None:
    message = made.message(pages.install.id, pages.now, status=Status.SENT)
    pages.add(message)
    count(pages)
    before = pages.get("/insights").words
    pages.pass_time(301)
    assert pages.get("/insights").words == before
    failed = made.failed(pages.flow.catalogue, pages.install.id, pages.now, "not_on_whatsapp")
    pages.add(failed)
    pages.pass_time(301)
    assert "Not on WhatsApp" in pages.get("/insights").words


def test_a_day_that_the_purge_has_reached_keeps_its_counts(both_pages: Pages) -> None:
    pages = both_pages
    install_flow.choose(pages.flow, WORKSPACE, {"retention_days": 1})
    for number in range(5):
        pages.send_sms(f"+4670174061{number}")
    count(pages)
    assert "Messages5" in pages.get("/insights").words
    pages.pass_time(25 * 3600)
    purge(pages.flow)
    pages.pass_time(301)
    with writing(pages.flow.engine) as conn:
        insights.recount(conn, pages.flow, pages.install.id)
    pages.pass_time(301)
    pages.browser.sign_in()
    assert "Messages5" in pages.get("/insights").words


def test_another_time_zone_counts_no_message_twice(both_pages: Pages) -> None:
    pages = both_pages
    late = pages.now.replace(day=18, hour=23, minute=30)  # the 19th in Stockholm, where the sandbox is
    pages.add(*(made.message(pages.install.id, late) for _ in range(5)))
    count(pages)
    assert sums(pages) == [("2026-11-19", 5)]
    changed = pages.press(pages.get("/settings"), "Save", timezone="America/New_York")
    assert "Saved." in changed.words
    pages.pass_time(301)
    assert sums(pages) == [("2026-11-18", 5)]
    install_flow.connect(pages.flow, "intercom", "sandbox", None, settings={"timezone": "Asia/Tokyo"})
    pages.pass_time(301)
    assert sums(pages) == [("2026-11-19", 5)]


def sums(pages: Pages) -> list[tuple[str, int]]:
    with reading(pages.flow.engine) as conn:
        found = counted.sums(conn, pages.install.id, "day", "2026-11-01", "2026-11-30")
    return [(day.label, day.total) for day in found]


def refuse(*_: Any) -> None:
    raise OperationalError("SELECT", {}, Exception("the database is away"))


def test_counting_outlives_any_number_of_troubles_and_goes_on_in_seconds(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(pages)
    with monkeypatch.context() as trouble:
        trouble.setattr(counted, "count_day", refuse)
        for _ in range(20):
            pages.pass_time(1200)
    pages.pass_time(1200)
    with monkeypatch.context() as trouble:
        trouble.setattr(counted, "count_day", refuse)
        pages.pass_time(301)
    pages.add(made.message(pages.install.id, pages.now))
    pages.pass_time(7)
    pages.browser.sign_in()
    assert "Messages1" in pages.get("/insights").words


def test_counting_that_was_given_up_is_taken_up_again(pages: Pages) -> None:
    count(pages)
    pages.pass_time(301)
    with reading(pages.flow.engine) as conn:
        tally = actions.by_key(conn, pages.install.id, action_key(TALLY, pages.install.id))
    assert tally is not None
    with writing(pages.flow.engine) as conn:
        held = actions.claim(conn, tally.id, tally.due_at)
        assert held is not None
        actions.finish(conn, held, actions.FAILED, pages.now)
    pages.add(made.message(pages.install.id, pages.now))
    count(pages)
    assert "Messages1" in pages.get("/insights").words


def test_a_span_that_does_not_exist_is_answered_in_one_sentence(pages: Pages) -> None:
    assert pages.get("/insights?days=1000000").status == 400
    assert "Nothing to count yet" in pages.get("/insights").words


def test_every_reason_is_shown_and_of_many_templates_how_many_are_not(pages: Pages) -> None:
    install, catalogue = pages.install.id, pages.flow.catalogue
    pages.add(*(made.failed(catalogue, install, pages.now, reason) for reason in REASONS))
    content = [Content(template_id=str(90001 + number)) for number in range(37)]
    pages.add(*(made.message(install, pages.now, channel="whatsapp", content=each) for each in content))
    count(pages)
    page = pages.get("/insights")
    html = page.response.get_data(as_text=True)
    assert [reason for reason in REASONS if f"/history?reason={reason}&amp;" not in html] == []
    assert html.count("/history?template=") == 30
    assert "and 7 more" in page.words


def test_a_neighbours_messages_are_not_counted(pages: Pages) -> None:
    with writing(pages.flow.engine) as conn:
        other = installs.put(conn, "intercom", "other", pages.now).id
    pages.add(made.message(other, pages.now))
    count(pages)
    assert "Nothing to count yet" in pages.get("/insights").words


def test_what_works_here_is_offered_first_once_it_is_clear(pages: Pages) -> None:
    for _ in range(25):
        resent(pages, "provider_outage", "retry_later", Status.FAILED)
        resent(pages, "provider_outage", "send_other_channel", Status.DELIVERED)
    count(pages)
    assert pages.install.fix_scores == {
        "provider_outage": {"retry_later": [25, 0], "send_other_channel": [25, 25]}
    }
    fixes = ranked(REASONS["provider_outage"], pages.install.fix_scores).fixes
    assert fixes.index("send_other_channel") < fixes.index("retry_later")
    assert "Send on another channel" in pages.get("/insights").words


def test_few_trials_or_a_small_lead_change_nothing() -> None:
    reason = REASONS["provider_outage"]
    for scores in (
        None,
        {"provider_outage": {"retry_later": [19, 0], "send_other_channel": [19, 19]}},
        {"provider_outage": {"retry_later": [40, 30], "send_other_channel": [40, 33]}},
    ):
        assert ranked(reason, scores) == reason


def test_nothing_is_reordered_where_the_catalogue_says_never() -> None:
    for reason in REASONS.values():
        scores = {reason.id: {fix: [100, i] for i, fix in enumerate(reason.fixes)}}
        found = ranked(reason, scores)
        assert sorted(found.fixes) == sorted(reason.fixes)
        if reason.retry in ("never", "settings"):
            assert found == reason


def test_the_thresholds_stand_out_only_where_a_rate_says_something() -> None:
    assert level(1, 100) == ""
    assert level(4, 100) == "warning"
    assert level(31, 100) == "danger"
    assert level(5, 5) == ""
