"""Alerts as notes: in one Intercom conversation, or on one HubSpot contact. Each is told once, whatever breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from canvas.flows import alerts
from canvas.store import installs
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from tests.hubspot.desk import CONTACT, PORTAL, HubSpotDesk
from tests.web.browser import Browser, Page

WHAT = "SMS: No credit left"
CONVERSATION = "215470000000042"


@pytest.fixture
def browser(site: HubSpotDesk) -> Browser:
    return Browser(site.app.test_client())


def signed_in(browser: Browser, contact: str = CONTACT) -> Page:
    browser.sign_in("hubspot")
    return browser.press(browser.get("/settings/alerts"), "Save", contact=contact)


def install_of(site: HubSpotDesk) -> Install:
    with reading(site.flow.engine) as conn:
        found = installs.find(conn, "hubspot", PORTAL) or installs.find(conn, "intercom", "sandbox")
    assert found is not None
    return found


def happen(site: HubSpotDesk, title: str = WHAT, text: str = "5 people did not get their message.") -> None:
    install = install_of(site)
    with writing(site.flow.engine) as conn:
        alerts.say(conn, install.id, "incident_opened", title, title, text, site.clock())


def later(site: HubSpotDesk, seconds: float = 61) -> None:
    site.pass_time(seconds)


def notes(site: HubSpotDesk) -> list[str]:
    return [entry["body"] for entry in site.timeline() if entry["kind"] == "notes"]


def test_a_hubspot_admin_names_a_record_and_what_happens_together_is_one_note(
    site: HubSpotDesk, browser: Browser
) -> None:
    page = signed_in(browser, f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/{CONTACT}?eschref=x")
    assert "Saved." in page.words
    assert alerts.wishes(install_of(site)).contact == CONTACT
    happen(site)
    happen(site, "Channel <b>North</b> is not known", "<script>alert(1)</script>")
    assert notes(site) == []
    later(site)
    (note,) = notes(site)
    assert WHAT in note
    assert "Channel &lt;b&gt;North&lt;/b&gt; is not known" in note
    assert "<script>" not in note
    later(site, 3600)
    assert len(notes(site)) == 1


def test_a_test_reaches_the_record_at_once(site: HubSpotDesk, browser: Browser) -> None:
    assert "A test is on its way." in browser.press(signed_in(browser), "Send a test").words
    (note,) = notes(site)
    assert "A test of the alerts" in note


def test_a_cut_line_after_hubspot_took_the_note_tells_nothing_twice(
    site: HubSpotDesk, browser: Browser
) -> None:
    signed_in(browser)
    site.hubspot.search_lag(30)
    site.hubspot.set_fault("cut_after", path="/notes", method="POST")
    happen(site)
    later(site)
    happen(site, "WhatsApp: the key no longer works")  # while nobody knows whether the first was told
    for _ in range(5):
        later(site, 100)
    first, second = sorted(notes(site), key=lambda body: WHAT not in body)
    assert (first.count("<p>"), second.count("<p>")) == (1, 1)
    assert "the key no longer works" in second


def test_a_note_that_was_given_up_is_not_told_again_with_the_next(
    site: HubSpotDesk, browser: Browser
) -> None:
    signed_in(browser)
    site.hubspot.set_fault("cut_after", path="/notes", method="POST", times=1)
    happen(site)
    later(site)
    site.hubspot.set_fault("down", path="/notes", times=0)
    for _ in range(14):
        later(site, 6 * 3600)
    site.hubspot.clear_faults()
    browser.sign_in("hubspot")  # days have passed
    assert "The last alert could not be told" in browser.get("/settings/alerts").words
    happen(site, "WhatsApp: the key no longer works")
    for _ in range(4):
        later(site, 3600)
    assert sorted(WHAT in body for body in notes(site)) == [False, True]
    assert "The last alert could not be told" not in browser.get("/settings/alerts").words


def test_quiet_hours_hold_a_note_too(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in("hubspot")
    hour = site.clock().hour
    quiet = {"quiet_from": str(hour), "quiet_to": str((hour + 3) % 24)}
    browser.press(browser.get("/settings/alerts"), "Save", contact=CONTACT, **quiet)
    happen(site)
    later(site)
    assert notes(site) == []
    later(site, 3 * 3600)
    assert len(notes(site)) == 1


def test_a_record_that_is_not_there_is_said_in_hubspots_words(site: HubSpotDesk, browser: Browser) -> None:
    page = browser.press(signed_in(browser, "999999"), "Send a test")
    assert "The last alert could not be told" in browser.get("/settings/alerts").words, page.words


@pytest.mark.parametrize("wrong", ["Mara", "12 34", "https://evil.example/901", "-1", "9" * 40])
def test_what_names_no_record_is_not_kept(site: HubSpotDesk, browser: Browser, wrong: str) -> None:
    page = signed_in(browser, wrong)
    assert page.status == 400
    assert "Enter the number of a contact, or the address of its record." in page.words
    assert alerts.wishes(install_of(site)).contact == ""


def test_an_intercom_note_is_told_once_when_the_line_is_cut(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in("intercom")
    assert "HubSpot contact" not in browser.get("/settings/alerts").words
    browser.press(browser.get("/settings/alerts"), "Save", conversation=CONVERSATION)
    site.intercom.set_fault("cut_after", path="/reply", method="POST")
    happen(site)
    later(site)
    happen(site, "WhatsApp: the key no longer works")
    for _ in range(4):
        later(site, 1000)
    told = [one for one in site.intercom.control("GET", "log") if "/reply" in one["path"]]
    assert [WHAT in body for body in map(_body, told)] == [True, False]


def _body(call: dict[str, Any]) -> str:
    return json.dumps(call["body"])
