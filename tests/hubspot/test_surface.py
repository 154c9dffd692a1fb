"""The card's two routes: who may call, what they show, and one send whatever is repeated."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from canvas.flows import export, installs
from canvas.sandbox.people import BY_ID
from tests.away import database_leaves_after_the_next_send
from tests.desk import statements
from tests.gateway.test_trouble import database_down
from tests.hubspot.desk import CONTACT, PORTAL, VOUCHED, HubSpotDesk, click_body
from tests.test_hot_path import questions

MARA, LONG = BY_ID["not_on_whatsapp"], BY_ID["message_too_long"]
WRONG_NUMBER = "0046 8 123"
OTHER_PORTAL = "70001"


def failed(portal: HubSpotDesk) -> dict[str, Any]:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    return portal.newest()


def test_a_contact_without_failures_has_an_empty_card(portal: HubSpotDesk) -> None:
    card = portal.card()
    assert (card["ok"], card["total"], card["failures"]) == (True, 0, [])


def test_a_card_with_several_failures_takes_two_questions(portal: HubSpotDesk) -> None:
    for _ in range(3):
        failed(portal)
    with statements(portal) as seen:
        assert len(portal.card()["failures"]) == 3
    assert len(questions(seen)) == 2


def test_a_failed_message_shows_its_reason_and_is_sent_as_sms_by_one_click(
    both_portals: HubSpotDesk,
) -> None:
    portal = both_portals
    failure = failed(portal)
    assert failure["reason"]["title"] == "Not on WhatsApp"
    assert failure["line"] == "WhatsApp to +46 70 174 06 11 · Nov 23, 2026 at 2:05PM"
    assert failure["status"] == {"label": "Failed", "variant": "danger"}
    assert failure["said"]["text"] == MARA.text
    answer = portal.press(failure, "send_other_channel")
    sends = portal.octopods.sends()
    assert len(sends) == 2
    assert (
        answer["message"] == f"Sent again by SMS. Octopods took it as {sends[1]['id']}. Waiting for delivery."
    )
    assert (answer["ok"], answer["state"], answer["duplicate"]) == (True, "sent", False)
    assert answer["failure"]["status"]["label"] == "Waiting for delivery"


def test_hubspots_own_repeat_gets_the_first_outcome_and_sends_nothing(portal: HubSpotDesk) -> None:
    failure = failed(portal)
    first = portal.press(failure, "send_other_channel")
    again = portal.press(failure, "send_other_channel")
    assert (again["message"], again["duplicate"]) == (first["message"], True)
    assert len(portal.octopods.sends()) == 2


def test_a_form_marks_the_wrong_field_and_sends_when_it_is_right(portal: HubSpotDesk) -> None:
    portal.send_for_contact(WRONG_NUMBER)
    portal.pass_time(15)
    failure = portal.newest()
    form = next(fix for fix in failure["fixes"] if fix["id"] == "edit_phone")
    assert form["kind"] == "form"
    wrong = portal.press(failure, "edit_phone", phone="12", choice="other")
    assert (wrong["ok"], wrong["error"]["code"], wrong["error"]["field"]) == (False, "invalid", "phone")
    redrawn = next(fix for fix in wrong["failure"]["fixes"] if fix["id"] == "edit_phone")
    field = next(field for field in redrawn["fields"] if field["name"] == "phone")
    assert (field["value"], field["error"]) == ("12", wrong["error"]["message"])
    done = portal.press(wrong["failure"], "edit_phone", phone="+46701740650", choice="other")
    assert done["ok"], done
    assert portal.octopods.sends()[-1]["body"]["destination_phone"] == "+46701740650"


def test_half_an_emoji_in_a_text_is_replaced_and_the_rest_is_sent(both_portals: HubSpotDesk) -> None:
    """A browser cuts a text that is too long for its field in the middle of a character."""
    both_portals.send_for_contact(LONG.phone, text="x" * 1601)
    both_portals.pass_time(5)
    answer = both_portals.press(both_portals.newest(), "edit_text", text="See you \ud83d")
    assert answer["ok"]
    assert [sent["body"]["body"] for sent in both_portals.octopods.sends()] == ["See you ?"]
    assert all(json.loads(line) for line in export.lines(both_portals.flow, f"hubspot:{PORTAL}"))


def test_a_number_is_saved_on_the_contact_only_when_asked(portal: HubSpotDesk) -> None:
    for text in ("See you Tuesday.", "See you Friday."):
        portal.send_for_contact(WRONG_NUMBER, text=text)
    portal.pass_time(15)
    first, second = portal.card()["failures"]
    only_sent = portal.press(first, "edit_phone", phone="+46701740650", choice="other", save="no")
    assert only_sent["refresh"] is None
    assert portal.hubspot.contact(CONTACT)["phone"] == MARA.phone
    saved = portal.press(second, "edit_phone", phone="+46701740650", choice="other", save="yes")
    assert saved["refresh"] == "properties"
    assert saved["message"].endswith("The number was saved on the contact.")
    assert portal.hubspot.contact(CONTACT)["phone"] == "+46701740650"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("rate_limited", "The number is saved on the contact once Octopods has taken the message."),
        ("error_200", "The number was not saved."),
    ],
)
def test_the_number_of_a_message_that_has_not_gone_out_is_not_called_saved(
    portal: HubSpotDesk, fault: str, words: str
) -> None:
    portal.send_for_contact(WRONG_NUMBER)
    portal.pass_time(15)
    portal.octopods.set_fault(fault, path="/sms/messages")
    answer = portal.press(portal.newest(), "edit_phone", phone="+46701740650", choice="other", save="yes")
    assert (answer["message"].endswith(words), answer["refresh"]) == (True, None)
    assert portal.hubspot.contact(CONTACT)["phone"] == MARA.phone


def test_hubspots_own_sentence_says_why_a_number_was_not_saved(portal: HubSpotDesk) -> None:
    portal.send_for_contact(WRONG_NUMBER)
    portal.pass_time(15)
    portal.hubspot.refuse_property("phone", "Numbers are locked by your admin.")
    answer = portal.press(portal.newest(), "edit_phone", phone="+46701740650", choice="other", save="yes")
    assert answer["ok"]
    assert "Octopods took it as" in answer["message"]
    assert "The number was not saved. HubSpot said: Numbers are locked by your admin." in answer["message"]
    assert answer["refresh"] is None


def test_a_message_is_found_by_the_numbers_of_the_record(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["landline_or_unreachable"].phone, contact=None)
    portal.pass_time(15)
    assert portal.card("77")["total"] == 0
    assert portal.card("77", mobilephone="070-174 06 13")["total"] == 1


def test_waiting_can_be_undone(portal: HubSpotDesk) -> None:
    portal.send_for_contact(BY_ID["handset_unreachable"].phone)
    portal.pass_time(15)
    failure = portal.newest()
    queued = portal.press(
        failure, next(f["id"] for f in failure["fixes"] if f["label"].startswith("Send again at"))
    )
    assert (queued["state"], queued["failure"]["status"]["label"]) == ("queued", "Queued")
    assert queued["message"].startswith("Queued until ")
    undone = portal.press(queued["failure"], "undo")
    assert (undone["ok"], undone["message"]) == (True, "Undone. Nothing was sent.")
    assert len(portal.octopods.sends()) == 1
    assert portal.newest()["messageId"] == failure["messageId"]


@pytest.mark.parametrize(
    "forged",
    [
        {"at": timedelta(minutes=-6)},
        {"at": timedelta(minutes=6)},
        {"url": "http://redeliver.example.com"},
        {"secret": "another"},
        {"vouched": {**VOUCHED, "appId": "1"}},
    ],
    ids=["stale", "future", "http", "secret", "another app"],
)
def test_a_call_that_hubspot_did_not_make_now_for_us_is_401_without_words(
    portal: HubSpotDesk, forged: dict[str, Any]
) -> None:
    if "at" in forged:
        forged = {"at": portal.clock() + forged["at"]}
    answer = portal.fetch("GET", f"/hubspot/card?objectId={CONTACT}", **forged)
    assert (answer.status_code, answer.data) == (401, b"")


def test_a_body_written_anew_is_refused(portal: HubSpotDesk) -> None:
    body = click_body(failed(portal), "send_other_channel")
    spaced = str(body).replace("'", '"').encode()
    assert portal.fetch("POST", "/hubspot/card/fix", body, sent_body=spaced).status_code == 401
    assert len(portal.octopods.sends()) == 1


def test_a_portal_named_twice_is_refused(portal: HubSpotDesk) -> None:
    """A user could write another portal's id into the path; HubSpot then adds the true one behind it."""
    for path in (f"/hubspot/card?portalId={OTHER_PORTAL}&objectId=1", "/hubspot/card?userId=1&objectId=1"):
        assert portal.fetch("GET", path).status_code == 401


def test_the_next_secret_is_believed_during_rotation(portal: HubSpotDesk) -> None:
    assert portal.fetch("GET", "/hubspot/card?objectId=901", secret="the-next-secret").status_code == 200


def test_an_account_that_is_not_connected_is_told_so(portal: HubSpotDesk) -> None:
    other = {**VOUCHED, "portalId": OTHER_PORTAL}
    answer = portal.fetch("GET", "/hubspot/card?objectId=901", vouched=other).get_json()
    assert (answer["ok"], answer["error"]["code"]) == (False, "not_connected")


def test_another_portal_and_another_contact_can_fix_nothing(portal: HubSpotDesk) -> None:
    failure = failed(portal)
    installs.connect(portal.flow, "hubspot", OTHER_PORTAL, "token")
    body = click_body(failure, "send_other_channel")
    other = {**VOUCHED, "portalId": OTHER_PORTAL}
    foreign = portal.fetch("POST", "/hubspot/card/fix", body, vouched=other).get_json()
    stranger = portal.press(failure, "send_other_channel", contact="902")
    assert foreign == stranger
    assert foreign["error"]["code"] == "gone"
    assert len(portal.octopods.sends()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"fixToken": "x"},
        {"fixToken": 7},
        {"messageId": "msg_other"},
        {"fix": "retry_now"},
        {"values": [1]},
    ],
    ids=str,
)
def test_an_altered_click_does_nothing(portal: HubSpotDesk, change: dict[str, Any]) -> None:
    body = {**click_body(failed(portal), "send_other_channel"), **change}
    answer = portal.fetch("POST", "/hubspot/card/fix", body).get_json()
    expected = change.get("values") is None
    assert (answer["ok"], len(portal.octopods.sends())) == ((False, 1) if expected else (True, 2))


@pytest.mark.parametrize("body", [None, [], "x", {}, {"fixToken": None}])
def test_a_signed_body_that_makes_no_sense_is_answered_in_words(portal: HubSpotDesk, body: Any) -> None:
    answer = portal.fetch("POST", "/hubspot/card/fix", body)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (200, "stale")


def test_our_own_trouble_is_a_sentence_with_a_number(portal: HubSpotDesk) -> None:
    with portal.flow.engine.connect() as conn, conn.begin():
        conn.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
    card = portal.card()
    assert (card["ok"], card["error"]["code"]) == (False, "trouble")
    assert "Nothing was changed" in card["error"]["message"]


def test_a_receipt_that_cannot_be_drawn_says_that_it_may_have_been_done(both_portals: HubSpotDesk) -> None:
    portal = both_portals
    failure = failed(portal)
    with database_leaves_after_the_next_send(portal):
        error = portal.press(failure, "send_other_channel")["error"]
    assert (error["code"], len(portal.octopods.sends())) == ("maybe_done", 2)
    assert "may have been done" in error["message"]
    assert "Nothing was changed" not in error["message"]
    again = portal.press(failure, "send_other_channel")
    assert (again["duplicate"], len(portal.octopods.sends())) == (True, 2)


def test_a_click_that_could_not_begin_says_that_nothing_was_changed(portal: HubSpotDesk) -> None:
    failure = failed(portal)
    with database_down(portal):
        error = portal.press(failure, "send_other_channel")["error"]
    assert (error["code"], len(portal.octopods.sends())) == ("trouble", 1)
    assert "Nothing was changed" in error["message"]


def test_looking_calls_nobody(portal: HubSpotDesk) -> None:
    failed(portal)
    before = len(portal.octopods.log()), len(portal.hubspot.log())
    for _ in range(3):
        portal.card()
    assert (len(portal.octopods.log()), len(portal.hubspot.log())) == before


def test_what_was_typed_for_one_template_is_never_sent_in_another(portal: HubSpotDesk) -> None:
    portal.send_whatsapp_for(BY_ID["template_paused"].phone)
    portal.pass_time(15)
    chosen = portal.press(portal.newest(), "choose_template", template="90002")
    assert chosen["state"] == "form"
    asking = next(fix for fix in chosen["failure"]["fixes"] if fix["id"] == "choose_template")
    typed = {f["name"]: "8841" for f in asking["fields"] if f["name"].startswith("var_")}
    assert (asking["submitLabel"], len(typed)) == ("Send", 4)
    other = portal.press(chosen["failure"], "choose_template", template="90007", **typed)
    assert other["state"] == "form"
    assert len(portal.octopods.sends()) == 1
    portal.press(other["failure"], "choose_template", template="90007", var_body_0="Saga", var_body_1="20 %")
    sent = portal.octopods.sends()[-1]
    assert sent["path"].endswith("/whatsapp/templates/90007/messages")
    assert sent["body"]["message_variables"]["body"] == ["Saga", "20 %"]
