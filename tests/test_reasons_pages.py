"""The public pages of the catalogue."""

from __future__ import annotations

import pytest

from canvas.knowledge.catalogue import load
from tests.desk import Desk


@pytest.mark.parametrize("reason_id", list(load().reasons))
def test_every_reason_has_its_page_with_all_that_is_known(desk: Desk, reason_id: str) -> None:
    reason = load().reasons[reason_id]
    page = desk.client.get(f"/reasons/{reason_id}")
    assert page.status_code == 200
    for words in ("What happened", "Who can fix it", "Will sending again help?", "What to do now"):
        assert words in page.text
    assert f"Reason id: <code>{reason_id}</code>" in page.text
    assert reason.source.replace("&", "&amp;") in page.text or not reason.source.startswith("http")


def test_the_index_lists_every_reason(desk: Desk) -> None:
    page = desk.client.get("/reasons").text
    assert all(f'href="/reasons/{reason_id}"' in page for reason_id in load().reasons)


@pytest.mark.parametrize("asked", ["131026", "Recipient is not a WhatsApp user.", "not_on_whatsapp"])
def test_a_reason_is_found_by_code_by_its_text_and_by_its_id(desk: Desk, asked: str) -> None:
    page = desk.client.get("/reasons", query_string={"q": asked}).text
    assert 'href="/reasons/not_on_whatsapp"' in page
    assert 'href="/reasons/carrier_filtered"' not in page


def test_what_is_searched_for_is_shown_escaped(desk: Desk) -> None:
    page = desk.client.get("/reasons", query_string={"q": "<script>alert(1)</script>\x00"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "Nothing found" in page.text


def test_an_unknown_reason_is_404(desk: Desk) -> None:
    assert desk.client.get("/reasons/made_up").status_code == 404


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Recipient is not a WhatsApp user.", "This text means"),
        ("The carrier did not take it", "We are not sure. It reads most like this:"),
        ("user unavailable", "It is not known what this text means. It could be:"),
        ("Blip 0xZZ", "It is not known what this text means."),
    ],
)
def test_a_text_is_explained_as_surely_as_it_is_known(desk: Desk, asked: str, words: str) -> None:
    page = desk.client.get("/reasons", query_string={"q": asked}).text
    said = ("This text means", "We are not sure", "It is not known")
    assert words in page
    assert sum(one in page for one in said) == 1
