"""The page of one message: the same words and fixes as on the cards, for whoever holds a link."""

from __future__ import annotations

import pytest

from canvas.domain.message import Message
from canvas.flows import installs
from canvas.flows import installs as install_flow
from canvas.sandbox.people import BY_ID
from canvas.store import actions, messages
from canvas.store import installs as install_store
from canvas.store.database import reading, writing
from tests.desk import WORKSPACE, Desk
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import Browser, Page

MARA = BY_ID["not_on_whatsapp"]


def newest(site: HubSpotDesk, contact: str = "c1") -> Message:
    with reading(site.flow.engine) as conn:
        install = install_store.find(conn, "intercom", WORKSPACE)
        assert install
        found, _ = messages.open_for_person(conn, install.id, contact, (), 5)
    return found[0]


def failed(site: HubSpotDesk) -> Message:
    site.connect()
    site.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    site.pass_time(15)
    return newest(site)


def path(site: HubSpotDesk, message: Message) -> str:
    return f"/m/{site.flow.message_links.token(message)}"


def opened(site: HubSpotDesk, browser: Browser) -> Page:
    return browser.get(path(site, failed(site)))


def test_the_page_says_what_the_card_says(site: HubSpotDesk, browser: Browser) -> None:
    page = opened(site, browser)
    assert page.status == 200
    details = Desk.click(site, site.initialize(), "Details")
    for line in ("Not on WhatsApp", "What happened", "Who can fix it", "Will sending again help?"):
        assert line in page.words
        assert line in details.words
    assert details.component("said")["text"].split(": ", 1)[-1].split(". ")[0] in page.words


def test_the_link_is_told_to_nobody_the_page_asks(site: HubSpotDesk) -> None:
    answer = site.client.get(path(site, failed(site)))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert 'name="referrer"' not in answer.text
    assert site.client.get("/reasons").headers["Referrer-Policy"] == "same-origin"


def test_the_page_quotes_octopods_with_its_own_words_alone(site: HubSpotDesk, browser: Browser) -> None:
    site.connect()
    site.octopods.set_fault("cut_after", path="/sms/messages")
    site.send_sms(MARA.phone)
    page = browser.get(path(site, newest(site)))
    assert "What Redeliver noted" in page.words
    assert "The connection to Octopods broke before it answered." in page.words
    assert "word for word" not in page.words.partition("What you can do")[0]


def test_one_press_sends_it_once_however_often_it_is_pressed(site: HubSpotDesk, browser: Browser) -> None:
    page = opened(site, browser)
    sent = browser.press(page, "Send as SMS instead")
    assert "Sent again by SMS. Octopods took it as" in sent.words
    again = browser.press(page, "Send as SMS instead")
    assert "Sent again by SMS" in again.words
    assert len(site.octopods.sends()) == 2


def test_the_old_page_leads_to_the_newest_attempt(site: HubSpotDesk, browser: Browser) -> None:
    message = failed(site)
    page = browser.get(path(site, message))
    browser.press(page, "Send as SMS instead")
    old = browser.get(path(site, message))
    assert "This message was sent again" in old.words
    assert "Sent again by SMS" in browser.get(old.read.links["See the newest attempt"]).words


def test_a_send_that_was_undone_was_not_sent_again(site: HubSpotDesk, browser: Browser) -> None:
    site.connect()
    site.send_sms(BY_ID["handset_unreachable"].phone)
    site.pass_time(15)
    page = browser.get(path(site, newest(site)))
    waiting = browser.press(page, "Send again at 1:35PM")
    undone = browser.press(waiting, "Undo")
    assert "Undone. Nothing was sent." in undone.words
    for seen in (undone, browser.get(path(site, newest(site)))):
        assert "Send again at 1:35PM" in [label for form in seen.read.forms for label, _, _ in form.buttons]
        assert "was sent again" not in seen.words
        assert "Attempts so far: 1" in seen.words
    browser.press(undone, "Send again at 1:35PM")
    again = newest(site)
    assert (again.attempt, again.status) == (2, "queued")


def test_a_form_is_refused_with_its_values_kept_and_then_sent(site: HubSpotDesk, browser: Browser) -> None:
    page = opened(site, browser)
    bad = {"field-choice": "other", "field-phone": "12"}
    wrong = browser.press(page, "Send", "field-phone", **bad)
    assert wrong.status == 400
    assert "This is not a full phone number" in wrong.words
    assert wrong.form("Send").values["field-phone"] == "12"
    sent = browser.press(wrong, "Send", **{**bad, "field-phone": "+46701740613"})
    assert "Sent again by WhatsApp" in sent.words
    assert site.octopods.sends()[-1]["body"]["destination_phone"] == "+46701740613"


def test_what_providers_and_customers_wrote_is_escaped(site: HubSpotDesk, browser: Browser) -> None:
    site.connect()
    evil = '<script>alert(1)</script>"><img src=x>'
    body = {"channel": "sms", "message_id": 5, "destination_phone": "+46701740613", "contact_id": "c1"}
    body |= {"status": "failed", "failure_reason": evil, "body": evil}
    assert site.gateway("/track", body, "sandbox-sms-2222").status_code == 201
    html = browser.get(path(site, newest(site))).response.get_data(as_text=True)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;" in html


def test_only_this_page_may_stand_inside_hubspot(site: HubSpotDesk, browser: Browser) -> None:
    policy = opened(site, browser).response.headers["Content-Security-Policy"]
    assert "frame-ancestors https://*.hubspot.com" in policy
    assert "frame-ancestors 'none'" in browser.get("/").response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 10)])
def test_an_altered_link_opens_nothing(site: HubSpotDesk, browser: Browser, cut: slice) -> None:
    token = path(site, failed(site)).removeprefix("/m/")
    page = browser.get(f"/m/{token[cut]}")
    assert (page.status, "was altered" in page.words) == (404, True)


def test_after_seven_days_a_link_asks_to_sign_in(site: HubSpotDesk, browser: Browser) -> None:
    message = failed(site)
    link = path(site, message)
    site.clock.advance(7 * 24 * 3600 + 1)
    page = browser.get(link)
    assert (page.status, "good for 7 days" in page.words) == (410, True)
    assert "Not on WhatsApp" not in page.words
    start = browser.get(page.read.links["Sign in"])
    leave = browser.client.get(start.read.links["Connect Intercom"])
    assert browser.client.get(browser.consent(leave.location)).location == link


def test_people_of_the_workspace_may_still_open_an_expired_link_and_others_not(
    site: HubSpotDesk, browser: Browser
) -> None:
    browser.sign_in()
    with reading(site.flow.engine) as conn:
        own = install_store.find(conn, "intercom", "sandbox")
    assert own
    install_flow.add_channel(site.flow, "intercom:sandbox", "sms", "sandbox-sms-2222", None, None)
    body = {"channel": "sms", "message_id": 5, "destination_phone": "+46701740613", "contact_id": "c1"}
    site.gateway("/track", {**body, "status": "failed", "failure_reason": "30003"}, "sandbox-sms-2222")
    with reading(site.flow.engine) as conn:
        message = messages.open_for_person(conn, own.id, "c1", (), 1)[0][0]
    link = path(site, message)
    other = installs.connect(site.flow, "intercom", "other1", "token")
    foreign = f"/m/{site.flow.message_links._serializer.dumps([other.id, message.id, 1])}"
    site.clock.advance(8 * 24 * 3600)
    assert browser.get(link).status == 200 or (browser.sign_in() and browser.get(link).status == 200)
    assert browser.get(foreign).status == 410


def test_a_link_of_a_removed_or_unknown_message_or_install_says_the_same(
    site: HubSpotDesk, browser: Browser
) -> None:
    message = failed(site)
    now = int(site.clock().timestamp())
    dumps = site.flow.message_links._serializer.dumps
    unknown = browser.get(f"/m/{dumps([message.install_id, 'msg_none', now])}")
    nowhere = browser.get(f"/m/{dumps([999, message.id, now])}")
    with writing(site.flow.engine) as conn:
        install_store.put(conn, "intercom", WORKSPACE, site.clock(), status=install_store.REMOVED)
    removed = browser.get(path(site, message))
    assert {p.status for p in (unknown, nowhere, removed)} == {404}
    assert unknown.words == nowhere.words == removed.words


def test_a_button_of_another_message_or_made_up_does_nothing(site: HubSpotDesk, browser: Browser) -> None:
    page = opened(site, browser)
    site.send_whatsapp(MARA.phone, 90001, ["Mara", "Friday"], contact="c2")
    site.pass_time(15)
    other = browser.get(path(site, newest(site, "c2")))
    stolen = other.form("Send as SMS instead").values["fix"]
    assert "too old or was altered" in browser.press(page, "Send as SMS instead", fix=stolen).words
    assert "too old or was altered" in browser.press(page, "Send as SMS instead", fix="x").words
    assert len(site.octopods.sends()) == 2


def test_a_form_that_was_not_drawn_here_does_nothing(site: HubSpotDesk, browser: Browser) -> None:
    page = opened(site, browser)
    for token in ("", "ü", "0" * 64):
        assert browser.press(page, "Send as SMS instead", csrf_token=token).status == 403
    assert len(site.octopods.sends()) == 1


def test_who_pressed_is_written_down(site: HubSpotDesk, browser: Browser) -> None:
    message = failed(site)
    browser.press(browser.get(path(site, message)), "Send as SMS instead")
    with reading(site.flow.engine) as conn:
        child = messages.child_of(conn, message.install_id, message.id)
        assert child
        action = actions.by_key(conn, message.install_id, f"send:{child.id}")
    assert action
    assert action.actor
    assert action.actor.kind == "link"


def test_the_report_for_support_names_a_page_to_look_at_and_no_more(
    site: HubSpotDesk, browser: Browser
) -> None:
    """The report leaves the workspace, so whoever holds its link sends nothing with it."""
    failed(site)
    details = Desk.click(site, site.initialize(), "Details")
    report = Desk.click(site, details, "Copy for support").component("bundle")["value"]
    link = report.rpartition("Page: ")[2].strip()
    page = browser.get(link.removeprefix("https://redeliver.example.com"))
    assert page.status == 200
    assert "Not on WhatsApp" in page.words
    assert "This link is for looking." in page.words
    assert "Send as SMS instead" not in page.words
    assert "Mark as handled" not in page.words
    assert "Ask an admin" not in page.words
    assert len(site.octopods.sends()) == 1
