"""A provider's id names one message: matched only when nothing else fits, and never given twice."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from alembic import command
from sqlalchemy import Engine, text

from canvas.domain.message import Message
from canvas.flows import erase, installs, outcome
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import migrate
from canvas.store.database import open_engine
from tests import postgres
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.gateway.test_discovery import elsewhere
from tests.gateway.test_hooks import TO, callback, connect, meta, twilio, webhook
from tests.test_never_lost import until_it_waits

INSTALL = "intercom:abcd123"
MARA = BY_ID["not_on_whatsapp"]


def nameless(desk: Desk, *texts: str, to: str = TO) -> None:
    """Sends whose answer names no provider's id, as the legacy articles show it."""
    desk.octopods.shapes(sends="legacy")
    for words in texts:
        assert desk.send_sms(to, words).status_code == 201


def reported(desk: Desk, message: Message, status: str) -> None:
    """Octopods itself says how this one stands."""
    news = {"channel": "sms", "message_id": message.octopods_id, "destination_phone": TO, "status": status}
    assert desk.gateway("/track", news, keys.SMS).status_code == 201


def asked_for(desk: Desk, news: dict[str, str]) -> list[str]:
    """The ids Octopods is asked about at once, because a failure came that may be theirs."""
    before = len(desk.octopods.log())
    twilio(desk, news)
    paths = [entry["path"] for entry in desk.octopods.log()[before:] if entry["method"] == "GET"]
    return [path.rpartition("/")[2] for path in paths if path.startswith("/api/v1/sms/messages/")]


def test_a_failure_cannot_be_that_of_a_message_that_arrived(desk: Desk) -> None:
    connect(desk)
    nameless(desk, "one")
    reported(desk, only_message(desk), "delivered")
    desk.clock.advance(60)
    nameless(desk, "two")
    assert asked_for(desk, callback("failed", "SM9", code="30003")) == [all_messages(desk)[1].octopods_id]
    assert [m.status for m in all_messages(desk)] == ["delivered", "sent"]


def test_an_arrival_may_be_that_of_either_so_nobody_guesses(desk: Desk) -> None:
    connect(desk)
    nameless(desk, "one")
    reported(desk, only_message(desk), "delivered")
    desk.clock.advance(60)
    nameless(desk, "two")
    twilio(desk, callback("delivered", "SM9"))
    assert [(m.status, m.provider_id) for m in all_messages(desk)] == [("delivered", None), ("sent", None)]


@pytest.mark.parametrize(("seconds", "matched"), [(24 * 3600 - 60, True), (24 * 3600 + 60, False)])
def test_only_what_left_within_a_day_before_the_news_is_matched(
    desk: Desk, seconds: int, matched: bool
) -> None:
    connect(desk)
    nameless(desk, "one")
    desk.clock.advance(seconds)
    twilio(desk, callback("undelivered", "SM9", code="30003"))
    assert len(all_messages(desk)) == (1 if matched else 2)


def test_news_from_before_a_message_left_is_not_of_that_message(desk: Desk) -> None:
    connect(desk)
    desk.clock.advance(86400 * 30)  # far after the time in the webhook
    desk.octopods.shapes(sends="legacy")
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    meta(desk, webhook("failed", code=131049, title="Healthy ecosystem"))
    assert {m.source: m.status for m in all_messages(desk)} == {"gateway": "sent", "hook": "failed"}


def two_numbers(desk: Desk) -> None:
    """Two Twilio numbers of one workspace, each a channel with a key of its own."""
    connect(desk, "sms")
    desk.octopods.add_key("second-sms-key", "sms")
    installs.add_channel(desk.flow, INSTALL, "sms", keys.SMS, None, "+46313906000")
    installs.add_channel(desk.flow, INSTALL, "sms", "second-sms-key", "Second", "+46313906001")


def test_our_own_number_tells_the_channel(desk: Desk) -> None:
    two_numbers(desk)
    desk.octopods.shapes(sends="legacy")
    for key in (keys.SMS, "second-sms-key"):
        desk.gateway("/sms/messages", {"destination_phone": TO, "body": key}, key)
    news = {**callback("failed", "SM9", code="30003"), "From": "+46313906001"}
    ids = {m.content.text: m.octopods_id for m in all_messages(desk)}
    assert asked_for(desk, news) == [ids["second-sms-key"]]


def test_the_same_number_in_another_workspace_is_another_matter(desk: Desk) -> None:
    connect(desk)
    desk.octopods.add_key("other-sms-key", "sms")
    installs.connect(desk.flow, "intercom", "other", "t")
    installs.add_channel(desk.flow, "intercom:other", "sms", "other-sms-key", None, None)
    desk.octopods.shapes(sends="legacy")
    desk.gateway("/sms/messages", {"destination_phone": TO, "body": "theirs"}, "other-sms-key")
    twilio(desk, callback("delivered", "SM9"))
    assert [(m.status, m.provider_id) for m in all_messages(desk)] == [("sent", None)]


def test_an_inbound_message_is_nobodys_status(desk: Desk) -> None:
    connect(desk)
    nameless(desk, "one")
    twilio(desk, {**callback("", "SM9"), "SmsStatus": "received", "From": TO, "To": "+46313906000"})
    assert only_message(desk).provider_id is None


def test_the_same_failure_told_ten_times_at_once_is_one_message(both_desk: Desk) -> None:
    connect(both_desk)
    gate = threading.Barrier(10)

    def tell(_: int) -> int:
        gate.wait()
        return twilio(both_desk, callback("undelivered", "SM7", code="30006")).status_code

    with ThreadPoolExecutor(10) as hands:
        assert set(hands.map(tell, range(10))) == {204}
    assert only_message(both_desk).provider_id == "SM7"


def test_an_id_that_another_message_has_is_not_given_to_a_second_and_the_receipt_stands(
    both_desk: Desk,
) -> None:
    desk = both_desk
    connect(desk)
    sid = desk.send_sms(TO, "one").get_json()["channel_message_id"]
    desk.clock.advance(60)
    nameless(desk, "two")
    second = all_messages(desk)[1]
    twilio(desk, callback("delivered", sid))
    told = {"channel": "sms", "message_id": second.octopods_id, "destination_phone": TO, "status": "sent"}
    assert desk.gateway("/track", told, keys.SMS).status_code == 201
    assert [m.provider_id for m in all_messages(desk)] == [sid, None]
    assert second.octopods_id


def migrated_over(engine: Engine) -> list[tuple[str, str | None]]:
    """What becomes of ids held twice in a database of the version before."""
    config = migrate._config()
    with engine.connect().execution_options(write=True) as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, "0012")
        conn.execute(
            text(
                "INSERT INTO installs (id, platform, external_id, status, settings, created_at, updated_at)"
                " VALUES (1, 'intercom', 'w', 'active', '{}', 0, 0), (2, 'intercom', 'v', 'active', '{}', 0, 0)"
            )
        )
        for id_, install, channel, octopods, provider in ROWS:
            conn.execute(
                text(
                    "INSERT INTO messages (id, install_id, channel, status, raw_to, content, source, thread_id,"
                    " attempt, open, created_at, updated_at, version, octopods_id, provider_id)"
                    " VALUES (:i, :n, :c, 'sent', '', '{}', 'hook', :i, 1, false, 0, 0, 1, :o, :p)"
                ),
                {"i": id_, "n": install, "c": channel, "o": octopods, "p": provider},
            )
    migrate.upgrade(engine)
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text("SELECT id, provider_id FROM messages ORDER BY id"))]


ROWS = [
    ("m1", 1, "sms", None, "SM1"),
    ("m2", 1, "sms", "77", "SM1"),
    ("m3", 1, "sms", None, "SM1"),
    ("m4", 1, "whatsapp", None, "SM1"),
    ("m5", 2, "sms", None, "SM1"),
    ("m6", 1, "sms", None, "SM2"),
    ("m7", 1, "sms", None, "SM2"),
    ("m8", 1, "sms", None, None),
]
KEPT = {"m2": "SM1", "m4": "SM1", "m5": "SM1", "m6": "SM2"}


def test_ids_that_were_held_twice_stay_with_one_message_on_sqlite(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/old.db")
    assert dict(migrated_over(engine)) == {id_: KEPT.get(id_) for id_, *_ in ROWS}
    engine.dispose()


@pytest.mark.postgres
def test_ids_that_were_held_twice_stay_with_one_message_on_postgresql(
    postgres_server: postgres.Server,
) -> None:
    engine = open_engine(postgres_server.new_database("old_ids"))
    assert dict(migrated_over(engine)) == {id_: KEPT.get(id_) for id_, *_ in ROWS}
    engine.dispose()


@pytest.mark.parametrize("told_twice", [False, True])
def test_a_failure_that_its_provider_told_first_is_the_one_that_is_registered(
    both_desk: Desk, told_twice: bool
) -> None:
    """The customer's backend sends past us and registers later, handing on Octopods' document as it came."""
    desk = both_desk
    connect(desk)
    meta(desk, webhook("failed", "wamid.1", MARA.phone, 131026, "Message undeliverable"))
    desk.clock.advance(60)
    told = {"message_id": 777001, "status": "FAILED", "channel_message_id": "wamid.1", "contact_id": "c1"}
    told |= {"destination_phone": MARA.phone, "template_id": 90001, "message_variables": ["Mara", "Tuesday"]}
    for _ in range(1 + told_twice):
        assert desk.gateway("/track", told, keys.WHATSAPP).status_code == 201
    message = only_message(desk)
    assert (message.source, message.octopods_id, message.contact_id) == ("hook", "777001", "c1")
    assert (message.status, message.reason) == ("failed", "not_on_whatsapp")
    assert "Will say: Reminder · Hi Mara, your visit is on Tuesday." in desk.initialize().words


def provider_id_of(desk: Desk, octopods_id: int) -> str:
    """What Octopods answers when it is asked for the status."""
    answer = requests.get(
        f"{desk.octopods.url}/api/v1/whatsapp/messages/{octopods_id}",
        headers={"X-Octopods-Auth": keys.WHATSAPP},
        timeout=5,
    )
    return str(answer.json()["channel_message_id"])


def test_a_failure_that_its_provider_told_first_is_the_one_that_octopods_is_asked_about(
    both_desk: Desk,
) -> None:
    """Registered without a word of how it went; the answer to the first poll names the provider's id."""
    desk = both_desk
    connect(desk)
    elsewhere(desk, MARA.phone)
    desk.pass_time(5)
    taken = desk.octopods.sends()[0]["id"]
    wamid = provider_id_of(desk, taken)
    meta(desk, webhook("failed", wamid, MARA.phone, 131026, "Message undeliverable"))
    told = {"message_id": taken, "destination_phone": MARA.phone, "contact_id": "c1", "template_id": 90001}
    desk.gateway("/track", {**told, "message_variables": ["Mara", "Tuesday"]}, keys.WHATSAPP)
    assert len(all_messages(desk)) == 2
    desk.pass_time(15)
    message = only_message(desk)
    assert (message.source, message.octopods_id, message.contact_id) == ("hook", str(taken), "c1")
    desk.click(desk.initialize(), "Send as SMS instead")
    assert [sent["path"] for sent in desk.octopods.sends()][1:] == ["/api/v1/sms/messages"]
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == 2


def test_a_provider_id_that_a_message_of_ours_has_is_no_reason_to_register_another_as_that(
    desk: Desk,
) -> None:
    connect(desk)
    sid = desk.send_sms(TO, "one").get_json()["channel_message_id"]
    told = {"message_id": 777001, "status": "SENT", "channel_message_id": sid, "destination_phone": TO}
    desk.gateway("/track", told, keys.SMS)
    assert [m.octopods_id for m in all_messages(desk)][1:] == ["777001"]


@pytest.mark.parametrize("told", ["by the poll", "at once"])
def test_a_failure_that_its_provider_told_first_is_known_also_where_no_number_is_registered(
    both_desk: Desk, told: str
) -> None:
    desk = both_desk
    connect(desk)
    elsewhere(desk, MARA.phone)
    desk.pass_time(5)
    taken = desk.octopods.sends()[0]["id"]
    wamid = provider_id_of(desk, taken)
    meta(desk, webhook("failed", wamid, MARA.phone, 131026, "Message undeliverable"))
    how = {"status": "FAILED", "channel_message_id": wamid} if told == "at once" else {}
    desk.gateway("/track", {"message_id": taken, "contact_id": "c1", **how}, keys.WHATSAPP)
    desk.pass_time(15)
    message = only_message(desk)
    assert (message.source, message.octopods_id) == ("hook", str(taken))
    assert (message.contact_id, message.to) == ("c1", MARA.phone)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_making_one_of_two_and_erasing_both_do_not_wait_for_each_other(
    both_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasing holds the failure that was known first, and waits for the message that is registered."""
    desk = both_desk
    connect(desk)
    meta(desk, webhook("failed", "wamid.1", MARA.phone, 131026, "Message undeliverable"))
    desk.clock.advance(60)
    told = {"message_id": 777001, "destination_phone": MARA.phone, "contact_id": "c1"}
    desk.gateway("/track", told, keys.WHATSAPP)
    made_one = outcome._made_one
    with ThreadPoolExecutor(1) as other:
        erasing: list[Future[erase.Erased]] = []

        def when_erasing(*given: Any) -> Message | None:
            erasing.append(other.submit(erase.person, desk.flow, INSTALL, "c1"))
            until_it_waits(desk)
            return made_one(*given)

        monkeypatch.setattr(outcome, "_made_one", when_erasing)
        failed = {**told, "status": "FAILED", "channel_message_id": "wamid.1"}
        assert desk.gateway("/track", failed, keys.WHATSAPP).status_code == 201
        assert erasing[0].result().left == {}
    assert all_messages(desk) == []
