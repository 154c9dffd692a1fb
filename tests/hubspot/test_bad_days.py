"""HubSpot on a bad day: records merged or gone, limits, broken answers, lost tokens. Nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from canvas.sandbox.people import BY_ID
from canvas.store import actions
from canvas.store.database import reading
from tests.hubspot.desk import CONTACT, VOUCHED, HubSpotDesk, query
from tests.hubspot.test_timeline import fail, grant, written

LANDLINE = BY_ID["landline_or_unreachable"]
WRONG_NUMBER, RIGHT_NUMBER = "0046 8 123", "+46701740650"
LOSER, NOBODY = "905", "99999"


def wrong_number(portal: HubSpotDesk, contact: str = CONTACT) -> dict[str, Any]:
    portal.send_for_contact(WRONG_NUMBER, contact)
    portal.pass_time(15)
    return portal.newest(contact)


def correct(portal: HubSpotDesk, failure: dict[str, Any], contact: str = CONTACT) -> dict[str, Any]:
    return portal.press(failure, "edit_phone", contact, phone=RIGHT_NUMBER, choice="other", save="yes")


def how_it_ended(portal: HubSpotDesk, key: str) -> tuple[str, str]:
    with reading(portal.flow.engine) as conn:
        found = actions.by_key(conn, 1, key)
    assert found
    return found.state, str((found.result or {}).get("error"))


def test_a_record_merged_meanwhile_gets_entry_and_number_on_the_survivor(portal: HubSpotDesk) -> None:
    portal.hubspot.merge(LOSER, CONTACT)
    answer = correct(portal, wrong_number(portal, LOSER), LOSER)
    assert answer["message"].endswith("The number was saved on the contact.")
    assert portal.hubspot.contact(CONTACT)["phone"] == RIGHT_NUMBER
    assert len(portal.timeline(CONTACT)) == 1


def test_a_record_that_is_gone_costs_neither_the_message_nor_the_fix(portal: HubSpotDesk) -> None:
    failure = wrong_number(portal, NOBODY)
    state, why = how_it_ended(portal, f"timeline:{failure['messageId']}")
    assert state == "failed"
    assert "HubSpot" in why
    answer = correct(portal, failure, NOBODY)
    assert answer["ok"]
    assert "Octopods took it as" in answer["message"]
    assert "The number was not saved. HubSpot" in answer["message"]
    assert len(portal.octopods.sends()) == 1


def test_a_daily_limit_that_lasts_all_day_only_delays_the_entry(portal: HubSpotDesk) -> None:
    portal.hubspot.set_fault("rate_limited", path="/communications", method="POST", seconds=86400, times=0)
    fail(portal)
    for _ in range(22):
        portal.pass_time(3700)
    assert portal.timeline() == []
    portal.hubspot.clear_faults()
    portal.pass_time(3700)
    assert len(portal.timeline()) == 1


@pytest.mark.parametrize(
    ("kind", "details"),
    [("down", {}), ("html", {}), ("cut_before", {}), ("cut_after", {}), ("rate_limited", {"seconds": 10})],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_number_is_saved_once_hubspot_can(portal: HubSpotDesk, kind: str, details: dict[str, Any]) -> None:
    failure = wrong_number(portal)
    portal.hubspot.set_fault(kind, path="/contacts", method="PATCH", **details)
    answer = correct(portal, failure)
    assert answer["message"].endswith("The number is being saved.")
    portal.pass_time(60)
    assert portal.hubspot.contact(CONTACT)["phone"] == RIGHT_NUMBER
    assert len(portal.octopods.sends()) == 1


def test_a_token_that_expires_before_the_number_is_saved_is_renewed(portal: HubSpotDesk) -> None:
    portal.connect_portal(token=grant(portal))
    failure = wrong_number(portal)
    portal.hubspot.token("expired")
    assert correct(portal, failure)["refresh"] == "properties"


def test_a_token_that_expires_between_an_unclear_write_and_the_look_for_it_makes_no_second_entry(
    portal: HubSpotDesk,
) -> None:
    portal.connect_portal(token=grant(portal))
    portal.hubspot.set_fault("cut_after", path="/communications", method="POST")
    fail(portal)
    portal.hubspot.token("expired")
    portal.pass_time(100)
    assert len(portal.timeline()) == len(written(portal)) == 1


def test_a_query_altered_on_the_way_is_refused(portal: HubSpotDesk) -> None:
    path = f"/hubspot/card?objectId={CONTACT}&{query(VOUCHED)}"
    signed = portal.fetch("GET", f"/hubspot/card?objectId={CONTACT}")
    assert signed.status_code == 200
    headers = dict(signed.request.headers)
    for altered in (path.replace(CONTACT, "902"), f"{path}&limit=50", path.replace("objectId=901&", "")):
        assert portal.client.get(altered, headers=headers).status_code == 401


def test_a_contact_that_nobody_knows_and_one_without_a_number_have_an_empty_card(portal: HubSpotDesk) -> None:
    fail(portal)
    assert portal.card(NOBODY)["total"] == 0
    assert portal.card("902", phone="", mobilephone="not a number")["total"] == 0
