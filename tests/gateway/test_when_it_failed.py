"""A failure that is learned of late is dated by what tells of it: waits, opt-outs and screens go by that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import opt_outs
from canvas.store.database import reading
from tests.conftest import START
from tests.desk import Desk
from tests.gateway.records import only_message
from tests.gateway.test_discovery import later
from tests.gateway.test_hooks import TO, connect, meta, webhook
from tests.test_opt_outs import STOPPED

KIM = BY_ID["provider_outage"]


def test_a_failure_that_is_asked_about_late_has_not_to_wait_any_more(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    desk.send_whatsapp(KIM.phone, 90001, ["Kim", "Tuesday"])
    later(desk, 0.2)  # no worker ran
    desk.work()
    message = only_message(desk)
    assert message.failed_at is not None
    assert message.failed_at - message.created_at < timedelta(minutes=1)
    screen = desk.initialize()
    assert "Nov 23, 2026 at 1:05PM" in screen.words
    assert "Send again" in screen.buttons


def test_a_failure_that_meta_tells_late_is_dated_by_meta(desk: Desk) -> None:
    connect(desk)
    desk.clock.advance(7200)
    meta(desk, webhook("failed", to=TO, code=131026, title="Message undeliverable"))
    assert only_message(desk).failed_at == START


@pytest.mark.parametrize(("hours", "stands"), [(0, False), (3, True)])
def test_an_opt_out_that_is_registered_late_counts_from_when_it_was_told(
    both_desk: Desk, hours: int, stands: bool
) -> None:
    desk = both_desk
    desk.connect()
    desk.clock.advance(3600)
    desk.octopods.advance(3600)
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    desk.pass_time(6 * 3600)
    told = {"message_id": 9, "status": "FAILED", "failure_reason": STOPPED, "destination_phone": TO}
    at = START + timedelta(hours=hours)
    desk.gateway("/track", {**told, "last_updated": at.isoformat()}, keys.WHATSAPP)
    with reading(desk.flow.engine) as conn:
        assert opt_outs.exists(conn, 1, TO, desk.flow.sealer) is stands


def test_a_failure_is_never_dated_in_the_future(desk: Desk) -> None:
    desk.connect()
    told = {
        "message_id": 9,
        "status": "FAILED",
        "destination_phone": TO,
        "last_updated": "2031-01-01T00:00:00Z",
    }
    desk.gateway("/track", told, keys.WHATSAPP)
    assert only_message(desk).failed_at == desk.clock()
