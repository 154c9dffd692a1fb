"""What Octopods took is written down even when the database is away for a moment."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from canvas.clients.http import Answer
from canvas.clients.octopods import Octopods
from canvas.factory import EVERY_MINUTE, every_minute
from canvas.flows import come_in, write_retry
from canvas.flows.context import Flow
from canvas.store.database import reading, writing
from tests.desk import Desk


class Away:
    """A database that refuses its next few commits, as one does that is being restarted."""

    def __init__(self, desk: Desk) -> None:
        self.left = 0
        event.listen(desk.flow.engine, "commit", self.commit)

    def commit(self, _connection: object) -> None:
        if self.left:
            self.left -= 1
            raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_retry, "PAUSES", (0.0,) * 5)


def test_the_id_of_a_gateway_send_is_kept_when_the_database_was_away_after_it(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = both_desk
    desk.connect()
    away = Away(desk)
    honest = Octopods.forward

    def forward(self: Octopods, *request: Any) -> Answer:
        answer = honest(self, *request)
        away.left = 3
        return answer

    monkeypatch.setattr(Octopods, "forward", forward)
    taken = desk.send_sms("+353871234567")
    assert taken.status_code == 201
    assert away.left == 0
    with reading(desk.flow.engine) as conn:
        kept = conn.execute(text("SELECT status, octopods_id FROM messages")).one()
    assert tuple(kept) == ("sent", str(taken.get_json()["message_id"]))


def test_in_the_end_the_last_error_is_raised() -> None:
    tried: list[int] = []

    def refuse() -> None:
        tried.append(1)
        raise OperationalError("COMMIT", {}, Exception("away"))

    with pytest.raises(OperationalError):
        write_retry.retry_write(refuse)
    assert len(tried) == 6


def test_an_abandoned_whatsapp_send_is_found_in_the_list_by_the_time_it_left(desk: Desk) -> None:
    desk.connect()
    taken = desk.send_whatsapp("+353871234567", 90001, ["Mara", "Tuesday"])
    with writing(desk.flow.engine) as conn:  # as if the process had died before it could write the outcome
        conn.execute(text("UPDATE messages SET status = 'sending', octopods_id = NULL, sent_at = NULL"))
        conn.execute(text("DELETE FROM actions"))
    desk.clock.advance(200)
    desk.octopods.advance(200)
    come_in.abandoned(desk.flow)
    desk.pass_time(15)
    with writing(desk.flow.engine) as conn:
        found = conn.execute(text("SELECT octopods_id FROM messages")).scalar_one()
    assert found == str(taken.get_json()["message_id"])


def test_one_row_that_cannot_be_read_and_one_step_that_breaks_keep_nothing_else_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect()
    for number in ("+353871234561", "+353871234562"):
        desk.send_sms(number)
    with writing(
        desk.flow.engine
    ) as conn:  # as if both processes had died, and a later version had written one row
        conn.execute(text("UPDATE messages SET status = 'sending', octopods_id = NULL"))
        odd = """UPDATE messages SET sender = '{"kind": "key", "later": 1}' WHERE "to" = '+353871234561'"""
        conn.execute(text(odd))
        conn.execute(text("DELETE FROM actions"))
    desk.clock.advance(200)

    def broken(_flow: Flow) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("canvas.factory.EVERY_MINUTE", (broken, *EVERY_MINUTE))
    every_minute(desk.flow)
    with reading(desk.flow.engine) as conn:
        found = {tuple(row) for row in conn.execute(text('SELECT "to", status FROM messages'))}
        counted = conn.execute(text("SELECT count(*) FROM actions WHERE kind = 'tally'")).scalar_one()
    assert found == {("+353871234561", "sending"), ("+353871234562", "unsure")}
    assert counted == 1
