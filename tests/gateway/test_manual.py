"""Check a message: an agent pastes what they have, reads what it means, and ties it to the person."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from canvas.clients.octopods import Octopods
from canvas.clients.octopods_answers import StatusReport
from canvas.flows import erase, installs
from canvas.sandbox.people import BY_ID
from canvas.store.database import reading
from canvas.store.tables import opt_outs
from tests.desk import WORKSPACE, Desk, Screen
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import elsewhere

MARA = BY_ID["not_on_whatsapp"]
PIA = "+46701740615"
ATTACH = "Attach to this person"


def paste(desk: Desk, words: str, contact: str = "c9", phone: str | None = MARA.phone) -> Screen:
    screen = desk.initialize(contact, phone)
    return desk.click(desk.submit(screen, "check"), "Explain", check_text=words)


def stopped(desk: Desk) -> set[str]:
    """The numbers that asked not to be messaged."""
    with reading(desk.flow.engine) as conn:
        return set(conn.execute(select(opt_outs.c.to)).scalars())


def test_a_pasted_text_is_explained_and_attached_once(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    shown = paste(desk, "131026: Message undeliverable. Recipient is not a WhatsApp user.")
    assert "Not on WhatsApp" in shown.words
    assert all_messages(desk) == []
    for _ in range(2):
        detail = desk.click(shown, ATTACH, check_kind="whatsapp")
    assert "Not on WhatsApp" in detail.words
    message = only_message(desk)
    assert (message.source, message.contact_id, message.to) == ("manual", "c9", MARA.phone)
    assert message.failure_raw == "131026: Message undeliverable. Recipient is not a WhatsApp user."
    assert "Not on WhatsApp" in desk.initialize("c9").words


def test_an_unheard_of_text_is_attached_as_it_is(desk: Desk) -> None:
    desk.connect("sms")
    shown = desk.click(paste(desk, "Blip \x00 0xZZ"), ATTACH)
    assert only_message(desk).reason == "unknown"
    assert "Blip" in shown.words


def test_an_octopods_id_that_is_not_known_is_asked_for(desk: Desk) -> None:
    desk.connect()
    elsewhere(desk, MARA.phone)
    desk.octopods.advance(20)
    shown = paste(desk, desk.octopods.sends()[0]["id"])
    assert "Octopods is asked" in shown.words
    desk.click(shown, ATTACH, check_kind="whatsapp")
    message = only_message(desk)
    assert (message.reason, message.contact_id) == ("not_on_whatsapp", "c9")


def octopods_tells(desk: Desk, monkeypatch: pytest.MonkeyPatch, phone: str | None) -> str:
    """An SMS of which Octopods says that its recipient opted out; its id."""
    desk.connect("sms")
    told = StatusReport("6299999", "failed", failure_reason="21610: unsubscribed recipient", phone=phone)
    monkeypatch.setattr(Octopods, "message_status", lambda *_: told)
    return "6299999"


def test_an_id_of_a_message_to_somebody_else_says_nothing_of_this_person(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = both_desk
    number = octopods_tells(desk, monkeypatch, PIA)
    shown = paste(desk, number)
    for _ in range(2):
        refused = desk.click(shown, ATTACH)
        assert "not attached" in refused.words
    message = only_message(desk)
    assert (message.to, message.contact_id, message.reason) == (PIA, None, "recipient_opted_out")
    assert stopped(desk) == {PIA}
    seen = desk.click(refused, "Explain", check_text=number)
    desk.click(seen, ATTACH)
    assert only_message(desk).contact_id == "c9"


def test_the_numbers_of_who_was_asked_for_do_not_stay_with_a_message_to_somebody_else(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is still asked about, but erasing the person leads to no message of another."""
    desk = both_desk
    number = octopods_tells(desk, monkeypatch, PIA)
    monkeypatch.setattr(Octopods, "message_status", lambda *_: StatusReport(number, "sent", phone=PIA))
    desk.send_sms(MARA.phone, "Hi", contact="c9")
    desk.click(paste(desk, number, phone=MARA.phone), ATTACH)
    desk.pass_time(5)
    assert erase.person(desk.flow, f"intercom:{WORKSPACE}", "c9").left == {}
    assert only_message(desk).to == PIA


@pytest.mark.parametrize(("told", "phone"), [(PIA, None), (None, MARA.phone), (MARA.phone, MARA.phone)])
def test_an_id_stays_with_the_person_where_nothing_speaks_against_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, told: str | None, phone: str | None
) -> None:
    """Their number is not taken for the one it went to where Octopods tells none."""
    desk.click(paste(desk, octopods_tells(desk, monkeypatch, told), phone=phone), ATTACH)
    message = only_message(desk)
    assert (message.contact_id, message.to, message.reason) == ("c9", told, "recipient_opted_out")
    assert stopped(desk) == ({told} if told else set())


def test_an_id_known_here_shows_its_message(desk: Desk) -> None:
    desk.connect()
    number = desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact="c1").get_json()["message_id"]
    desk.pass_time(15)
    provider_id = only_message(desk).provider_id
    for words in (str(number), provider_id, only_message(desk).id):
        shown = paste(desk, words or "", "c1")
        assert "Not on WhatsApp" in shown.words
        assert ATTACH not in shown.buttons
    assert len(all_messages(desk)) == 1


def test_a_message_of_nobody_becomes_this_persons(desk: Desk) -> None:
    desk.connect()
    number = desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact="").get_json()["message_id"]
    desk.pass_time(15)
    desk.click(paste(desk, str(number), phone=None), ATTACH)
    assert only_message(desk).contact_id == "c9"


def test_forged_attach_buttons_do_nothing(desk: Desk) -> None:
    desk.connect()
    shown = paste(desk, "landline")
    for nonce in ("", "msg_1", "act_" + "0" * 26, "msg_" + "'" * 26):
        assert "cannot be attached" in desk.submit(shown, f"attach:{nonce}", check_text="landline").words
    assert all_messages(desk) == []


def test_an_attach_button_makes_only_the_message_it_was_drawn_for(desk: Desk) -> None:
    desk.connect()
    desk.send_sms(MARA.phone)
    theirs = only_message(desk).id
    installs.connect(desk.flow, "intercom", "other", "t")
    installs.add_channel(desk.flow, "intercom:other", "sms", "other-key-0001", None, None)
    foreign = paste(desk, "landline")
    foreign.person["workspace_id"] = "other"
    unknown = f"{theirs[:-1]}{'0' if theirs[-1] != '0' else '1'}"
    drawn_elsewhere = foreign.id_of(ATTACH).removeprefix("attach:")
    answers = {
        desk.submit(foreign, f"attach:{nonce}", check_text="landline", check_kind="sms").words
        for nonce in (theirs, unknown, drawn_elsewhere)
    }
    assert len(answers) == 1
    assert "cannot be attached" in answers.pop()
    assert only_message(desk).id == theirs


def test_without_a_channel_there_is_nothing_to_attach_to(desk: Desk) -> None:
    installs.connect(desk.flow, "intercom", "abcd123", "t")
    assert ATTACH not in paste(desk, "landline").buttons
