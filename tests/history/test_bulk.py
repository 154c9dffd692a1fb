"""Many fixes at once: what the dry run says is what happens, once each, and never faster than the key allows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sqlalchemy import update

from canvas.domain.message import Content, Message, Status
from canvas.sandbox.octopods import keys
from canvas.store import installs, opt_outs
from canvas.store.database import writing
from canvas.store.tables import bulk_jobs
from canvas.store.tables import messages as table
from tests.history.conftest import Pages
from tests.web.browser import Page

WAIT = 300  # longer than an outage asks to wait before the next try


def fail(pages: Pages, reason: str, last: int, **values: Any) -> Message:
    """A failed message to a person of their own."""
    number = f"+3538712345{last:02}"
    words = {"to": number, "raw_to": number, "contact_id": f"c{last}", "preview": f"Hi number {last}."}
    channel = values.pop("channel", "sms")
    content = Content(text=f"Hi number {last}.") if channel == "sms" else Content(template_id="90001")
    line = pages.channel(channel)
    return pages.failed(reason, channel=channel, channel_id=line, content=content, **words, **values)


def dry_run(pages: Pages, query: str = "", choice: str = "best") -> Page:
    return pages.press(pages.get(f"/history/bulk?{query}"), "Make a dry run", choice=choice)


def let_it_run(pages: Pages, seconds: int) -> None:
    for _ in range(seconds):
        pages.pass_time(1)


def test_a_dry_run_says_what_would_happen_and_sends_nothing(pages: Pages) -> None:
    fail(pages, "provider_outage", 1)
    fail(pages, "not_on_whatsapp", 2, channel="whatsapp")
    fail(pages, "recipient_opted_out", 3)
    fail(pages, "invalid_request", 4)
    page = dry_run(pages)
    assert "Will be fixed2" in page.words
    assert "Left out2" in page.words
    assert "Sent on another channel: 1" in page.words
    assert "1: This person asked not to be messaged." in page.words
    assert "+353 87 123 4502" in page.words
    assert "Not on WhatsApp" in page.words
    let_it_run(pages, 3)
    assert pages.site.octopods.sends() == []


def test_a_job_fixes_each_message_once_one_a_second(both_pages: Pages) -> None:
    pages = both_pages
    failed = [fail(pages, "provider_outage", i) for i in range(4)]
    pages.pass_time(WAIT)
    page = pages.press(dry_run(pages), "Start: fix 4 messages")
    assert "of 4 looked after" in page.words
    assert len(pages.site.octopods.sends()) == 1
    pages.pass_time(1)
    assert len(pages.site.octopods.sends()) == 2
    let_it_run(pages, 4)
    sends = pages.site.octopods.sends()
    assert sorted(s["body"]["destination_phone"] for s in sends) == sorted(m.to or "" for m in failed)
    done = pages.get(page.response.request.path)
    assert "4 of 4 looked after" in done.words
    assert "Done4" in done.words
    again = pages.press(page, "Stop")
    assert "This job is not running." in again.words


def test_a_message_that_changed_meanwhile_is_skipped_and_says_why(pages: Pages) -> None:
    kept, handled, sent = (fail(pages, "provider_outage", i) for i in range(3))
    pages.pass_time(WAIT)
    page = dry_run(pages)
    pages.press(pages.get(f"/history/{handled.id}"), "Mark as handled")
    pages.press(pages.get(f"/history/{sent.id}"), "Send again")
    assert len(pages.site.octopods.sends()) == 1
    started = pages.press(page, "Start: fix 3 messages")
    let_it_run(pages, 4)
    done = pages.get(started.response.request.path)
    assert "1: This message changed since the card was drawn." in done.words
    assert "1: Somebody dealt with it meanwhile." in done.words
    assert len(pages.site.octopods.sends()) == 2
    assert pages.child(kept.id) is not None


def test_stop_takes_no_further_message(pages: Pages) -> None:
    for i in range(4):
        fail(pages, "provider_outage", i)
    pages.pass_time(WAIT)
    page = pages.press(dry_run(pages), "Start: fix 4 messages")
    stopped = pages.press(page, "Stop")
    let_it_run(pages, 4)
    assert len(pages.site.octopods.sends()) == 1
    assert "Stopped by Ana Kos." in stopped.words
    assert "Still to come3" in stopped.words


def test_a_blocked_key_makes_the_job_wait_and_then_go_on(pages: Pages) -> None:
    for i in range(3):
        fail(pages, "provider_outage", i)
    pages.pass_time(WAIT)
    page = dry_run(pages)
    pages.site.octopods.block_key(keys.SMS, 60)
    started = pages.press(page, "Start: fix 3 messages")
    let_it_run(pages, 30)
    tried = len(pages.site.octopods.sends())
    let_it_run(pages, 60)
    assert tried == 0
    assert len(pages.site.octopods.sends()) == 3
    assert "3 of 3 looked after" in pages.get(started.response.request.path).words


def test_sends_that_must_all_wait_for_one_moment_do_not_leave_in_one_burst(pages: Pages) -> None:
    for i in range(3):
        fail(pages, "provider_outage", i)
    pages.press(dry_run(pages), "Start: fix 3 messages")
    let_it_run(pages, 10)
    assert pages.site.octopods.sends() == []
    left = []
    for _ in range(70):
        pages.pass_time(1)
        left.append(len(pages.site.octopods.sends()))
    assert left[-1] == 3
    assert all(after - before <= 1 for before, after in pairwise(left))


def test_a_job_cut_off_between_the_send_and_its_note_does_not_send_twice(pages: Pages) -> None:
    first = fail(pages, "provider_outage", 1)
    pages.pass_time(WAIT)
    page = dry_run(pages)
    engine = pages.flow.engine
    with writing(engine) as conn:
        conn.exec_driver_sql(
            "CREATE TRIGGER cut BEFORE UPDATE ON bulk_items WHEN NEW.state = 'sent' "
            "BEGIN SELECT RAISE(ABORT, 'power cut'); END"
        )
    pages.press(page, "Start: fix 1 message")
    assert pages.child(first.id) is not None
    with writing(engine) as conn:
        conn.exec_driver_sql("DROP TRIGGER cut")
    let_it_run(pages, 30)
    assert len(pages.site.octopods.sends()) == 1
    assert "Done1" in pages.get(page.response.request.path).words


def test_a_message_that_breaks_each_time_is_given_up_and_the_job_goes_on(both_pages: Pages) -> None:
    pages = both_pages
    bad, good = (fail(pages, "provider_outage", i) for i in (1, 2))
    pages.pass_time(WAIT)
    page = dry_run(pages)
    with writing(pages.flow.engine) as conn:  # as a row of an older version might be
        broken = {"kind": "unheard-of"}
        conn.execute(update(table).where(table.c.id == bad.id).values(content=broken))
    pages.press(page, "Start: fix 2 messages")
    for _ in range(40):
        pages.pass_time(60)
    done = pages.get(page.response.request.path)
    assert "2 of 2 looked after" in done.words
    assert "1: Something here broke each time it was tried, so this job left it alone." in done.words
    assert [s["body"]["destination_phone"] for s in pages.site.octopods.sends()] == [good.to]


def test_a_channel_that_keeps_failing_stops_the_job(pages: Pages) -> None:
    for i in range(3):
        fail(pages, "provider_outage", i)
    page = dry_run(pages, "reason=provider_outage")
    for i in range(10, 15):
        fail(pages, "insufficient_balance", i)
    started = pages.press(page, "Start: fix 3 messages")
    let_it_run(pages, 3)
    words = pages.get(started.response.request.path).words
    assert "Stopped by itself: the channel keeps failing" in words
    assert pages.site.octopods.sends() == []


def test_the_same_words_to_the_same_number_go_out_once(pages: Pages) -> None:
    fail(pages, "provider_outage", 1)
    fail(pages, "provider_outage", 1)
    page = dry_run(pages)
    assert "Will be fixed1" in page.words
    assert "1: The same message to the same number is in this job already." in page.words


def test_two_templates_whose_words_are_not_known_are_not_the_same_message(pages: Pages) -> None:
    line = {"channel": "whatsapp", "channel_id": pages.channel("whatsapp"), "preview": None}
    for day in ("Tuesday", "Friday", "Friday"):
        content = Content(template_id="90001", variables=["Mara", day])
        pages.failed("provider_outage", content=content, **line)
    page = dry_run(pages)
    assert "Will be fixed2" in page.words
    assert "1: The same message to the same number is in this job already." in page.words


def test_who_opted_out_after_the_dry_run_is_left_alone(pages: Pages) -> None:
    message = fail(pages, "provider_outage", 1)
    page = dry_run(pages)
    with writing(pages.flow.engine) as conn:
        opt_outs.add(conn, message, pages.now)
    started = pages.press(page, "Start: fix 1 message")
    let_it_run(pages, 2)
    assert pages.site.octopods.sends() == []
    assert "Left out1" in pages.get(started.response.request.path).words


def test_marking_many_as_handled_sends_nothing(pages: Pages) -> None:
    found = [fail(pages, "recipient_opted_out", i) for i in range(2)]
    pages.press(dry_run(pages, choice="handled"), "Start: fix 2 messages")
    let_it_run(pages, 3)
    assert all(pages.stored(m.id).handled_at for m in found)
    assert pages.stored(found[0].id).status is Status.FAILED


def test_a_job_of_another_workspace_is_an_unknown_one(pages: Pages) -> None:
    fail(pages, "provider_outage", 1)
    ours = dry_run(pages).response.request.path
    with writing(pages.flow.engine) as conn:
        other = installs.put(conn, "intercom", "other", pages.now).id
        conn.execute(update(bulk_jobs).values(install_id=other))
    unknown = pages.get("/history/bulk/job_nothing")
    assert pages.get(ours).status == unknown.status == 404
    assert pages.get(ours).words == unknown.words
