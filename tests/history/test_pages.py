"""The history as an admin uses it: look, filter, open, fix, take along."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from canvas.domain.message import Content
from canvas.sandbox.octopods import keys
from canvas.store import installs
from canvas.store.database import writing
from tests.history import made
from tests.history.conftest import Pages

NOBODY_HERE = "There is no such message here"


def test_who_is_not_signed_in_sees_no_message(pages: Pages) -> None:
    message = pages.failed("not_on_whatsapp", channel="whatsapp")
    stranger = pages.site.app.test_client()
    for path in ("/history", f"/history/{message.id}", "/history.csv"):
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert b"Mara" not in answer.data
    assert stranger.post(f"/history/{message.id}/fix").status_code == 401


def test_the_list_says_what_happened_and_leads_to_the_message(pages: Pages) -> None:
    message = pages.failed("not_on_whatsapp", channel="whatsapp", channel_id=pages.channel("whatsapp"))
    page = pages.get("/history")
    assert "Not on WhatsApp" in page.words
    assert "+353 87 123 4567" in page.words
    assert f"/history/{message.id}" in page.read.links.values()


def test_an_empty_history_says_how_it_fills(pages: Pages) -> None:
    assert "Messages appear here as soon as they are sent through Redeliver." in pages.get("/history").words


def test_filters_narrow_the_list_and_stay_filled_in(pages: Pages) -> None:
    pages.failed("not_on_whatsapp", channel="whatsapp", preview="Parcel 1")
    pages.failed("insufficient_balance", preview="Parcel 2")
    page = pages.press(pages.get("/history"), "Show", reason="insufficient_balance")
    assert "Parcel 2" in page.words
    assert "Parcel 1" not in page.words
    assert page.form("Show").values["reason"] == "insufficient_balance"
    assert "Nothing here" in pages.get("/history?channel=vbm").words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=lost", "There is no state called “lost”."),
        ("reason=bad_luck", "There is no reason called “bad_luck”."),
        ("since=yesterday", "“yesterday” is not a date."),
        ("since=0001-01-01", "“0001-01-01” is not a date."),
        ("until=2101-01-01", "“2101-01-01” is not a date."),
        ("since=2026-11-20&until=2026-11-01", "The first day is after the last day."),
        ("q=12", "Enter at least the last four digits of a number."),
        ("before=msg_x", "This link does not lead to a page of the list."),
        ("contact=" + "x" * 300, "A filter takes at most 200 characters."),
    ],
)
def test_a_filter_that_makes_no_sense_is_answered_in_one_sentence(
    pages: Pages, query: str, words: str
) -> None:
    page = pages.get(f"/history?{query}")
    assert page.status == 400
    assert words in page.words
    assert page.form("Show")


@pytest.mark.parametrize("path", ["/history", "/history.csv"])
def test_the_last_day_there_is_has_a_next_one(pages: Pages, path: str) -> None:
    pages.failed("not_on_whatsapp")
    assert pages.get(f"{path}?since=2000-01-01&until=2100-12-31").status == 200


def test_a_day_is_a_day_where_the_workspace_is(pages: Pages) -> None:
    # The sandbox's workspace is in Stockholm: half past midnight there is still the day before in UTC.
    day = pages.now.replace(day=20, hour=0, minute=0)
    late = made.message(pages.install.id, day - timedelta(minutes=30), preview="Half past midnight")
    before = made.message(pages.install.id, day - timedelta(minutes=90), preview="Half to midnight")
    pages.add(late, before)
    page = pages.get("/history?since=2026-11-20&until=2026-11-20")
    assert "Half past midnight" in page.words
    assert "Half to midnight" not in page.words


@pytest.mark.parametrize("asked", ["30003", "blocked by the carrier & more"])
def test_what_a_failure_said_is_found_by_its_reason(pages: Pages, asked: str) -> None:
    found = pages.get(f"/history?{urlencode({'q': asked})}")
    assert "The search does not read what a failure said." in found.words
    assert f'href="/reasons?{urlencode({"q": asked})}"' in found.response.text


def test_a_number_nobody_was_written_to_is_not_looked_for_among_the_reasons(pages: Pages) -> None:
    found = pages.browser.get("/history?" + urlencode({"q": "+353 87 000 00 00"}))
    assert "No message fits this filter." in found.words
    assert "/reasons?" not in found.response.text
    assert "failure said" not in pages.get("/history?channel=vbm").words.split("Nothing here")[1]


def test_searching_finds_a_number_as_people_write_it(pages: Pages) -> None:
    pages.failed("not_on_whatsapp", preview="To Mara", to="+353871234567", raw_to="+353871234567")
    pages.failed("not_on_whatsapp", preview="To Ben", to="+353879999999", raw_to="+353879999999")
    for asked in ("%2B353+87+123+4567", "00353871234567", "087+123+4567"[1:], "4567"):
        words = pages.get(f"/history?q={asked}").words
        assert "To Mara" in words, asked
        assert "To Ben" not in words
    assert "To Ben" in pages.get("/history?q=to+ben").words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "Reported to Redeliver without Octopods' id; its status is not known."),
        ("sent", "Reported as sent. Nobody has said yet whether it arrived."),
        ("delivered", "It was delivered."),
    ],
)
def test_a_message_reported_without_an_id_is_told_as_no_more_than_that(
    pages: Pages, status: str | None, words: str
) -> None:
    told = {"destination_phone": "+353871234567", **({"status": status} if status else {})}
    assert pages.site.gateway("/track", told, keys.SMS).status_code == 201
    listed = pages.get("/history")
    page = pages.get(next(link for link in listed.read.links.values() if link.startswith("/history/msg_")))
    assert words in page.words
    assert "Reported" in page.words
    for claim in ("None", "Octopods took it", "Accepted"):
        assert claim not in page.words
    if status is None:
        assert "Status not known" in listed.words
        assert "Waiting for delivery" not in page.words


def test_the_page_of_a_message_tells_all_and_fixes_it_once(both_pages: Pages) -> None:
    pages = both_pages
    content = Content(template_id="90001", variables=["Mara", "Tuesday"])
    message = pages.failed(
        "not_on_whatsapp", channel="whatsapp", channel_id=pages.channel("whatsapp"), content=content
    )
    page = pages.get(f"/history/{message.id}")
    assert "Who can fix it" in page.words
    assert "not_on_whatsapp: word for word" in page.words
    receipt = pages.press(page, "Send as SMS instead")
    assert "Sent again by SMS. Octopods took it as" in receipt.words
    again = pages.press(page, "Send as SMS instead")
    assert len(pages.site.octopods.sends()) == 1
    assert "Sent again by SMS." in again.words
    child = pages.child(message.id)
    assert child is not None
    assert child.sender is not None
    assert child.sender.name == "Ana Kos"


def test_after_a_press_the_page_of_the_new_message_can_be_loaded_again(pages: Pages) -> None:
    message = pages.failed("not_on_whatsapp", channel="whatsapp", content=Content(template_id="90001"))
    page = pages.get(f"/history/{message.id}")
    receipt = pages.press(page, "Send as SMS instead")
    child = pages.child(message.id)
    assert child is not None
    assert receipt.response.request.path == f"/history/{child.id}"
    assert receipt.read.links["Refresh"] == f"/history/{child.id}"
    old = pages.get(f"/history/{message.id}")
    assert old.read.links["See the newest attempt"] == f"/history/{child.id}"
    assert "What to do nowNothing. It was sent again." in old.words


def test_a_handled_message_asks_for_nothing_more(pages: Pages) -> None:
    message = pages.failed("insufficient_balance")
    pages.press(pages.get(f"/history/{message.id}"), "Mark as handled")
    assert "Nothing. It was marked as handled by Ana Kos." in pages.get(f"/history/{message.id}").words


def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(pages: Pages) -> None:
    message = pages.failed("landline_or_unreachable", channel_id=pages.channel("sms"))
    page = pages.get(f"/history/{message.id}")
    wrong = pages.press(page, "Send", **{"field-phone": "12ab"})
    assert "This is not a full phone number." in wrong.words
    assert wrong.form("Send").values["field-phone"] == "12ab"
    right = pages.press(wrong, "Send", **{"field-phone": "+353871234568"})
    assert "Sent again by SMS." in right.words
    assert pages.site.octopods.sends()[0]["body"]["destination_phone"] == "+353871234568"


def test_a_form_of_another_session_or_an_altered_button_does_nothing(pages: Pages) -> None:
    message = pages.failed("insufficient_balance", channel_id=pages.channel("sms"))
    page = pages.get(f"/history/{message.id}")
    assert pages.press(page, "Mark as handled", csrf_token="0" * 64).status == 403
    altered = pages.press(page, "Mark as handled", fix="x" + page.form("Mark as handled").values["fix"])
    assert "too old or was altered" in altered.words
    other = pages.failed("insufficient_balance", channel_id=pages.channel("sms"))
    foreign = pages.get(f"/history/{other.id}").form("Mark as handled").values["fix"]
    pages.press(page, "Mark as handled", fix=foreign)
    assert pages.stored(message.id).handled_at is None
    assert pages.stored(other.id).handled_at is None
    assert "Marked as handled." in pages.press(page, "Mark as handled").words


def test_a_foreign_message_is_an_unknown_one(pages: Pages) -> None:
    with writing(pages.flow.engine) as conn:
        other = installs.put(conn, "intercom", "other", pages.now).id
    foreign = made.failed(pages.flow.catalogue, other, pages.now, "not_on_whatsapp")
    pages.add(foreign)
    unknown = pages.get(f"/history/msg_{'0' * 26}")
    seen = pages.get(f"/history/{foreign.id}")
    assert seen.status == unknown.status == 404
    assert NOBODY_HERE in seen.words
    assert seen.words == unknown.words


def test_the_file_is_harmless_in_a_spreadsheet_and_hides_numbers_when_asked(pages: Pages) -> None:
    evil = '=HYPERLINK("http://evil.example","click")'
    pages.failed("not_on_whatsapp", contact_id=evil, octopods_id="6230011")
    pages.failed("insufficient_balance", contact_id="@SUM(A1)")
    masked = pages.get("/history.csv?mask=yes&reason=not_on_whatsapp")
    plain = pages.get("/history.csv")
    assert masked.response.headers["Content-Disposition"].startswith("attachment;")
    rows = list(csv.DictReader(io.StringIO(plain.response.get_data(as_text=True))))
    assert [row["contact"] for row in rows] == ["'@SUM(A1)", f"'{evil}"]
    assert rows[1]["to"] == "'+353871234567"
    only = list(csv.DictReader(io.StringIO(masked.response.get_data(as_text=True))))
    assert [row["octopods_id"] for row in only] == ["6230011"]
    assert only[0]["to"] == "'+35…67"
    assert "871234567" not in masked.response.get_data(as_text=True)


def test_the_file_holds_more_than_a_page(pages: Pages) -> None:
    pages.add(*(made.message(pages.install.id, pages.now + timedelta(seconds=i)) for i in range(620)))
    rows = list(csv.reader(io.StringIO(pages.get("/history.csv").response.get_data(as_text=True))))
    assert len(rows) == 621
    assert len({row[0] for row in rows}) == 621
