"""Who may fix: a button that cannot work is not drawn, and pressing it all the same sends nothing, on every surface."""

from __future__ import annotations

from typing import Any

import pytest

from canvas.cli.commands import register
from canvas.domain.rights import FOR_ONLOOKERS
from canvas.flows import installs as install_flow
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import audit, installs, messages
from canvas.store.database import reading
from tests.desk import ADMIN, Screen
from tests.hubspot.desk import VOUCHED, HubSpotDesk, click_body
from tests.web.browser import BEN, Browser, Page

MARA = BY_ID["not_on_whatsapp"]
COLLEAGUE = {**ADMIN, "id": "814861", "name": "Ben Ito"}  # who signs in as BEN at the fake Intercom
ASK = "Ask to be allowed to fix"
SEND = "Send as SMS instead"
NAMED = "Only teammates whom an admin has named may fix messages here. Ana Kos can name you"
ADMINS = "Only admins of Redeliver may fix messages here: Ana Kos."
LEFT = {"Details", "Copy for support", "Ask an admin", "Refresh", "Back", ASK}


@pytest.fixture
def ana(site: HubSpotDesk, browser: Browser) -> Browser:
    """The admin, signed in, with channels, and one message that failed."""
    browser.sign_in()
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        install_flow.add_channel(site.flow, "intercom:sandbox", kind, key, None, None)
    site.work()
    site.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    site.pass_time(15)
    return browser


def allow(ana: Browser, may_fix: str, **more: str) -> Page:
    return ana.press(ana.get("/settings"), "Save", may_fix=may_fix, **more)


def card(site: HubSpotDesk, admin: dict[str, Any] = COLLEAGUE) -> Screen:
    return site.initialize(workspace_id="sandbox", admin=admin)


def as_other(screen: Screen, admin: dict[str, Any]) -> Screen:
    """The same canvas in another teammate's hands."""
    return Screen(screen.body, {**screen.person, "admin": admin})


def press(site: HubSpotDesk, screen: Screen, label: str) -> Screen:
    return site.click(screen, label)


def sends(site: HubSpotDesk) -> int:
    return len(site.octopods.sends())


@pytest.mark.parametrize(("may_fix", "sentence"), [("named", NAMED), ("admins", ADMINS)])
def test_the_inbox_draws_no_button_for_who_may_not_and_takes_no_press(
    site: HubSpotDesk, ana: Browser, may_fix: str, sentence: str
) -> None:
    open_to_all = card(site)
    assert SEND in open_to_all.buttons
    allow(ana, may_fix)
    seen = card(site)
    assert sentence in seen.words.replace("\\", "")
    details = press(site, seen, "Details")
    assert sentence in details.words.replace("\\", "")
    assert {*seen.buttons, *details.buttons} <= LEFT
    assert (ASK in seen.buttons) is (may_fix == "named")
    for screen in (open_to_all, as_other(card(site, ADMIN), COLLEAGUE)):
        assert sentence in press(site, screen, SEND).words.replace("\\", "")
    assert sends(site) == 1
    press(site, card(site, ADMIN), SEND)
    assert sends(site) == 2


def test_a_teammate_asks_an_admin_names_them_and_then_they_fix(site: HubSpotDesk, ana: Browser) -> None:
    allow(ana, "named")
    asked = press(site, card(site), ASK)
    assert "You asked" in asked.words
    again = card(site)
    assert ASK not in again.buttons
    assert "Ana Kos can allow it" in again.words
    people = ana.get("/settings")
    assert "Asks to fix" in people.words
    ana.press(people, "Let fix Ben Ito")
    press(site, card(site), SEND)
    assert sends(site) == 2
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        deeds = {(line.deed, line.actor_name) for line in audit.everything(conn, install.id)}
    assert {("fix.ask_to_fix", "Ben Ito"), ("teammate.fixer", "Ana Kos")} <= deeds


def test_the_right_ends_when_it_is_taken_back(site: HubSpotDesk, ana: Browser) -> None:
    allow(ana, "named")
    press(site, card(site), ASK)
    ana.press(ana.get("/settings"), "Let fix Ben Ito")
    drawn = card(site)
    ana.press(ana.get("/settings"), "Remove Ben Ito")
    assert "Only teammates whom an admin has named" in press(site, drawn, SEND).words
    assert ASK not in card(site).buttons
    assert sends(site) == 1


def test_nobody_takes_back_a_send_who_may_not_fix(site: HubSpotDesk, ana: Browser) -> None:
    allow(ana, "admins", undo_seconds="30")
    waiting = press(site, card(site, ADMIN), SEND)
    assert "Undo" in waiting.buttons
    assert "Undo" not in card(site).buttons
    press(site, as_other(waiting, COLLEAGUE), "Undo")
    site.pass_time(31)
    assert sends(site) == 2


def test_the_pages_draw_no_button_either(site: HubSpotDesk, ana: Browser) -> None:
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        message = messages.open_for_person(conn, install.id, "c1", (), 1)[0][0]
    here = f"/history/{message.id}"
    link = f"/m/{site.flow.message_links.token(message)}"
    stranger = Browser(site.app.test_client())
    before = {who: who.get(path) for who, path in ((ben, here), (stranger, link))}
    allow(ana, "admins")
    for who, path in ((ben, here), (stranger, link)):
        assert ADMINS in who.get(path).words
        assert SEND not in {label for f in who.get(path).read.forms for label, _, _ in f.buttons}
        assert ADMINS in who.press(before[who], SEND).words
    assert sends(site) == 1
    ana.press(ana.get(here), SEND)
    assert sends(site) == 2


def test_many_are_fixed_only_by_who_may_fix_one(site: HubSpotDesk, ana: Browser) -> None:
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    allow(ana, "everyone", may_bulk="everyone")
    drawn = ben.get("/history/bulk")
    job = ben.press(drawn, "Make a dry run")
    allow(ana, "admins", may_bulk="everyone")
    assert ben.press(drawn, "Make a dry run").status == 403
    assert ben.press(job, "Start: fix 1 message").status == 403
    for path in ("/history/bulk", job.response.request.path):
        page = ben.get(path)
        assert ADMINS in page.words
        assert {label for f in page.read.forms for label, _, _ in f.buttons} == {"Sign out"}


def test_a_running_job_stops_fixing_when_its_starter_may_not_any_more(
    site: HubSpotDesk, ana: Browser
) -> None:
    site.send_whatsapp(MARA.phone, 90001, ["Mara", "Wednesday"], contact="c2")
    site.pass_time(15)
    ben = Browser(site.app.test_client())
    ben.sign_in(choice=BEN)
    allow(ana, "everyone", may_bulk="everyone")
    job = ben.press(ben.press(ben.get("/history/bulk"), "Make a dry run"), "Start: fix 2 messages")
    assert sends(site) == 3
    allow(ana, "admins")
    site.pass_time(10)
    assert f"1: {ADMINS}" in ana.get(job.response.request.path).words
    assert sends(site) == 3


def test_hubspot_users_are_told_apart_by_the_id_hubspot_vouches_for(
    site: HubSpotDesk, browser: Browser
) -> None:
    browser.sign_in("hubspot")
    for kind, key in (("whatsapp", keys.WHATSAPP), ("sms", keys.SMS)):
        install_flow.add_channel(site.flow, "hubspot:62515", kind, key, None, None)
    site.work()
    site.send_whatsapp_for(MARA.phone)
    site.pass_time(15)
    drawn = site.newest()
    allow(browser, "named")
    ben = {**VOUCHED, "userId": "5502", "userEmail": "ben.ito@example.com"}

    def look() -> dict[str, Any]:
        found: dict[str, Any] = site.fetch("GET", "/hubspot/card?objectId=901", vouched=ben).get_json()
        return found

    def fix_as_ben(failure: dict[str, Any], fix: str) -> dict[str, Any]:
        body = click_body(failure, fix)
        found: dict[str, Any] = site.fetch("POST", "/hubspot/card/fix", body, vouched=ben).get_json()
        return found

    seen = look()
    assert seen["notice"]["text"].startswith("Only teammates whom an admin has named")
    assert {fix["id"] for fix in seen["failures"][0]["fixes"]} <= FOR_ONLOOKERS
    refused = fix_as_ben(drawn, "send_other_channel")
    assert refused["ok"] is False
    assert "Only teammates whom an admin has named" in refused["error"]["message"]
    assert sends(site) == 1
    assert fix_as_ben(look()["failures"][0], "ask_to_fix")["ok"] is True
    browser.press(browser.get("/settings"), "Let fix ben.ito@example.com")
    assert look()["notice"] is None
    assert fix_as_ben(look()["failures"][0], "send_other_channel")["ok"] is True
    assert sends(site) == 2


def test_what_an_admin_arranged_needs_no_named_person(site: HubSpotDesk, ana: Browser) -> None:
    """The automatic retry is the admin's own choice."""
    allow(ana, "admins", auto_reach="15")
    site.send_sms(BY_ID["handset_unreachable"].phone, contact="c2")
    for _ in range(3):
        site.pass_time(20 * 60)
    assert sends(site) == 3


def test_an_operator_appoints_an_admin_when_the_only_one_is_lost(site: HubSpotDesk, ana: Browser) -> None:
    register(site.app)
    run = site.app.test_cli_runner()
    mine = ["--install", "intercom:sandbox"]
    appointed = run.invoke(args=["teammate", "appoint", *mine, "814861", "--name", "Ben Ito"])
    assert appointed.output == "Ben Ito (814861) is an admin of intercom:sandbox.\n"
    ben = Browser(site.app.test_client())
    assert "Ben Ito" in ben.sign_in(choice=BEN).words
    ben.press(ben.get("/settings"), "Remove Ana Kos")
    assert ana.get("/settings").status == 401
    run.invoke(args=["teammate", "appoint", *mine, "814860"])
    assert Browser(site.app.test_client()).sign_in().status == 200
    assert run.invoke(args=["teammate", "list", *mine]).output == (
        "814860\tadmin\tAna Kos\n814861\tadmin\tBen Ito\n"
    )
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        kinds = [e.actor_kind for e in audit.everything(conn, install.id) if e.deed == "teammate.admin"]
    assert kinds == ["operator", "operator"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--install", "intercom:nobody", "1"], "There is no install intercom:nobody."),
        (["--install", "intercom:sandbox", "Ana Kos"], "A teammate's id has letters, digits, _ and - only"),
    ],
)
def test_nobody_is_appointed_by_mistake(
    site: HubSpotDesk, ana: Browser, args: list[str], sentence: str
) -> None:
    register(site.app)
    refused = site.app.test_cli_runner().invoke(args=["teammate", "appoint", *args])
    assert refused.exit_code == 1
    assert sentence in refused.output
