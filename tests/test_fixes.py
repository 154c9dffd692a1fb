"""The fixes, each to the end: what the agent sees, and what Octopods and Intercom then received."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canvas.flows import chores, installs
from canvas.sandbox.intercom_people import contact_id
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import ADMIN, Desk, Screen

MARA = BY_ID["not_on_whatsapp"]
LENA = contact_id(BY_ID["invalid_phone"])


def sms_failed(desk: Desk, person: str, text: str = "Hi, see you Tuesday.", **settings: Any) -> Screen:
    desk.connect(**settings)
    desk.send_sms(BY_ID[person].phone, text)
    desk.pass_time(15)
    return desk.initialize(phone=BY_ID[person].phone)


def last(desk: Desk) -> dict[str, Any]:
    sends: list[dict[str, Any]] = desk.octopods.sends()
    return sends[-1]


def number_refused(desk: Desk, raw: str, contact_phone: str | None = None, contact: str = "c1") -> Screen:
    desk.connect()
    assert desk.send_sms(raw, "Hi Lena, your order is here.", contact).status_code == 400
    return desk.initialize(contact, contact_phone)


def test_send_again_now(desk: Desk) -> None:
    screen = sms_failed(desk, "handset_unreachable")
    desk.pass_time(3600)
    receipt = desk.click(desk.initialize(), "Send again")
    assert last(desk)["body"]["body"] == "Hi, see you Tuesday."
    assert f"Octopods took it as {last(desk)['id']}" in receipt.words
    assert screen.components


def viber_failed(desk: Desk) -> Screen:
    desk.connect("vbm")
    sent = {"channel": "vbm", "message_id": 7, "destination_phone": MARA.phone, "template_id": 70001}
    values = {"message_variables": {"body": ["Mara", "Tuesday"]}, "contact_id": "c1"}
    failed = {"status": "failed", "failure_reason": "30003 Unreachable destination handset"}
    assert desk.gateway("/track", {**sent, **values, **failed}, keys.VBM).status_code == 201
    desk.pass_time(3600)
    return desk.initialize()


def sms_of_a_hubspot_workspace_failed(desk: Desk) -> Screen:
    sms_failed(desk, "handset_unreachable")
    desk.octopods.shapes(sends="request_id")
    desk.pass_time(3600)
    return desk.initialize()


@pytest.mark.parametrize("failing", [viber_failed, sms_of_a_hubspot_workspace_failed])
def test_a_fix_nobody_can_be_asked_about_leaves_the_card_after_a_day(
    desk: Desk, failing: Callable[[Desk], Screen]
) -> None:
    receipt = desk.click(failing(desk), "Send again")
    assert "Sent again by" in receipt.words
    desk.pass_time(23 * 3600)
    assert "Sent again" in desk.initialize().words
    desk.pass_time(2 * 3600)
    assert "No failed messages for this person." in desk.initialize().words


def test_send_again_at_a_time_can_be_undone(desk: Desk) -> None:
    screen = sms_failed(desk, "handset_unreachable")
    waiting = desk.click(screen, "Send again at 1:35PM")
    assert "Queued until 1:35PM." in waiting.words
    assert "Undo" in waiting.buttons
    undone = desk.click(waiting, "Undo")
    assert "Undone. Nothing was sent." in undone.words
    desk.pass_time(3600)
    assert len(desk.octopods.sends()) == 1
    assert "Send again" in desk.initialize().buttons


def test_send_again_at_a_time_goes_out_by_itself_then(desk: Desk) -> None:
    waiting = desk.click(sms_failed(desk, "handset_unreachable"), "Send again at 1:35PM")
    desk.pass_time(1900)
    assert len(desk.octopods.sends()) == 2
    assert "Octopods took it as" in desk.click(waiting, "Refresh").words


def test_after_it_left_there_is_nothing_to_undo(desk: Desk) -> None:
    waiting = desk.click(sms_failed(desk, "handset_unreachable"), "Send again at 1:35PM")
    desk.pass_time(1900)
    assert "Too late to undo" in desk.click(waiting, "Undo").words
    assert len(desk.octopods.sends()) == 2


def test_a_number_that_can_only_mean_one_thing_is_repaired_by_one_click(desk: Desk) -> None:
    screen = number_refused(desk, "0046 70 174 06 90")
    assert "0046 70 174 06 90 → +46 70 174 06 90" in screen.words
    desk.click(screen, "Send to +46 70 174 06 90")
    assert last(desk)["body"]["destination_phone"] == "+46701740690"


def test_another_number_of_the_contact_does_not_hide_the_one_click_repair(desk: Desk) -> None:
    screen = number_refused(desk, "0046 70 174 06 90", "+46701740611")
    desk.click(screen, "Send to +46 70 174 06 90")
    assert last(desk)["body"]["destination_phone"] == "+46701740690"


def test_a_number_that_can_mean_two_things_is_asked_about(desk: Desk) -> None:
    screen = number_refused(desk, "+46 70 174 06 90 / +46 70 174 06 91")
    assert not [b for b in screen.buttons if b.startswith("Send to")]
    form = desk.click(screen, "Correct the number")
    options = [o["id"] for o in form.component("choice")["options"]]
    assert options == ["+46701740690", "+46701740691", "other"]
    form = desk.submit(form, form.id_of("Send"), phone="+46701740650")
    assert "Choose “Another number, typed below” above, or clear this number." in form.words
    assert not desk.octopods.sends()
    desk.submit(form, form.id_of("Send"), choice="+46701740691", phone="+46701740690")
    assert last(desk)["body"]["destination_phone"] == "+46701740691"


def test_a_number_is_typed_checked_and_kept_when_wrong(desk: Desk) -> None:
    screen = desk.click(number_refused(desk, "12"), "Correct the number")
    wrong = desk.submit(screen, screen.id_of("Send"), phone="051 000")
    assert wrong.component("phone")["value"] == "051 000"
    assert wrong.component("phone")["save_state"] == "failed"
    assert wrong.words.count("Start with + and the country code") == 1
    assert desk.octopods.sends() == []
    right = desk.submit(wrong, wrong.id_of("Send"), phone="+46 70 174 06 90", save="no")
    assert last(desk)["body"]["destination_phone"] == "+46701740690"
    assert "Octopods took it as" in right.words
    assert [e for e in desk.intercom.log() if e["method"] == "PUT"] == []


def test_the_corrected_number_is_saved_on_the_contact_only_when_asked(desk: Desk) -> None:
    number_refused(desk, "12", contact=LENA)
    correct_the_number(desk)
    desk.work()
    assert saved_numbers(desk) == [{"phone": "+46701740690"}]


def saved_numbers(desk: Desk) -> list[Any]:
    return [entry["body"] for entry in desk.intercom.log() if entry["method"] == "PUT"]


def correct_the_number(desk: Desk) -> Screen:
    form = desk.click(desk.initialize(LENA), "Correct the number")
    return desk.submit(form, form.id_of("Send"), phone="+46701740690", save="yes")


def test_the_number_of_a_send_that_was_undone_is_not_saved(both_desk: Desk) -> None:
    desk = both_desk
    number_refused(desk, "12", contact=LENA)
    desk.octopods.set_fault("rate_limited", path="/sms/messages", seconds=600)
    waiting = correct_the_number(desk)
    desk.work()
    assert "Undone. Nothing was sent." in desk.click(waiting, "Undo").words
    desk.pass_time(700)
    assert (saved_numbers(desk), desk.octopods.sends()) == ([], [])


def test_a_number_that_octopods_refused_is_not_saved(desk: Desk) -> None:
    number_refused(desk, "12", contact=LENA)
    desk.octopods.set_fault("error_200", path="/sms/messages")
    assert "It failed again." in correct_the_number(desk).words
    desk.pass_time(60)
    assert saved_numbers(desk) == []


def test_the_number_of_a_send_that_had_to_wait_is_saved_when_it_has_left(desk: Desk) -> None:
    number_refused(desk, "12", contact=LENA)
    desk.octopods.set_fault("rate_limited", path="/sms/messages", seconds=600)
    correct_the_number(desk)
    desk.pass_time(500)
    assert saved_numbers(desk) == []
    desk.pass_time(200)
    desk.work()
    assert saved_numbers(desk) == [{"phone": "+46701740690"}]


def test_the_number_of_a_send_nobody_was_sure_of_is_saved_once_it_is_found(desk: Desk) -> None:
    desk.connect()
    assert desk.send_whatsapp("12", 90001, ["Lena", "Tuesday"], contact=LENA).status_code == 400
    desk.octopods.set_fault("cut_after", path="/messages")
    form = desk.click(desk.initialize(LENA), "Correct the number")
    unsure = desk.submit(form, form.id_of("Send"), phone="+46701740690", save="yes")
    assert "Not sure it was sent" in unsure.words
    assert saved_numbers(desk) == []
    for _ in range(2):
        desk.pass_time(15)
    assert saved_numbers(desk) == [{"phone": "+46701740690"}]


def test_missing_values_are_asked_for_place_by_place(desk: Desk) -> None:
    desk.connect()
    refused = desk.send_whatsapp("+46701740690", 90001, ["Anton"])
    assert refused.status_code == 400
    form = desk.click(desk.initialize(), "Fill in the values")
    fields = [c for c in form.components if c["type"] == "input"]
    assert [f["value"] for f in fields] == ["Anton", ""]
    assert "Hi {{1}}, your visit is on {{2}}." in form.words
    wrong = desk.submit(form, form.id_of("Send"))
    assert "Every placeholder needs a value" in wrong.words
    desk.submit(wrong, wrong.id_of("Send"), **{fields[1]["id"]: "Tuesday"})
    assert last(desk)["body"]["message_variables"]["body"] == ["Anton", "Tuesday"]


def test_another_approved_template_is_chosen_and_filled(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(BY_ID["template_paused"].phone, 90001, ["Saga", "Tuesday"])
    desk.pass_time(15)
    form = desk.click(desk.initialize(), "Choose another template")
    choice = next(c for c in form.components if c["type"] == "dropdown")
    offered = {o["id"] for o in choice["options"]}
    assert not offered & {"90001", "90011", "90016"}  # the paused one, a rejected one, one switched off
    assert "we_have_news: We have news for you. Reply to read it." in {o["text"] for o in choice["options"]}
    filled = desk.submit(form, form.id_of("Next"), template="90002")
    values = {c["id"]: f"value {n}" for n, c in enumerate(filled.components) if c["type"] == "input"}
    assert values
    desk.submit(filled, filled.id_of("Send"), template="90002", **values)
    assert last(desk)["path"].endswith("/whatsapp/templates/90002/messages")
    sent = last(desk)["body"]["message_variables"]
    assert [*sent["header"], *sent["body"], *sent["buttons"]] == list(values.values())


def choosing(desk: Desk) -> Screen:
    desk.connect()
    desk.send_whatsapp(BY_ID["template_paused"].phone, 90001, ["Saga", "Tuesday"])
    desk.pass_time(15)
    return desk.click(desk.initialize(), "Choose another template")


def test_what_was_typed_for_one_template_is_never_sent_in_another(desk: Desk) -> None:
    filled = desk.click(choosing(desk), "Next", template="90002")
    values = {c["id"]: "8841" for c in filled.components if c["type"] == "input"}
    other = desk.click(filled, "Send", template="90007", **values)
    assert "Hi {{1}}, {{2}} off until Sunday." in other.words
    assert len(desk.octopods.sends()) == 1
    desk.click(other, "Send", var_body_0="Saga", var_body_1="20 %")
    assert last(desk)["path"].endswith("/whatsapp/templates/90007/messages")
    assert last(desk)["body"]["message_variables"]["body"] == ["Saga", "20 %"]


def test_a_choice_that_nobody_touched_again_stays_the_chosen_one(desk: Desk) -> None:
    filled = desk.click(choosing(desk), "Next", template="90007")
    shown = {c["id"]: c["value"] for c in filled.components if c["type"] == "input"}
    body = {**filled.person, "component_id": filled.id_of("Send"), "input_values": shown}
    desk.intercom_post("/intercom/submit", body)
    assert last(desk)["path"].endswith("/whatsapp/templates/90007/messages")


def test_next_sends_nothing_and_shows_what_will_be_said(desk: Desk) -> None:
    shown = desk.click(choosing(desk), "Next", template="90006")
    assert "It says: We have news for you. Reply to read it." in shown.words
    assert len(desk.octopods.sends()) == 1
    desk.click(shown, "Send")
    assert last(desk)["path"].endswith("/whatsapp/templates/90006/messages")


def test_a_new_header_link_is_checked_and_a_private_address_never_fetched(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(
        "+46701740690", 90003, ["Tom"], header_attachment_url="https://files.example/private/x.jpg"
    )
    screen = desk.initialize()
    if "Replace the file link" not in screen.buttons:
        screen = desk.click(screen, "Details")
    form = desk.click(screen, "Replace the file link")
    looks = len(desk.octopods.log())
    wrong = desk.submit(form, form.id_of("Send"), url="ftp://example.com/a.png")
    assert "starts with https://" in wrong.words
    assert wrong.component("url")["value"] == "ftp://example.com/a.png"
    private = desk.submit(wrong, wrong.id_of("Send"), url=f"{desk.octopods.url}/private.jpg")
    assert private.component("url")["save_state"] == "failed"
    assert len(desk.octopods.log()) == looks
    unknown = desk.submit(private, private.id_of("Send"), url="https://cdn.nowhere.invalid/a.jpg")
    assert last(desk)["body"]["header_attachment_url"] == "https://cdn.nowhere.invalid/a.jpg"
    assert "Octopods took it as" in unknown.words


def test_a_deprecated_key_is_for_an_admin_and_a_new_key_opens_the_way(desk: Desk) -> None:
    desk.connect()
    desk.octopods.add_key(keys.SMS, "sms", "deprecated")
    desk.send_sms("+46701740690")
    screen = desk.initialize()
    assert "Ask an admin" in screen.buttons
    assert not [b for b in desk.click(screen, "Details").buttons if b.startswith("Send again")]
    asked = desk.click(screen, "Ask an admin")
    assert "A note for the admins is in this conversation." in asked.words
    notes = [e for e in desk.intercom.log() if e["path"].endswith("/reply")]
    assert len(notes) == 1
    assert notes[0]["body"]["message_type"] == "note"
    assert "“It is repaired”" in notes[0]["body"]["body"]
    desk.click(screen, "Ask an admin")
    assert len([e for e in desk.intercom.log() if e["path"].endswith("/reply")]) == 1
    desk.clock.advance(60)
    desk.octopods.add_key("sandbox-sms-9999", "sms")
    installs.add_channel(desk.flow, "intercom:abcd123", "sms", "sandbox-sms-9999", None, None)
    desk.click(desk.initialize(), "Send again")
    assert last(desk)["body"]["destination_phone"] == "+46701740690"


ASK = "Ask an admin"
COLLEAGUE = {"type": "admin", "id": "814861", "name": "Ben Roth", "email": "ben@example.com"}


def asks_an_admin(desk: Desk, **fault: Any) -> None:
    """Ana asks while Intercom has this trouble, for as long as it is tried."""
    desk.connect()
    desk.octopods.add_key(keys.SMS, "sms", "deprecated")
    desk.send_sms("+46701740690")
    desk.intercom.set_fault(**{"path": "/reply", "method": "POST", "times": 0, **fault})
    screen = desk.initialize()
    assert "on its way" in desk.click(screen, ASK).words
    again = desk.click(screen, ASK).words
    assert "on its way" in again
    assert "asked already" not in again


def give_up(desk: Desk) -> None:
    for _ in range(12):
        desk.pass_time(3600)  # longer than any wait between two tries


def notes_written(desk: Desk) -> list[dict[str, Any]]:
    return [e["body"] for e in desk.intercom.sends() if e["path"].endswith("/reply")]


def test_a_note_nobody_is_sure_of_is_asked_for_anew_by_who_asks_now(desk: Desk) -> None:
    asks_an_admin(desk, kind="cut_before")
    give_up(desk)
    desk.intercom.clear_faults()
    asked = desk.click(desk.initialize(admin=COLLEAGUE), ASK)
    assert "A note for the admins is in this conversation." in asked.words
    assert [note["admin_id"] for note in notes_written(desk)] == [COLLEAGUE["id"]]
    assert "An admin was asked already." in desk.click(desk.initialize(), ASK).words


def test_a_note_that_was_written_although_it_was_given_up_is_found_when_asked_again(desk: Desk) -> None:
    asks_an_admin(desk, kind="cut_after", times=1)
    desk.intercom.set_fault("down", path="/conversations", times=0)
    give_up(desk)
    desk.intercom.clear_faults()
    asked = desk.click(desk.initialize(admin=COLLEAGUE), ASK)
    assert "A note for the admins is in this conversation." in asked.words
    assert [note["admin_id"] for note in notes_written(desk)] == [ADMIN["id"]]


def test_what_is_not_sure_of_a_note_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "OTHER_TRIES", 1)
    desk.connect()
    desk.octopods.add_key(keys.SMS, "sms", "deprecated")
    desk.send_sms("+46701740690")
    desk.intercom.set_fault("cut_before", path="/reply", times=0)
    asked = desk.click(desk.initialize(), ASK)
    assert "It is not sure that the note was written." in asked.words


def sends_again(screen: Screen) -> bool:
    return any(button.startswith("Send again") for button in screen.buttons)


def test_a_limit_is_known_to_be_raised_when_a_later_message_arrives(desk: Desk) -> None:
    sms_failed(desk, "spend_limit_reached")
    desk.pass_time(60)
    desk.send_sms(BY_ID["arrives_sms"].phone, contact="c2")
    assert not sends_again(desk.initialize())  # taken, as the one that failed was
    desk.pass_time(60)
    desk.click(desk.initialize(), "Send again")
    assert last(desk)["body"]["destination_phone"] == BY_ID["spend_limit_reached"].phone


def test_a_registration_is_known_when_an_admin_says_so(desk: Desk) -> None:
    sms_failed(desk, "unregistered_sender_10dlc")
    desk.pass_time(60)
    desk.send_sms(BY_ID["arrives_sms"].phone, contact="c2")
    desk.pass_time(60)
    assert not sends_again(desk.initialize())
    sms = next(c for c in installs.channels_of(desk.flow, "intercom:abcd123") if c.kind == "sms")
    installs.repair_channel(desk.flow, "intercom:abcd123", sms.id)
    desk.click(desk.initialize(), "Send again")
    assert last(desk)["body"]["destination_phone"] == BY_ID["unregistered_sender_10dlc"].phone


def test_nothing_at_all_is_sent_to_somebody_who_opted_out(desk: Desk) -> None:
    person = BY_ID["recipient_opted_out"]
    desk.connect()
    desk.send_sms(person.phone)
    desk.send_whatsapp(person.phone, 90001, ["Pia", "Tuesday"])
    desk.pass_time(15)
    for item in [
        desk.initialize(),
        *[desk.click(desk.initialize(), i["title"]) for i in desk.initialize().items],
    ]:
        assert not [b for b in item.buttons if "Send" in b or "Correct" in b or "Choose" in b]


def test_support_gets_everything_it_will_ask_for(desk: Desk) -> None:
    detail = desk.click(sms_failed(desk, "carrier_filtered"), "Details")
    bundle = desk.click(detail, "Copy for support").component("bundle")["value"]
    sent = desk.octopods.sends()[0]
    for needed in (str(sent["id"]), "SMS", BY_ID["carrier_filtered"].phone, "word for word"):
        assert needed in bundle


def test_handled_is_off_the_card_and_stays_handled(desk: Desk) -> None:
    screen = desk.click(sms_failed(desk, "landline_or_unreachable"), "Details")
    assert "Marked as handled." in desk.click(screen, "Mark as handled").words
    assert "No failed messages" in desk.initialize().words
    assert "Marked as handled." in desk.click(screen, "Mark as handled").words


def test_a_card_drawn_before_the_message_changed_does_not_act(desk: Desk) -> None:
    screen = sms_failed(desk, "landline_or_unreachable")
    desk.click(desk.click(screen, "Details"), "Mark as handled")
    assert "changed since the card was drawn" in desk.click(screen, "Correct the number").words
    assert len(desk.octopods.sends()) == 1


@pytest.mark.parametrize("text", ["", "x" * 1601])
def test_a_text_that_cannot_be_sent_is_kept_and_explained(desk: Desk, text: str) -> None:
    screen = sms_failed(desk, "carrier_filtered", "Buy now, cheap, cheap, cheap!")
    form = desk.click(screen, "Change the text")
    wrong = desk.submit(form, form.id_of("Send"), text=text)
    assert wrong.component("text")["value"] == text
    assert wrong.component("text")["error"] is True
    assert len(desk.octopods.sends()) == 1


def test_the_report_for_support_is_whole_however_much_came_back(desk: Desk) -> None:
    desk.connect()
    report = {"destination_phone": MARA.phone, "channel": "sms", "contact_id": "c1", "status": "failed"}
    desk.gateway("/track", {**report, "failure_reason": "Word by word. " * 6000}, keys.SMS)
    details = desk.click(desk.initialize(), "Details")
    bundle = desk.click(details, "Copy for support").component("bundle")["value"]
    assert "Word by word." in bundle
    assert "\nPage: https://" in bundle


def test_a_text_larger_than_a_canvas_can_be_shortened(desk: Desk) -> None:
    screen = sms_failed(desk, "carrier_filtered", "Buy now, cheap! " * 5000)
    form = desk.click(screen, "Change the text")
    assert "too long" in desk.click(form, "Send").words
    assert len(desk.octopods.sends()) == 1
    assert "Octopods took it as" in desk.submit(form, form.id_of("Send"), text="Buy now.").words
    assert last(desk)["body"]["body"] == "Buy now."


def test_a_pasted_failure_is_explained(desk: Desk) -> None:
    form = desk.click(sms_failed(desk, "landline_or_unreachable"), "Details")
    check = desk.submit(form, "check")
    told = desk.submit(check, check.id_of("Explain"), check_text="Recipient is not a WhatsApp user.")
    assert "Not on WhatsApp" in told.words


def test_of_several_channels_of_a_kind_each_button_names_its_own(desk: Desk) -> None:
    desk.connect()
    installs.add_channel(desk.flow, "intercom:abcd123", "sms", "sandbox-sms-9999", "Second SMS", None)
    desk.send_whatsapp(BY_ID["not_on_whatsapp"].phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    buttons = desk.click(desk.initialize(), "Details").buttons
    assert {"Send as SMS instead", "Send by Second SMS instead"} <= set(buttons)


def outage_failed(desk: Desk) -> Screen:
    desk.connect()
    desk.send_whatsapp(BY_ID["provider_outage"].phone, 90001, ["Kim", "Tuesday"])
    desk.pass_time(15)
    return desk.initialize()


def send_again(screen: Screen) -> str:
    return next(label for label in screen.buttons if label.startswith("Send again"))


def test_a_retry_drawn_for_later_and_clicked_when_its_time_has_come_is_sent(desk: Desk) -> None:
    screen = outage_failed(desk)
    assert send_again(screen).startswith("Send again at")
    desk.pass_time(3600)
    assert "Octopods took it as" in desk.click(screen, send_again(screen)).words
    assert len(desk.octopods.sends()) == 2


def test_a_retry_drawn_for_now_waits_for_a_key_that_was_blocked_since(desk: Desk) -> None:
    outage_failed(desk)
    desk.pass_time(3600)
    screen = desk.initialize()
    assert send_again(screen) == "Send again"
    desk.octopods.set_fault("rate_limited", path="/messages", method="POST", seconds=120)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact="c2")
    assert "Queued until 2:07PM." in desk.click(screen, "Send again").words


def test_a_value_that_no_field_was_drawn_for_changes_nothing(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    screen = desk.initialize()
    slipped_in = {"phone": "+46701740699", "text": "Pay here: https://evil.example", "choice": "other"}
    press = screen.id_of("Send as SMS instead").replace("fix:", "do:")
    assert "Octopods took it as" in desk.submit(screen, press, **slipped_in).words
    assert last(desk)["body"]["destination_phone"] == MARA.phone
    assert "Mara" in last(desk)["body"]["body"]


def test_the_number_that_failed_is_not_sent_to_again_in_another_spelling(desk: Desk) -> None:
    desk.connect()
    news = {"status": "failed", "failure_reason": "Recipient is not a WhatsApp user.", "contact_id": "c1"}
    sent = {"destination_phone": "+46 70 174 06 90", "template_id": 90001, "message_variables": ["Mo", "Tue"]}
    assert desk.gateway("/track", {**sent, **news, "message_id": 1}, keys.WHATSAPP).status_code == 201
    form = desk.click(desk.click(desk.initialize(), "Details"), "Correct the number")
    for spelling in ("+46701740690", "+46 70 174 06 90", "0046 70-174 06 90"):
        form = desk.submit(form, form.id_of("Send"), phone=spelling)
        assert "This is the number that just failed." in form.words
    assert desk.octopods.sends() == []
    desk.submit(form, form.id_of("Send"), phone="+46701740691")
    assert last(desk)["body"]["destination_phone"] == "+46701740691"


def test_a_channel_that_said_no_to_this_person_is_not_offered_again(desk: Desk) -> None:
    desk.connect()
    landline = {"status": "failed", "failure_reason": "The phone number is not a valid mobile subscriber."}
    desk.send_sms(MARA.phone, contact="c2")
    desk.gateway("/track", {"message_id": last(desk)["id"], **landline}, keys.SMS)
    assert "Send by WhatsApp instead" in desk.click(desk.initialize("c2"), "Details").buttons
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.click(desk.initialize(), "Send as SMS instead")
    desk.gateway("/track", {"message_id": last(desk)["id"], **landline}, keys.SMS)
    screen = desk.initialize()
    assert "Correct the number" in screen.buttons
    for shown in (screen, desk.click(screen, "Details")):
        assert not [button for button in shown.buttons if "instead" in button]


def test_a_template_that_needs_a_file_is_not_offered_where_there_is_no_link_to_one(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(BY_ID["template_paused"].phone, 90001, ["Saga", "Tuesday"])
    desk.pass_time(15)
    form = desk.click(desk.initialize(), "Choose another template")
    choice = next(c for c in form.components if c["type"] == "dropdown")
    assert {"90002", "90003"} & {o["id"] for o in choice["options"]} == {"90002"}
    slipped_in = desk.submit(form, form.id_of("Next"), template="90003")
    assert "No approved template of this name" in slipped_in.words
    assert len(desk.octopods.sends()) == 1


def whatsapp_failed(
    desk: Desk, template: int, values: list[str], reason: dict[str, Any], **more: Any
) -> Screen:
    """A WhatsApp message that was sent elsewhere and failed a moment ago."""
    sent = {
        "message_id": 7001,
        "destination_phone": "+46701740690",
        "template_id": template,
        "contact_id": "c1",
    }
    told = {**sent, "message_variables": values, "status": "failed", "failure_reason": reason, **more}
    assert desk.gateway("/track", told, keys.WHATSAPP).status_code == 201
    return desk.initialize()


@pytest.mark.parametrize(
    ("code", "time"),
    [(131049, "on Nov 24, 2026"), (131056, "at 1:10PM"), (130429, "at 1:06PM")],
)
def test_a_wait_of_whatsapp_is_not_walked_around_by_sms(desk: Desk, code: int, time: str) -> None:
    desk.connect()
    screen = whatsapp_failed(desk, 90001, ["Mara", "Tuesday"], {"code": code, "title": "Not now"})
    assert f"Send again {time}" in desk.click(screen, "Details").buttons
    desk.click(desk.click(screen, "Details"), "Send as SMS instead")
    sms = {"channel": "sms", "message_id": last(desk)["id"], "destination_phone": "+46701740690"}
    gone = {"status": "failed", "failure_reason": {"code": 30003, "title": "Unreachable destination handset"}}
    assert desk.gateway("/track", {**sms, **gone}, keys.SMS).status_code == 201
    detail = desk.click(desk.initialize(), "Details")
    form = desk.click(detail, f"Send by WhatsApp instead {time}")
    assert f"Earliest: {time.partition(' ')[2]}" in form.words
    shown = desk.click(form, "Next")
    assert f"Earliest: {time.partition(' ')[2]}" in shown.words
    filled = {c["id"]: "x" for c in shown.components if c["type"] == "input"}
    assert "Queued until" in desk.click(shown, "Send", **filled).words
    assert len([send for send in desk.octopods.sends() if "whatsapp" in send["path"]]) == 0


@pytest.mark.parametrize("template", [90011, 90099])
def test_a_template_that_was_just_listed_as_refused_is_not_offered_again(desk: Desk, template: int) -> None:
    desk.connect()
    screen = whatsapp_failed(desk, template, ["Mara"], {"code": 131000, "title": "Something went wrong"})
    assert "Send again" not in screen.buttons
    detail = desk.click(screen, "Details")
    assert "Send again" not in detail.buttons
    assert ("it is rejected." if template == 90011 else "no template with this id") in detail.words
    desk.pass_time(1200)
    assert "Send again" in desk.initialize().buttons  # by then an admin may have got it accepted


@pytest.mark.parametrize(
    ("code", "title", "button"),
    [
        (132000, "Number of parameters does not match the expected number of params", "Fill in the values"),
        (131053, "Media upload error: file size exceeds the limit", "Replace the file link"),
    ],
)
def test_missing_values_and_a_missing_link_are_asked_for_in_one_form(
    desk: Desk, code: int, title: str, button: str
) -> None:
    desk.connect()
    form = desk.click(whatsapp_failed(desk, 90003, [], {"code": code, "title": title}), button)
    assert [c["label"] for c in form.components if c["type"] == "input"] == ["Link to the file", "Text {{1}}"]
    wrong = desk.click(form, "Send", url="x.jpg", var_body_0="Mara")
    assert "starts with https://" in wrong.words
    desk.click(wrong, "Send", url="https://cdn.nowhere.invalid/a.jpg")
    assert last(desk)["body"]["header_attachment_url"] == "https://cdn.nowhere.invalid/a.jpg"
    assert last(desk)["body"]["message_variables"]["body"] == ["Mara"]


def test_what_could_not_go_out_on_a_channel_that_is_gone_goes_out_on_the_one_in_its_place(desk: Desk) -> None:
    """An admin connected it anew while the fix waited, so nothing is left for anybody to connect."""
    desk.connect(undo_seconds=60)
    desk.send_whatsapp(BY_ID["not_on_whatsapp"].phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.click(desk.initialize(), "Send as SMS instead")
    installs.remove_channel(desk.flow, "intercom:abcd123", 2)
    installs.add_channel(desk.flow, "intercom:abcd123", "sms", keys.SMS, None, None)
    desk.pass_time(70)
    failed = desk.initialize()
    assert "Channel not connected" in failed.words
    desk.click(failed, "Send again")
    desk.pass_time(60)
    assert [sent["path"] for sent in desk.octopods.sends()][1:] == ["/api/v1/sms/messages"]
