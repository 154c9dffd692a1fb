"""The screens everybody opens all day: few questions to the database, and never an old answer."""

from __future__ import annotations

from datetime import timedelta

from flask import Response
from sqlalchemy import text

from canvas.flows import installs as install_flow
from canvas.sandbox.people import BY_ID
from canvas.store import channels, counts, messages, opt_outs
from canvas.store.database import reading, writing
from tests.desk import WORKSPACE, Desk, plans, statements

MARA = BY_ID["not_on_whatsapp"]
OUTAGE = BY_ID["provider_outage"]
DERIVED = ("SCAN (subquery", "SCAN anon_")  # walking what an index found, not a table


def questions(seen: list[str]) -> list[str]:
    return [line for line in seen if line.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE"))]


def failed(desk: Desk, how_many: int = 1) -> None:
    desk.connect()
    for _ in range(how_many):
        desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)


def test_a_first_canvas_takes_two_questions_when_it_was_drawn_before_and_nothing_changed(desk: Desk) -> None:
    failed(desk, 4)
    desk.initialize()
    with statements(desk) as seen:
        desk.initialize()
    assert len(questions(seen)) == 2


def test_a_first_canvas_that_must_be_drawn_takes_the_same_two_again(desk: Desk) -> None:
    failed(desk, 4)
    desk.initialize()
    failed(desk)
    with statements(desk) as seen:
        desk.initialize()
    assert len(questions(seen)) == 4
    assert len(set(questions(seen))) == 2


def test_what_is_given_again_looks_like_what_the_view_answers_and_is_counted_like_it(desk: Desk) -> None:
    failed(desk)
    asked = {"workspace_id": WORKSPACE, "contact": {"type": "contact", "id": "c1"}}
    drawn = desk.intercom_post("/intercom/initialize", asked)
    desk.app.view_functions["intercom.initialize"] = lambda: Response(status=500)
    again = desk.intercom_post("/intercom/initialize", asked)
    assert (again.status_code, again.data) == (200, drawn.data)
    told = {name: value for name, value in again.headers if name != "X-Request-Id"}
    assert told == {name: value for name, value in drawn.headers if name != "X-Request-Id"}
    assert again.headers["X-Request-Id"] != drawn.headers["X-Request-Id"]
    desk.flow.counters.flush()
    with reading(desk.flow.engine) as conn:
        assert counts.everything(conn)["requests", "/intercom/initialize", "200"] == 2


def test_nothing_is_given_again_to_a_forger(desk: Desk) -> None:
    failed(desk)
    asked = {"workspace_id": WORKSPACE, "contact": {"type": "contact", "id": "c1"}}
    for signature, status in ((None, 200), (None, 200), ("0" * 64, 401), ("", 401)):
        assert desk.intercom_post("/intercom/initialize", asked, signature).status_code == status


def test_a_database_that_breaks_is_met_once_and_told_as_ever(desk: Desk) -> None:
    failed(desk)
    desk.initialize()
    with writing(desk.flow.engine) as conn:
        conn.execute(text("ALTER TABLE messages RENAME TO away"))
    with statements(desk) as seen:
        assert "cannot read its records" in desk.initialize().words
    assert len(questions(seen)) == 1  # the tenant was read, the messages could not be, and nobody tried again


def test_both_questions_find_their_rows_by_an_index(desk: Desk) -> None:
    failed(desk)
    with statements(desk) as seen:
        desk.initialize(phone=MARA.phone)
    for question, steps in plans(desk, questions(seen)):
        walks = [step for step in steps if step.startswith("SCAN") and not step.startswith(DERIVED)]
        assert walks == [], f"{question}: {steps}"
        assert not [step for step in steps if step.endswith("(install_id=?)") and "messages" in step]


def test_a_canvas_shows_what_another_process_wrote_a_moment_ago(both_desk: Desk) -> None:
    desk = both_desk
    failed(desk)
    assert "Send as SMS instead" in desk.initialize().buttons
    with writing(desk.flow.engine) as conn:
        conn.execute(text("UPDATE channels SET removed_at = 1 WHERE kind = 'sms'"))
    assert "Send as SMS instead" not in desk.initialize().buttons


def test_a_new_failure_an_opt_out_and_a_disconnected_workspace_show_at_once(both_desk: Desk) -> None:
    desk = both_desk
    failed(desk)
    desk.initialize()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Friday"])
    desk.pass_time(15)
    assert len(desk.initialize().items) == 1
    with writing(desk.flow.engine) as conn:
        message = messages.open_for_person(conn, 1, "c1", (), 1)[0][0]
        opt_outs.add(conn, message, desk.clock())
    assert not [label for label in desk.initialize().buttons if label.startswith("Send")]
    install_flow.connect(desk.flow, "intercom", "abcd123", None, settings={"timezone": "Asia/Tokyo"})
    assert "10:05PM" in desk.initialize().words
    with writing(desk.flow.engine) as conn:
        conn.execute(text("UPDATE installs SET status = 'disconnected'"))
    assert "not connected" in desk.initialize().words


def test_a_wait_shows_at_once_and_ends_by_itself(both_desk: Desk) -> None:
    """No row changes when a block ends, so a canvas with a time in it may not be drawn from memory."""
    desk = both_desk
    desk.connect()
    desk.send_whatsapp(OUTAGE.phone, 90001, ["Kim", "Tuesday"])
    desk.pass_time(15)
    desk.pass_time(125)
    assert "Send again" in desk.initialize().buttons
    with writing(desk.flow.engine) as conn:
        fingerprint = channels.of_install(conn, 1)[0].key_hash
        channels.block(conn, fingerprint, desk.clock() + timedelta(seconds=90))
    waiting = desk.initialize().buttons
    assert [label for label in waiting if label.startswith("Send again at")], waiting
    desk.clock.advance(91)
    assert "Send again" in desk.initialize().buttons


def test_two_people_with_the_same_open_messages_see_them_by_contact_and_by_number_alike(desk: Desk) -> None:
    desk.connect()
    body = {"destination_phone": MARA.phone, "message_variables": ["Mara", "Tuesday"]}
    desk.gateway("/whatsapp/templates/90001/messages", body, "sandbox-whatsapp-1111")
    desk.pass_time(15)
    assert "Not on WhatsApp" in desk.initialize("somebody", phone=MARA.phone).words
    assert "No failed messages" in desk.initialize("somebody", phone="+353871234567").words
    with reading(desk.flow.engine) as conn:
        assert messages.open_for_person(conn, 1, "nobody", (), 3) == ([], 0)
