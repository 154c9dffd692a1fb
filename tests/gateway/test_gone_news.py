"""What was erased or purged does not come back by a provider that tells of it once more."""

from __future__ import annotations

import pytest

from canvas.flows import erase, installs, retention
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import MARA, PUBLIC, later
from tests.gateway.test_hooks import OURS, TO, callback, connect, connect_numbered, meta, twilio, webhook
from tests.gateway.test_whose_news import told_by_meta

OUTAGE = "Service unavailable"


@pytest.mark.parametrize("by", ["c1", TO])
def test_a_failure_told_again_after_its_person_was_erased_stays_erased(both_desk: Desk, by: str) -> None:
    desk = both_desk
    connect(desk)
    sid = desk.send_sms(TO).get_json()["channel_message_id"]
    told = callback("undelivered", sid, code="30006")
    twilio(desk, told)
    assert erase.person(desk.flow, PUBLIC, by).left == {}
    desk.clock.advance(3600)
    assert twilio(desk, told).status_code == 204
    assert all_messages(desk) == []
    twilio(desk, {**told, "MessageSid": "SM-of-later"})
    assert only_message(desk).provider_id == "SM-of-later"


def test_a_failure_of_a_send_whose_provider_id_nobody_knew_stays_erased_by_its_time(both_desk: Desk) -> None:
    desk = both_desk
    connect(desk)
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    failed = webhook("failed", to=TO, code=131016, title=OUTAGE)
    failed["entry"][0]["changes"][0]["value"]["statuses"][0]["timestamp"] = str(int(desk.clock().timestamp()))
    desk.clock.advance(600)
    erase.person(desk.flow, PUBLIC, "c1")
    meta(desk, failed)
    assert all_messages(desk) == []
    desk.clock.advance(600)
    told_by_meta(desk, "failed", "wamid.later", OURS, TO, 131016)
    assert only_message(desk).provider_id == "wamid.later"


def test_news_of_an_erased_message_is_not_believed_of_the_next_one(desk: Desk) -> None:
    """Nobody can be asked about either, and both left from our number."""
    connect_numbered(desk)
    desk.octopods.shapes(sends="request_id")
    told = callback("undelivered", "SM1", code="30006")
    desk.send_sms(TO, "one")
    twilio(desk, told)
    erase.person(desk.flow, PUBLIC, "c1")
    desk.send_sms(TO, "two")
    twilio(desk, told)
    assert (only_message(desk).status, only_message(desk).provider_id) == ("sent", None)


def test_a_failure_told_again_after_it_was_purged_stays_away(both_desk: Desk) -> None:
    desk = both_desk
    connect(desk)
    installs.choose(desk.flow, PUBLIC, {"retention_days": 1})
    failed = webhook("failed", to=MARA.phone, code=131026, title="Message undeliverable")
    failed["entry"][0]["changes"][0]["value"]["statuses"][0]["timestamp"] = str(int(desk.clock().timestamp()))
    meta(desk, failed)
    assert only_message(desk).reason == "not_on_whatsapp"
    later(desk, 1.1)
    retention.purge(desk.flow)
    meta(desk, failed)
    assert all_messages(desk) == []
