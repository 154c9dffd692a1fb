"""Installing is signing in: out to the vendor, back with a code, and every way in which that may go wrong."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from canvas.clients.errors import Unauthorised
from canvas.clients.hubspot_answers import Grant
from canvas.flows import installs as install_flow
from canvas.flows.hubspot_access import access, seal_grant
from canvas.flows.retention import purge
from canvas.store import installs, teammates
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen
from tests.hubspot.desk import PORTAL, HubSpotDesk
from tests.web.browser import ANA, BEN, NOBODY, Browser
from tests.web.conftest import PUBLIC_URL

WORKSPACE = "sandbox"


def install_of(site: HubSpotDesk, platform: str = "intercom", external_id: str = WORKSPACE) -> Install:
    with reading(site.flow.engine) as conn:
        found = installs.find(conn, platform, external_id)
    assert found is not None
    return found


def signed_in(browser: Browser) -> bool:
    return "Sign out" in browser.get("/").words


def test_an_admin_connects_intercom_and_is_signed_in(site: HubSpotDesk, browser: Browser) -> None:
    address = browser.leave()
    query = parse_qs(urlsplit(address).query)
    assert query["client_id"] == ["test-client"]
    assert query["redirect_uri"] == [f"{PUBLIC_URL}/intercom/callback"]
    browser.get(browser.consent(address))
    made = install_of(site)
    assert (made.status, made.region, made.tz) == ("active", "US", "Europe/Stockholm")
    assert "You are signed in to Redeliver sandbox" in browser.get("/").words
    assert "Ana Kos" in browser.get("/").words


def test_the_token_that_came_in_is_sealed_and_works(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    made = install_of(site)
    assert made.token_sealed
    assert "sandbox-intercom-token" not in made.token_sealed
    assert site.flow.intercom.me(site.flow.sealer.open(made.token_sealed)).id == WORKSPACE


def test_somebody_connects_hubspot_and_is_signed_in(site: HubSpotDesk, browser: Browser) -> None:
    address = browser.leave("hubspot")
    scopes = parse_qs(urlsplit(address).query)["scope"][0].split()
    app = json.loads(Path("hubspot/src/app/app-hsmeta.json").read_text())["config"]["auth"]
    assert sorted(scopes) == sorted(app["requiredScopes"])
    browser.get(browser.consent(address))
    assert install_of(site, "hubspot", PORTAL).status == "active"
    assert "ana.kos@example.com" in browser.get("/").words


@pytest.mark.parametrize(
    ("region", "host"),
    [("EU", "app.eu.intercom.com"), ("AU", "app.au.intercom.com"), ("XX", "app.intercom.com")],
)
def test_each_region_has_its_own_page(site: HubSpotDesk, browser: Browser, region: str, host: str) -> None:
    site.app.config["INTERCOM_AUTHORIZE_URL"] = ""
    assert urlsplit(browser.leave("intercom", f"?region={region}")).netloc == host


def test_a_walk_from_the_app_store_leads_back_there(site: HubSpotDesk, browser: Browser) -> None:
    page = browser.sign_in("intercom", ANA, "?from=appstore")
    assert page.response.location == "https://app.intercom.com/appstore/redirect?install_success=true"
    page = browser.sign_in("intercom", NOBODY, "?from=appstore")
    assert "install_success=false&error_message=Access+was+not+allowed" in page.response.location


def refused(browser: Browser, path: str) -> str:
    page = browser.get(path)
    assert page.status == 400
    assert not signed_in(browser)
    return page.words


def test_an_answer_without_state_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    browser.leave()
    assert "does not say which sign-in it belongs to" in refused(
        browser, "/intercom/callback?code=sandbox-code%3D"
    )


def test_an_unknown_state_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    browser.leave()
    path = "/intercom/callback?code=sandbox-code%3D&state=made-up"
    assert "was not started here" in refused(browser, path)


def test_a_state_of_the_other_vendor_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    back = browser.consent(browser.leave("hubspot"))
    assert "was not started here" in refused(browser, back.replace("/hubspot/", "/intercom/"))


def test_an_old_state_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    back = browser.consent(browser.leave())
    site.clock.advance(15 * 60 + 1)
    assert "longer than 15 minutes" in refused(browser, back)


def test_a_reused_state_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    back = browser.consent(browser.leave())
    assert browser.client.get(back).status_code == 303
    browser.press(browser.get("/"), "Sign out")
    browser.leave()
    assert "used already" in refused(browser, back)


def test_a_state_of_another_browser_is_refused_and_stays_good_in_its_own(
    site: HubSpotDesk, browser: Browser
) -> None:
    """Else a stranger could have a victim work in the stranger's workspace without knowing."""
    back = browser.consent(browser.leave())
    victim = Browser(site.app.test_client())
    assert "started in another browser" in refused(victim, back)
    victim.leave()
    assert "started in another browser" in refused(victim, back)
    browser.get(back)
    assert signed_in(browser)


def test_saying_no_changes_nothing(site: HubSpotDesk, browser: Browser) -> None:
    assert "nothing was changed" in refused(browser, browser.consent(browser.leave(), NOBODY))
    with reading(site.flow.engine) as conn:
        assert installs.everyone(conn) == []


def test_a_wrong_code_is_refused(site: HubSpotDesk, browser: Browser) -> None:
    back = browser.consent(browser.leave()).replace("sandbox-code", "another-code")
    assert "did not accept this sign-in" in refused(browser, back)


def test_a_vendor_in_trouble_is_told_so_and_nothing_is_half_done(site: HubSpotDesk, browser: Browser) -> None:
    back = browser.consent(browser.leave())
    site.intercom.set_fault("down", path="/me")
    page = browser.get(back)
    assert (page.status, "does not answer as it should" in page.words) == (503, True)
    with reading(site.flow.engine) as conn:
        assert installs.everyone(conn) == []


def test_a_server_without_the_app_s_keys_says_so(site: HubSpotDesk, browser: Browser) -> None:
    site.app.config["HUBSPOT_CLIENT_ID"] = ""
    page = browser.get("/hubspot/install")
    assert (page.status, "HUBSPOT_CLIENT_ID" in page.words) == (503, True)
    assert "Connect HubSpot" not in browser.get("/").words
    assert "Connect Intercom" in browser.get("/").words
    site.app.config["INTERCOM_CLIENT_ID"] = ""
    assert "Nobody can sign in yet." in browser.get("/").words


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "x"]
)
def test_signing_in_never_leads_to_another_site(site: HubSpotDesk, browser: Browser, wanted: str) -> None:
    response = browser.client.get("/intercom/install", query_string={"next": wanted})
    back = browser.client.get(browser.consent(response.location))
    assert back.location in ("/settings", "/history")


def test_signing_in_leads_to_where_one_wanted_to_go(site: HubSpotDesk, browser: Browser) -> None:
    response = browser.client.get("/intercom/install", query_string={"next": "/history?channel=sms"})
    assert browser.client.get(browser.consent(response.location)).location == "/history?channel=sms"


def test_the_first_to_connect_is_admin_and_the_next_looks(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    Browser(site.app.test_client()).sign_in(choice=BEN)
    with reading(site.flow.engine) as conn:
        roles = {p.name: p.role for p in teammates.of_install(conn, install_of(site).id)}
    assert roles == {"Ana Kos": "admin", "Ben Ito": "member"}


def test_connecting_again_keeps_settings_and_mends_a_disconnected_install(
    site: HubSpotDesk, browser: Browser
) -> None:
    install_flow.connect(site.flow, "intercom", WORKSPACE, "old", settings={"country": "IE", "timezone": "X"})
    with writing(site.flow.engine) as conn:
        installs.put(conn, "intercom", WORKSPACE, site.clock(), status=installs.DISCONNECTED)
    browser.sign_in()
    made = install_of(site)
    assert (made.status, made.settings["country"], made.tz) == ("active", "IE", "X")
    assert made.token_sealed
    assert site.flow.sealer.open(made.token_sealed) != "old"


def test_the_session_cookie_is_closed_to_scripts_other_sites_and_plain_http(
    site: HubSpotDesk, browser: Browser
) -> None:
    back = browser.client.get(browser.consent(browser.leave()))
    cookie = next(c for c in back.headers.getlist("Set-Cookie") if "redeliver_session" in c)
    assert cookie.startswith("__Host-redeliver_session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_signing_out_ends_copies_of_the_cookie_too(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    thief = Browser(site.app.test_client())
    copied = browser.client.get_cookie("__Host-redeliver_session")
    assert copied is not None
    thief.client.set_cookie("__Host-redeliver_session", copied.value)
    assert signed_in(thief)
    browser.press(browser.get("/"), "Sign out")
    assert not signed_in(thief)
    assert not signed_in(browser)


def test_an_hour_without_a_click_ends_the_session_and_clicks_keep_it(
    site: HubSpotDesk, browser: Browser
) -> None:
    browser.sign_in()
    for _ in range(3):
        site.clock.advance(50 * 60)
        assert signed_in(browser)
    site.clock.advance(61 * 60)
    assert not signed_in(browser)


def test_after_twelve_hours_everybody_signs_in_again(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    for _ in range(13):
        site.clock.advance(50 * 60)
        browser.get("/")
    assert signed_in(browser)
    for _ in range(2):
        site.clock.advance(50 * 60)
    assert not signed_in(browser)


def test_a_cookie_from_another_secret_opens_nothing(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    site.app.config["SECRET_KEY"] = "another-secret-of-another-server"
    assert not signed_in(browser)


@pytest.mark.parametrize("value", ["", "x", "W10.x", "ü", "a" * 3000])
def test_a_made_up_cookie_opens_nothing(site: HubSpotDesk, browser: Browser, value: str) -> None:
    browser.client.set_cookie("__Host-redeliver_session", value)
    assert not signed_in(browser)


def test_a_removed_teammate_is_signed_out_and_stays_out(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    colleague = Browser(site.app.test_client())
    colleague.sign_in(choice=BEN)
    assert signed_in(colleague)
    with writing(site.flow.engine) as conn:
        teammates.change(conn, install_of(site).id, "814861", removed_at=site.clock())
    assert not signed_in(colleague)
    assert "took you out" in colleague.sign_in(choice=BEN).words
    assert not signed_in(colleague)
    assert signed_in(browser)


def test_a_removed_install_signs_everybody_out(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    with writing(site.flow.engine) as conn:
        installs.put(conn, "intercom", WORKSPACE, site.clock(), status=installs.REMOVED)
    assert not signed_in(browser)


def test_signing_out_needs_the_form_s_own_token(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    for token in ("", "x", "ü"):
        assert browser.client.post("/logout", data={"csrf_token": token}).status_code == 403
    assert signed_in(browser)


def renewals(site: HubSpotDesk) -> int:
    return sum(one["path"].endswith("/token") for one in site.hubspot.log())


def expiring(site: HubSpotDesk, refresh: str = "sandbox-hubspot-refresh") -> Install:
    grant = Grant("stale-token", refresh, 60)
    sealed = seal_grant(site.flow, grant)
    with writing(site.flow.engine) as conn:
        return installs.put(conn, "hubspot", PORTAL, site.clock(), token_sealed=sealed)


def test_many_who_need_a_new_token_at_once_renew_it_once(both_sites: HubSpotDesk) -> None:
    install = expiring(both_sites)
    tokens: list[str] = []

    def ask() -> None:
        tokens.append(access(both_sites.flow, install))

    both_sites.hubspot.set_fault("slow", path="/oauth/2026-03/token", ms=700)
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewals(both_sites) == 1
    assert len(tokens) == 5
    assert len(set(tokens)) == 1
    assert tokens[0] != "stale-token"


def test_a_turn_that_was_never_given_back_is_taken_over(site: HubSpotDesk) -> None:
    install = expiring(site)
    with writing(site.flow.engine) as conn:
        installs.put(conn, "hubspot", PORTAL, site.clock(), renewing_until=site.clock())
    site.clock.advance(1)
    assert access(site.flow, install) != "stale-token"


def test_a_revoked_grant_disconnects_the_install_until_somebody_connects_again(
    site: HubSpotDesk, browser: Browser
) -> None:
    install = expiring(site, refresh="revoked")
    with pytest.raises(Unauthorised):
        access(site.flow, install)
    left = install_of(site, "hubspot", PORTAL)
    assert (left.status, left.token_sealed) == (installs.DISCONNECTED, None)
    browser.sign_in("hubspot")
    assert install_of(site, "hubspot", PORTAL).status == installs.ACTIVE
    site.clock.advance((site.flow.erase_after + timedelta(days=1)).total_seconds())
    assert purge(site.flow).installs == 0


def test_a_disconnected_workspace_is_offered_no_fixes(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    assert "Connect it again" not in browser.get("/history/bulk").words
    with writing(site.flow.engine) as conn:
        installs.put(conn, "intercom", WORKSPACE, site.clock(), status=installs.DISCONNECTED)
    assert "Connect it again to fix messages" in browser.get("/history/bulk").words


def test_a_portal_whose_grant_was_revoked_is_erased_after_its_grace(both_sites: HubSpotDesk) -> None:
    both_sites.connect_portal()
    with pytest.raises(Unauthorised):
        access(both_sites.flow, expiring(both_sites, refresh="revoked"))
    both_sites.clock.advance((both_sites.flow.erase_after - timedelta(hours=1)).total_seconds())
    assert purge(both_sites.flow).installs == 0
    both_sites.clock.advance(2 * 3600)
    assert purge(both_sites.flow).installs == 1
    assert install_flow.everyone(both_sites.flow) == []


def test_a_refusal_that_comes_late_does_not_disconnect_who_connected_again(
    site: HubSpotDesk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = expiring(site, refresh="revoked")
    ask = site.flow.hubspot.refresh

    def slowly(*given: str) -> Grant:
        try:
            return ask(*given)
        finally:
            browser.sign_in("hubspot")

    monkeypatch.setattr(site.flow.hubspot, "refresh", slowly)
    with pytest.raises(Unauthorised):
        access(site.flow, install)
    now = install_of(site, "hubspot", PORTAL)
    assert now.status == installs.ACTIVE
    assert access(site.flow, now) != "stale-token"


def test_a_renewal_that_comes_late_keeps_the_new_connection(
    site: HubSpotDesk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = expiring(site)
    ask = site.flow.hubspot.refresh
    connected: list[Install] = []

    def slowly(*given: str) -> Grant:
        try:
            return ask(*given)
        finally:
            browser.sign_in("hubspot")
            connected.append(install_of(site, "hubspot", PORTAL))

    monkeypatch.setattr(site.flow.hubspot, "refresh", slowly)
    used = access(site.flow, install)
    kept = install_of(site, "hubspot", PORTAL)
    assert [kept.token_sealed] == [each.token_sealed for each in connected]
    assert used == access(site.flow, kept)
    assert kept.renewing_until is None


def test_a_renewal_that_comes_late_brings_back_no_token_that_was_forgotten(
    site: HubSpotDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = expiring(site)
    ask = site.flow.hubspot.refresh

    def slowly(*given: str) -> Grant:
        with writing(site.flow.engine) as conn:
            installs.put(conn, "hubspot", PORTAL, site.clock(), token_sealed=None)
        return ask(*given)

    monkeypatch.setattr(site.flow.hubspot, "refresh", slowly)
    with pytest.raises(CannotOpen):
        access(site.flow, install)
    assert install_of(site, "hubspot", PORTAL).token_sealed is None
