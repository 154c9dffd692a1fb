"""The languages a workspace writes in: another template is offered in the language of the failed one first."""

from __future__ import annotations

from typing import Any

import pytest

from canvas.domain.templates import Template
from canvas.flows.chores import TEMPLATES_EVERY
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import audit, installs
from canvas.store.database import reading
from tests.desk import Desk, Screen
from tests.hubspot.desk import HubSpotDesk
from tests.web.browser import Browser, Page

SAGA = BY_ID["template_paused"]


def offered(desk: Desk) -> list[str]:
    """The templates offered for one that failed, best first."""
    desk.send_whatsapp(SAGA.phone, 90001, ["Saga", "Tuesday"])
    desk.pass_time(15)
    form: Screen = desk.click(desk.initialize(), "Choose another template")
    return [option["text"].partition(":")[0] for option in form.component("template")["options"]]


def test_without_a_choice_templates_are_offered_by_likeness_alone(desk: Desk) -> None:
    desk.connect()
    names = offered(desk)
    assert names[0] == "autumn_offer"
    assert "pedido_enviado" in names


def test_the_language_of_the_failed_template_comes_before_the_preferred_one(desk: Desk) -> None:
    desk.connect(languages="pt_BR, en")
    names = offered(desk)
    assert names[0] == "autumn_offer (en)"
    assert names[-1] == "pedido_enviado (pt_BR)"


def test_where_its_language_is_not_known_the_preferred_one_comes_first(desk: Desk) -> None:
    desk.connect(languages="pt_BR")
    assert offered(desk)[:2] == ["pedido_enviado (pt_BR)", "autumn_offer"]


def test_a_language_that_octopods_does_not_know_costs_nothing(desk: Desk) -> None:
    desk.connect(languages="xx, en")
    assert offered(desk)[0] == "autumn_offer (en)"


def test_choosing_languages_has_the_templates_listed_anew(site: HubSpotDesk, browser: Browser) -> None:
    browser.sign_in()
    page = browser.press(browser.get("/settings"), "Connect", kind="whatsapp", key=keys.WHATSAPP)
    before = len(site.octopods.log())
    browser.press(page, "Save", languages=" pt_BR ,en ")
    assert [e for e in site.octopods.log()[before:] if "lang=pt_BR" in str(e)]
    with reading(site.flow.engine) as conn:
        install = installs.find(conn, "intercom", "sandbox")
        assert install
        assert install.settings["languages"] == "pt_BR, en"
        assert audit.newest(conn, install.id, 1)[0].deed == "settings.changed"


def test_languages_chosen_while_templates_are_listed_are_asked_for_next(
    site: HubSpotDesk, browser: Browser
) -> None:
    browser.sign_in()
    browser.press(browser.get("/settings"), "Connect", kind="whatsapp", key=keys.WHATSAPP)
    site.clock.advance(TEMPLATES_EVERY.total_seconds())
    browser.sign_in()
    page = browser.get("/settings")
    listed = site.flow.octopods.whatsapp_templates
    saved: list[Page] = []

    def meanwhile(*asked: Any, **how: Any) -> list[Template]:
        found = listed(*asked, **how)
        if not saved:
            saved.append(browser.press(page, "Save", languages="pt_BR"))
        return found

    site.flow.octopods.whatsapp_templates = meanwhile  # type: ignore[method-assign]
    before = len(site.octopods.log())
    site.work()
    assert "Saved." in saved[0].words
    site.work()
    assert [e for e in site.octopods.log()[before:] if "lang=pt_BR" in str(e)]


@pytest.mark.parametrize("typed", ["english", "en;de", "a,b", "en de fr es it pt"])
def test_what_is_no_language_is_refused(site: HubSpotDesk, browser: Browser, typed: str) -> None:
    browser.sign_in()
    refused = browser.press(browser.get("/settings"), "Save", languages=typed)
    assert refused.status == 400
    assert "Enter at most 5 languages by their codes, such as en, de or pt_BR." in refused.words
