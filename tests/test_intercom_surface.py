"""Intercom's two routes: who may call, what they survive, and what they must never do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from canvas.flows import installs
from canvas.flows.fix_tokens import Tokens
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store.database import reading
from canvas.surfaces.guard import body_signature, hub_signature
from tests.canvas_check import check_canvas
from tests.desk import SECRET, WORKSPACE, Desk, Screen

MARA = BY_ID["not_on_whatsapp"]
NESTED = b'{"workspace_id":"abcd123","contact":' + b"[" * 30000 + b"]" * 30000 + b"}"


def failed(desk: Desk) -> Screen:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    return desk.initialize()


def test_known_signatures() -> None:
    """Vectors computed apart from this code, over the very bytes."""
    escaped = (
        b'{"workspace_id":"abcd123","conversation":{"type":"conversation","id":"215470000000042","source":'
        b'{"type":"whatsapp","body":"\\u003cp\\u003eHi \\u0026 bye\\u003c/p\\u003e"}}}'
    )
    assert body_signature(SECRET, b'{"workspace_id":"abcd123"}') == (
        "2f5ab499e2031ca40129a0a6486abe274de54cc4f0867e3e42351527d9a516dd"
    )
    assert (
        body_signature(SECRET, escaped) == "70dec74f99c3a0021c79992493ae62c26d80fd3b0b7a9223e6efe9b71761225f"
    )
    assert (
        hub_signature(SECRET, b'{"workspace_id":"abcd123"}')
        == "sha1=dc2b0eef8c0cc5f546cf175f5a701b48bda61201"
    )


@pytest.mark.parametrize("path", ["/intercom/initialize", "/intercom/submit"])
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0" * 64,
        "fb6e36fcadb17221e5924073a8a0fb25c4049b1bb9fee6b2b2ebce0ad60d66e7",  # of the re-serialised body
        "2F5AB499E2031CA40129A0A6486ABE274DE54CC4F0867E3E42351527D9A516DD",
        "ü",
    ],
)
def test_a_wrong_or_missing_signature_is_401_with_an_empty_body(
    desk: Desk, path: str, signature: str
) -> None:
    answer = desk.intercom_post(path, b'{"workspace_id":"abcd123"}', signature)
    assert (answer.status_code, answer.data) == (401, b"")


def test_without_a_configured_secret_nobody_comes_in(desk: Desk) -> None:
    desk.app.config["INTERCOM_CLIENT_SECRET"] = ""
    body = b'{"workspace_id":"abcd123"}'
    assert desk.intercom_post("/intercom/initialize", body, body_signature("", body)).status_code == 401


def test_a_body_over_one_megabyte_is_413(desk: Desk) -> None:
    assert desk.intercom_post("/intercom/initialize", b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"null",
        b"[]",
        b'"abcd123"',
        b"{",
        b"\xff\xfe",
        b'{"workspace_id":"\\ud800"}',
        b'{"workspace_id":{}}',
        b'{"workspace_id":true}',
        b'{"workspace_id":"nobody"}',
        b'{"workspace_id":"abcd123","contact":7,"admin":[],"conversation":"x","input_values":[1]}',
        b'{"workspace_id":"abcd123","component_id":"\\u0000"}',
        b'{"workspace_id":"abcd123","component_id":["fix"],"input_values":{"a":{"b":[]}}}',
        b'{"workspace_id":"abcd123","component_id":"nobody:knows:this"}',
        b'{"workspace_id":"abcd123","component_id":"open:msg_nobody"}',
        b'{"workspace_id":"abcd123","component_id":"open:\\ud800"}',
        b'{"workspace_id":"abcd123","component_id":"all:-1"}',
        b'{"workspace_id":"abcd123","component_id":"all:99999999999999999999"}',
        b'{"workspace_id":"abcd123","component_id":"fix:eyJhIjoxfQ.x.y"}',
        b'{"workspace_id":"abcd123","component_id":"do:"}',
        b'{"workspace_id":"abcd123","component_id":"check_go"}',
        NESTED,
    ],
    ids=lambda b: repr(b[:60]),
)
@pytest.mark.parametrize("path", ["/intercom/initialize", "/intercom/submit"])
def test_signed_nonsense_gets_a_drawable_canvas(desk: Desk, path: str, body: bytes) -> None:
    desk.connect()
    answer = desk.intercom_post(path, body)
    assert answer.status_code == 200
    check_canvas(answer.get_json())
    assert "Traceback" not in answer.text


def test_half_an_emoji_in_the_conversation_does_not_hide_the_card(desk: Desk) -> None:
    """A text that was cut in the middle of a character is legal JSON all the same."""
    failed(desk)
    cut = {"type": "conversation", "id": "215470000000042", "source": {"body": "See you \ud83d"}}
    assert desk.initialize(conversation=cut).words == desk.initialize().words


def test_ids_may_be_numbers_and_the_contact_may_be_called_customer(desk: Desk) -> None:
    failed(desk)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact="77")
    desk.pass_time(15)
    person: dict[str, Any] = {"app_id": WORKSPACE, "customer": {"id": 77}}
    answer = desk.intercom_post("/intercom/initialize", person)
    assert "Not on WhatsApp" in answer.text


def test_a_message_without_a_contact_is_found_by_the_number_however_it_is_written(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"], contact="")
    desk.pass_time(15)
    assert "Not on WhatsApp" in desk.initialize("c9", "0046 70-174 06 11").words
    assert "No failed messages" in desk.initialize("c9", "+46701740612").words


def test_another_workspace_sees_nothing_and_its_tokens_open_nothing(desk: Desk) -> None:
    screen = failed(desk)
    installs.connect(desk.flow, "intercom", "other1", "token")
    other = {"workspace_id": "other1", "contact": {"id": "c1", "phone": MARA.phone}}
    seen = desk.intercom_post("/intercom/initialize", other)
    assert "Not on WhatsApp" not in seen.text
    message_id = next(c["id"] for c in screen.components if c.get("label") == "Details").removeprefix("open:")
    foreign = [desk.intercom_post("/intercom/submit", {**other, "component_id": f"open:{message_id}"}).data]
    foreign.append(desk.intercom_post("/intercom/submit", {**other, "component_id": "open:msg_none"}).data)
    assert foreign[0] == foreign[1]
    stolen = {**other, "component_id": screen.id_of("Send as SMS instead")}
    assert b"not here any more" in desk.intercom_post("/intercom/submit", stolen).data
    assert len(desk.octopods.sends()) == 1


def test_a_token_signed_elsewhere_or_too_old_does_nothing(desk: Desk) -> None:
    screen = failed(desk)
    good = screen.id_of("Send as SMS instead")
    for bad in (
        good[:-2] + "xx",
        good.replace("fix:", "fix:x"),
        "fix:" + Tokens("another")._serializer.dumps([1]),
    ):
        assert "too old or was altered" in desk.submit(screen, bad).words
    assert len(desk.octopods.sends()) == 1


def test_looking_changes_nothing_and_calls_nobody(desk: Desk) -> None:
    failed(desk)
    with reading(desk.flow.engine) as conn:
        before = conn.execute(text("SELECT * FROM messages ORDER BY id")).all()
    calls = len(desk.octopods.log()), len(desk.intercom.log())
    for _ in range(3):
        desk.initialize()
    with reading(desk.flow.engine) as conn:
        assert conn.execute(text("SELECT * FROM messages ORDER BY id")).all() == before
    assert (len(desk.octopods.log()), len(desk.intercom.log())) == calls


def test_our_own_trouble_is_a_canvas_with_a_number_and_a_way_on(desk: Desk) -> None:
    desk.connect()
    with desk.flow.engine.connect() as conn, conn.begin():
        conn.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
    answer = desk.intercom_post("/intercom/initialize", {"workspace_id": WORKSPACE, "contact": {"id": "c1"}})
    assert answer.status_code == 200
    screen = Screen(answer.get_json())
    check_canvas(screen.body, first=True)
    assert "cannot read its records right now" in screen.words
    assert answer.headers["X-Request-Id"] in screen.words
    assert screen.buttons == ["Try again"]


def test_foreign_words_cannot_place_a_link_in_the_card(desk: Desk) -> None:
    desk.connect()
    evil = "[Click here](https://evil.example) **now** <script>alert(1)</script>"
    body = {"channel": "sms", "message_id": 5, "destination_phone": "+46701740613", "contact_id": "c1"}
    body |= {"status": "failed", "failure_reason": evil, "body": evil}
    assert desk.gateway("/track", body, "sandbox-sms-2222").status_code == 201
    screen = desk.click(desk.initialize(), "Details")
    said = screen.component("said")["text"]
    assert "Click here" in said
    assert "](" not in said
    assert "**" not in said


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 40])
def test_the_first_canvas_stays_small_however_many_failed(desk: Desk, count: int) -> None:
    desk.connect()
    for n in range(count):
        desk.send_sms("+46701740613", f"Message {n}")
    desk.pass_time(15)
    screen = desk.initialize()
    assert len(screen.items) == min(2, max(0, count - 1))
    assert (f"All {count}" in screen.buttons) == (count > 3)
    if count > 3:
        page = desk.click(screen, f"All {count}")
        assert len(page.items) == min(8, count)
        assert ("Older" in page.buttons) == (count > 8)


def test_several_failures_leave_the_newest_uncut(desk: Desk) -> None:
    desk.connect()
    for _ in range(3):
        desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    screen = desk.initialize()
    words = {c["id"]: c["text"] for c in screen.components if c["type"] == "text"}
    assert words["line"].endswith(" · Nov 23, 2026 at 1:05PM")
    assert words["what"].endswith("nobody uses WhatsApp on it.")
    assert words["preview"].endswith("your visit is on Tuesday. · Thanks")
    assert {i["tertiary_text"] for i in screen.items} == {"Nov 23, 2026 at 1:05PM"}
    assert len(screen.items) == 2 or "All 3" in screen.buttons


def test_an_opted_out_person_is_told_what_to_do_where_no_button_sends(desk: Desk) -> None:
    desk.connect()
    desk.send_sms(BY_ID["recipient_opted_out"].phone, "20% off until Sunday")
    screen = desk.initialize()
    assert "Respect it: do not send." in screen.words
    assert screen.buttons == ["Mark as handled", "Details"]


def test_links_stand_below_the_buttons_and_the_same_words_once(desk: Desk) -> None:
    screen = desk.click(failed(desk), "Details")
    styles = [c["style"] for c in screen.components if c["type"] == "button"]
    assert styles == sorted(styles, key=["secondary", "link"].index)
    assert screen.words.count("Will say: ") == 1


def test_every_canvas_of_a_walk_is_small(desk: Desk) -> None:
    screen = failed(desk)
    assert len(json.dumps(screen.body)) < 16 * 1024
    assert "Back" in desk.click(screen, "Details").buttons


def test_foreign_text_is_neither_bold_nor_a_link(desk: Desk) -> None:
    desk.connect()
    sent = {"channel": "sms", "message_id": 5, "destination_phone": MARA.phone, "contact_id": "c1"}
    evil = "***Pay*** ****now**** [here](https://evil.example) [[here]](https://evil.example)"
    told = {**sent, "status": "failed", "failure_reason": evil}
    assert desk.gateway("/track", told, keys.SMS).status_code == 201
    said = desk.initialize().component("said")["text"]
    assert said.replace("\u2060", "") == f"Octopods said: {evil}"
    assert not {"**", "]("} & {said[i : i + 2] for i in range(len(said))}


def test_a_list_that_was_left_open_counts_what_is_still_there(desk: Desk) -> None:
    screen = failed(desk)
    assert desk.submit(screen, "all:0").words.splitlines()[0] == "1 message needs a look"
    assert desk.submit(screen, "all:8").words == desk.submit(screen, "all:0").words
    desk.click(desk.click(screen, "Details"), "Mark as handled")
    empty = desk.submit(screen, "all:0")
    assert "No failed messages for this person." in empty.words
    assert "0 messages" not in empty.words
