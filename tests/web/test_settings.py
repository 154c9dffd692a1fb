"""The settings: admins change, others look, and what cannot be is refused in one sentence each."""

from __future__ import annotations

import pytest

from canvas.flows import installs as install_flow
from canvas.sandbox.octopods import keys
from canvas.store import audit, channels, installs
from canvas.store.channels import Channel
from canvas.store.database import reading
from canvas.store.installs import Install
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import BEN, Browser, Page


def own(site: HubSpotDesk) -> tuple[Install, list[Channel]]:
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        return install, channels.of_install(conn, install.id)


@pytest.fixture
def page(site: HubSpotDesk, browser: Browser) -> Page:
    """The settings of a workspace just connected, as its admin sees them."""
    found = browser.sign_in()
    assert found.response.request.path == "/settings"
    return found


def connect(browser: Browser, page: Page, **changes: str) -> Page:
    return browser.press(page, "Connect", **{"kind": "sms", "key": keys.SMS, "name": "Shop", **changes})


def test_a_channel_is_connected_and_its_key_never_shown_again(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    after = connect(browser, page, number="+353871234567")
    assert "Octopods accepted its key" in after.words
    assert f"ends in {keys.SMS[-4:]}" in after.words
    assert keys.SMS not in after.response.get_data(as_text=True)
    assert [c.name for c in own(site)[1]] == ["Shop"]


@pytest.mark.parametrize("kind", ["whatsapp", "sms", "vbm"])
def test_a_key_that_octopods_does_not_know_is_not_saved(
    site: HubSpotDesk, browser: Browser, page: Page, kind: str
) -> None:
    after = connect(browser, page, kind=kind, key="not-a-key")
    assert after.status == 400
    assert "Octopods does not accept this key" in after.words
    assert own(site)[1] == []


@pytest.mark.parametrize(("kind", "key"), [("whatsapp", keys.WHATSAPP), ("vbm", keys.VBM)])
def test_the_other_kinds_connect_too(
    site: HubSpotDesk, browser: Browser, page: Page, kind: str, key: str
) -> None:
    assert "Octopods accepted its key" in connect(browser, page, kind=kind, key=key).words


def test_a_key_of_another_install_is_refused(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    install_flow.connect(site.flow, "intercom", "other1", "token")
    install_flow.add_channel(site.flow, "intercom:other1", "sms", keys.SMS, None, None)
    assert "belongs to another install" in connect(browser, page).words
    assert own(site)[1] == []


def test_a_number_that_is_not_complete_is_refused_and_kept_in_the_form(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    after = connect(browser, page, number="087 123")
    assert "full international form" in after.words
    assert after.form("Connect").values["number"] == "087 123"
    assert after.form("Connect").values["key"] == ""
    assert own(site)[1] == []


def test_octopods_out_of_reach_saves_nothing(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    site.octopods.set_fault("down", times=0)
    assert "does not answer right now" in connect(browser, page).words
    assert own(site)[1] == []


def test_the_same_form_sent_twice_connects_once(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    connect(browser, page)
    assert "named Shop already" in connect(browser, page).words
    assert len(own(site)[1]) == 1


def section(page: Page, part: str) -> str:
    """The part of the page that the address's fragment leads to."""
    html = page.response.get_data(as_text=True)
    return html.partition(f'<section class="stack" id="{part}"')[2].partition("</section>")[0]


def test_what_was_done_is_said_where_the_page_scrolls_to(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    after = connect(browser, page)
    assert "The channel is connected." in section(after, "channels")
    assert "Noted. Messages" in section(browser.press(after, "It is repaired"), "channels")
    assert "Saved." in section(browser.press(after, "Save"), "choices")
    assert "Saved." in section(browser.get("/settings?done=teammate"), "team")
    site.send_sms("+46701740699", contact="c1")
    hasty = section(browser.press(after, "Erase this person", whom="+46 70 174 06 99"), "data")
    assert "This cannot be undone" in hasty
    who = {"whom": "+46 70 174 06 99", "for_good": "yes"}
    erased = section(browser.press(after, "Erase this person", **who), "data")
    assert "1 message of this person was erased; a search afterwards found 0." in erased
    nobody = browser.press(after, "Erase this person", whom="c1", for_good="yes")
    assert "Nobody here has this id or number" in nobody.words
    assert 'value="c1"' in section(nobody, "data")


def test_one_key_is_one_channel_of_its_kind(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    site.octopods.add_key("workspace-key", "workspace")
    first = connect(browser, page, key="workspace-key")
    again = connect(browser, first, key="workspace-key", name="Shop too")
    has_it = "The SMS channel named Shop has this key already."
    assert (again.status, has_it in again.words) == (400, True)
    with pytest.raises(install_flow.Refused, match="named Shop has this key"):
        install_flow.add_channel(site.flow, "intercom:sandbox", "sms", "workspace-key", "Other", None)
    assert "accepted its key" in connect(browser, first, kind="vbm", key="workspace-key").words
    both = connect(browser, first, name="Second")
    assert sorted(c.name for c in own(site)[1]) == ["Second", "Shop", "Shop"]
    second = browser.press(both, "Replace the key", key=keys.SMS)
    assert "The SMS channel named Second has this key already." in second.words


def test_a_key_is_replaced_and_a_channel_disconnected(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    after = connect(browser, page)
    wrong = browser.press(after, "Replace the key", key="not-a-key")
    assert "does not accept this key" in wrong.words
    assert own(site)[1][0].key_last4 == keys.SMS[-4:]
    assert "has its new key" in browser.press(after, "Replace the key", key=keys.SMS).words
    gone = browser.press(after, "Disconnect")
    assert "key forgotten" in gone.words
    assert own(site)[1] == []
    assert "There is no channel" in browser.press(after, "Disconnect").words


def test_an_admin_says_that_a_channel_is_repaired(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    after = connect(browser, page)
    site.clock.advance(60)
    assert "can be sent again" in browser.press(after, "It is repaired").words
    install, (channel,) = own(site)
    assert channel.changed_at > channel.created_at
    with reading(site.flow.engine) as conn:
        last = audit.newest(conn, install.id, 1)[0]
    assert (last.deed, last.about, last.actor_name) == ("channel.repaired", str(channel.id), "Ana Kos")
    browser.press(after, "Disconnect")
    assert "There is no channel" in browser.press(after, "It is repaired").words


def test_choices_are_saved_and_written_down(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    after = browser.press(page, "Save", country="ie", timezone="Europe/Dublin", undo_seconds="10")
    assert "Saved." in after.words
    install = own(site)[0]
    assert (install.settings["country"], install.tz, install.settings["undo_seconds"]) == (
        "IE",
        "Europe/Dublin",
        10,
    )
    with reading(site.flow.engine) as conn:
        last = audit.newest(conn, install.id, 1)[0]
    assert (last.deed, last.actor_name) == ("settings.changed", "Ana Kos")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("country", "XX", "Enter a country as two letters"),
        ("country", "", "Enter a country as two letters"),
        ("timezone", "Dublin", "Enter a time zone by its name"),
        ("timezone", "../../etc/passwd", "Enter a time zone by its name"),
        ("undo_seconds", "61", "Enter a whole number from 0 to 60"),
        ("undo_seconds", "-1", "Enter a whole number from 0 to 60"),
        ("undo_seconds", "١", "Enter a whole number from 0 to 60"),
        ("auto_most", "4", "Enter a whole number from 1 to 3"),
        ("auto_reach", "1", "Choose one of the list"),
        ("may_fix", "nobody", "Choose one of the list"),
        ("retention_days", "0", "Enter a whole number from 1 to 3650"),
        ("may_bulk", "nobody", "Choose one of the list"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_one_sentence(
    site: HubSpotDesk, browser: Browser, page: Page, field: str, value: str, sentence: str
) -> None:
    before = own(site)[0].settings
    after = browser.press(page, "Save", **{field: value})
    assert after.status == 400
    assert sentence in after.words
    assert own(site)[0].settings == before
    html = after.response.get_data(as_text=True)
    assert f'id="e-{field}"' in html
    assert 'aria-invalid="true"' in html


def test_a_replayed_form_is_refused(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    browser.press(page, "Save", undo_seconds="10")
    site.clock.advance(1)
    browser.press(browser.get("/settings"), "Save", undo_seconds="20")
    late = browser.press(page, "Save", undo_seconds="10")
    assert (late.status, "were changed since this page was drawn" in late.words) == (400, True)
    assert own(site)[0].settings["undo_seconds"] == 20


def test_a_form_of_an_earlier_sign_in_is_refused(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    browser.press(page, "Sign out")
    browser.sign_in()
    late = browser.press(page, "Save", undo_seconds="10")
    assert (late.status, "from an earlier sign-in" in late.words) == (403, True)


@pytest.mark.parametrize(
    ("referrer", "way_on"),
    [
        ("http://localhost/settings", "/settings"),
        ("http://localhost//evil.example/x", "/"),
        ("https://evil.example/settings", "/"),
        ("", "/"),
    ],
)
def test_a_refused_form_leads_back_to_its_own_page(
    site: HubSpotDesk, browser: Browser, page: Page, referrer: str, way_on: str
) -> None:
    headers = {"Referer": referrer} if referrer else {}
    refused = Page(browser.client.post("/settings/channels", data={"csrf_token": "x"}, headers=headers))
    assert refused.status == 403
    assert refused.read.links["Load the page again"] == way_on


def test_members_look_and_may_change_nothing(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    connect(browser, page)
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    seen = ben.get("/settings")
    assert "Admins can change them: Ana Kos" in seen.words
    assert "Save" not in [label for f in seen.read.forms for label, _, _ in f.buttons]
    token = seen.form("Sign out").values["csrf_token"]
    for path in ("", "/channels", "/channels/1/key", "/channels/1/remove", "/team", "/erase"):
        assert ben.client.post(f"/settings{path}", data={"csrf_token": token}).status_code == 403
    assert ben.get("/settings/export").status == 403


def test_strangers_are_asked_to_sign_in(site: HubSpotDesk, browser: Browser) -> None:
    assert browser.get("/settings").status == 401
    assert browser.client.post("/settings/channels").status_code == 401


def test_a_channel_of_another_install_is_as_unknown_as_one_that_never_was(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    install_flow.connect(site.flow, "intercom", "other1", "token")
    foreign = install_flow.add_channel(site.flow, "intercom:other1", "sms", keys.SMS, None, None)
    token = page.form("Sign out").values["csrf_token"]
    for deed in ("key", "remove"):
        data = {"csrf_token": token, "key": keys.VBM}
        answers = [
            browser.client.post(f"/settings/channels/{n}/{deed}", data=data) for n in (foreign.id, 999)
        ]
        assert [a.status_code for a in answers] == [400, 400]
        assert answers[0].text.replace(f"channel {foreign.id} ", "channel 999 ") == answers[1].text
        huge = browser.client.post(f"/settings/channels/{10**22}/{deed}", data=data)
        assert huge.status_code == 404


def test_the_last_admin_stays_and_a_removed_teammate_is_out(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    assert "The only admin" in page.words
    assert "Remove Ana Kos" not in page.words
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    seen = browser.get("/settings")
    two = browser.press(seen, "Make admin Ben Ito")
    browser.press(two, "Make member Ben Ito")
    assert "This is the last admin" in browser.press(two, "Remove Ana Kos").words
    after = browser.press(seen, "Remove Ben Ito")
    assert "Removed" in after.words
    assert ben.get("/settings").status == 401
    browser.press(after, "Let in again Ben Ito")
    assert ben.sign_in(choice=BEN).status == 200


def test_the_export_holds_no_key(site: HubSpotDesk, browser: Browser, page: Page) -> None:
    connect(browser, page)
    whole = browser.get("/settings/export").response.get_data(as_text=True)
    assert '"channels"' in whole
    assert keys.SMS not in whole
    assert "sandbox-intercom-token" not in whole


def test_members_fix_many_messages_only_where_an_admin_allows_it(
    site: HubSpotDesk, browser: Browser, page: Page
) -> None:
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    token = ben.get("/settings").form("Sign out").values["csrf_token"]

    def start() -> int:
        return ben.client.post("/history/bulk", data={"csrf_token": token}).status_code

    assert start() == 403
    browser.press(page, "Save", may_bulk="everyone")
    assert start() != 403
