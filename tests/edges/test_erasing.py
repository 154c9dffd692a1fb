"""Erasing a person or an install leaves nothing of them, and everything of the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

from canvas.domain.action_kinds import INTERCOM_EVENT
from canvas.domain.message import Actor
from canvas.domain.phones import national, pretty
from canvas.flows import bulk, erase, intercom_events, manual, retention
from canvas.flows import installs as install_flow
from canvas.flows.look import Person
from canvas.sandbox.octopods import keys
from canvas.store import actions as actions_store
from canvas.store import erasing, migrate, unknown
from canvas.store import messages as message_store
from canvas.store.database import open_engine, reading, writing
from canvas.store.history import Filter
from canvas.store.tables import actions, bulk_jobs, opt_outs
from tests import postgres
from tests.desk import WORKSPACE, Desk
from tests.edges.test_audit import fix_mara, install_id, trail
from tests.edges.test_care import MARA, PUBLIC, WORDS, everything, of
from tests.gateway.records import all_messages
from tests.gateway.test_discovery import later
from tests.test_never_lost import until_it_waits


@pytest.mark.parametrize("by", ["c1", MARA.phone])
def test_erasing_a_person_leaves_no_trace_of_them_and_all_of_the_others(both_desk: Desk, by: str) -> None:
    desk = both_desk
    fix_mara(desk)
    desk.send_sms("+46701740699", "Other words", contact="c2")
    row = {"install_id": install_id(desk), "to": MARA.phone, "channel": "sms", "created_at": desk.clock()}
    with writing(desk.flow.engine) as conn:
        conn.execute(insert(opt_outs).values(row))
    done = erase.person(desk.flow, PUBLIC, by)
    assert done.gone["messages"] == 2
    assert done.gone["opt_outs"] == 1
    assert done.left == {}
    kept = everything(desk)
    assert MARA.phone not in kept
    assert WORDS not in kept
    assert "+46701740699" in kept
    with pytest.raises(install_flow.Refused, match="Nobody here has this id or number"):
        erase.person(desk.flow, PUBLIC, by)
    assert trail(desk)[-1].deed == "contact.erased"


@pytest.mark.parametrize(
    "typed", [pretty(MARA.phone), f"00{MARA.phone[1:]}", MARA.phone[1:], f"0{national(MARA.phone)}"]
)
def test_a_person_is_erased_by_their_number_however_it_is_written(both_desk: Desk, typed: str) -> None:
    fix_mara(both_desk)
    install_flow.choose(both_desk.flow, PUBLIC, {"country": "SE"})
    done = erase.person(both_desk.flow, PUBLIC, typed)
    assert (done.gone["messages"], done.left) == (2, {})
    assert MARA.phone[1:] not in everything(both_desk)


@pytest.mark.parametrize("by", ["+55 11 98765-4321", "+551187654321", "c1"])
def test_a_line_with_two_numbers_is_erased_by_either(both_desk: Desk, by: str) -> None:
    both_desk.connect()
    both_desk.send_sms("+5511987654321", contact="c1")
    both_desk.gateway(
        "/track",
        {"destination_phone": "+551187654321", "message_id": 7, "status": "delivered"},
        keys.WHATSAPP,
    )
    assert erase.person(both_desk.flow, PUBLIC, by).left == {}
    assert not all_messages(both_desk)


def test_a_contact_whose_id_is_all_digits_is_no_number(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    desk.send_sms("+46701740699", "Kept", contact="c2")
    desk.send_sms("+46701740698", "Gone", contact="46701740699")
    erase.person(desk.flow, PUBLIC, "46701740699")
    assert [m.preview for m in all_messages(desk)] == ["Kept"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way", ["erased", "purged"])
def test_who_removes_a_message_and_who_writes_of_it_do_not_wait_for_each_other(
    both_desk: Desk, way: str
) -> None:
    """A poll holds the message and then changes its deed."""
    desk = both_desk
    desk.connect(retention_days=1)
    desk.send_sms("+46701740699")
    (message,) = all_messages(desk)
    later(desk, 2 if way == "purged" else 0)
    with ThreadPoolExecutor(1) as other:
        with writing(desk.flow.engine) as conn:
            held = message_store.locked(conn, message.install_id, message.id)
            if way == "purged":
                assert retention.purge(desk.flow).messages == 0
            else:
                erasing_them = other.submit(erase.person, desk.flow, PUBLIC, "c1")
                until_it_waits(desk)
            actions_store.hasten(conn, held.install_id, f"poll:{held.id}", desk.clock())
        if way == "purged":
            assert retention.purge(desk.flow).messages == 1
        else:
            assert erasing_them.result().left == {}
    assert all_messages(desk) == []


def track_failure(desk: Desk, to: str, contact: str, reason: str) -> None:
    """The customer's backend tells of a failed message to this contact."""
    told = {"destination_phone": to, "status": "failed", "contact_id": contact, "failure_reason": reason}
    desk.gateway("/track", {**told, "message_id": 1}, keys.WHATSAPP)


@pytest.mark.parametrize("asked", ["46 70 1740699", "0046 70-174 06 99", "070-174 06 99"])
def test_what_names_a_person_in_another_spelling_goes_as_well(both_desk: Desk, asked: str) -> None:
    desk = both_desk
    desk.connect()
    said = "Zorgle frobnicated +46 70-174 06 99 (46701740699) quux"
    track_failure(desk, "+46701740699", "c1", said)
    bulk.draft(desk.flow, of(desk), Filter(), {"q": asked}, "best", Actor("intercom_admin", "1", "Ana"))
    assert erase.person(desk.flow, PUBLIC, "c1").left == {}
    kept = everything(desk)
    assert not [one for one in (asked, "701740699", "70-174 06 99") if one in kept]


def test_the_proof_finds_a_number_however_it_is_spaced(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect()
    desk.send_sms("+46701740698", "Call +46 (70) 174-06.99 for me", contact="c2")
    desk.send_sms("+46701740699", "Hi", contact="c1")
    assert erase.person(desk.flow, PUBLIC, "c1").left == {"messages": 1}


@pytest.mark.parametrize("typed", ["0", "087 123 4567", "9876543210987"])
def test_erasing_a_person_leaves_those_who_typed_the_same(both_desk: Desk, typed: str) -> None:
    """What a sender typed as a number is checked by nobody, so it may be a word that others typed as well."""
    desk = both_desk
    desk.connect(undo_seconds=60)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", WORDS], contact="c3")
    for contact in ("c1", "c2"):
        desk.send_sms(typed, f"Words for {contact}", contact)
    desk.pass_time(15)
    desk.click(desk.initialize("c3"), "Send as SMS instead")
    done = erase.person(desk.flow, PUBLIC, "c1")
    assert (done.gone["messages"], done.left) == (1, {})
    assert sorted(m.contact_id or "" for m in all_messages(desk)) == ["c2", "c3", "c3"]
    assert {"send", "templates"} <= set(actions_of(desk))
    sent = len(desk.octopods.sends())
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == sent + 1


def actions_of(desk: Desk) -> list[str]:
    with reading(desk.flow.engine) as conn:
        return list(conn.execute(select(actions.c.kind)).scalars())


def test_what_names_an_erased_person_goes_and_what_holds_the_same_letters_stays(both_desk: Desk) -> None:
    """A contact's id may be a word of ours, and a job or a notice of a merge names people without a message."""
    desk = both_desk
    desk.connect()
    admin = Actor("intercom_admin", "1", "Ana")
    asked = [{"contact": "sms"}, {"q": MARA.phone}, {"channel": "sms"}, {"q": f"{MARA.phone}0"}]
    install = of(desk)
    for one in asked:
        bulk.draft(desk.flow, install, Filter(), one, "best", admin)
    merge = {"topic": "contact.merged", "contact": "c9", "merged_from": "sms"}
    with writing(desk.flow.engine) as conn:
        now = desk.clock()
        actions_store.add(conn, install.id, INTERCOM_EVENT, "event:1", now, now, payload=merge)
    desk.work()
    desk.send_sms(MARA.phone, contact="sms")
    erase.person(desk.flow, PUBLIC, "sms")
    with reading(desk.flow.engine) as conn:
        kept = [job.filter for job in conn.execute(select(bulk_jobs.c.filter))]
    assert sorted(kept, key=str) == sorted(asked[2:], key=str)
    assert INTERCOM_EVENT not in actions_of(desk)
    assert "templates" in actions_of(desk)


def test_an_unnamed_failure_text_that_quotes_an_erased_person_keeps_its_shape(both_desk: Desk) -> None:
    fix_mara(both_desk)
    said = f"Zorblatt of {MARA.phone} refused"
    with writing(both_desk.flow.engine) as conn:
        unknown.count(
            conn, install_id(both_desk), "h", "Zorblatt of # refused", said, "sms", both_desk.clock()
        )
    assert erase.person(both_desk.flow, PUBLIC, "c1").left == {}
    with reading(both_desk.flow.engine) as conn:
        assert [one.example for one in unknown.listed(conn, install_id(both_desk))] == [
            "Zorblatt of # refused"
        ]


def test_a_note_about_words_that_no_database_holds_keeps_nobody_from_being_erased(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    said = "Business eligibility payment issue\x00 or half a \ud83d character"
    track_failure(desk, "+46701740619", "c9", said)
    desk.click(desk.click(desk.initialize("c9"), "Details"), "Ask an admin")
    assert "ask_admin" in actions_of(desk)
    done = erase.person(desk.flow, PUBLIC, "c1")
    assert (done.gone["messages"], done.left) == (2, {})


def bodies_after_the_upgrade(url: str) -> list[str]:
    """What the database answers when it is asked for the notes that were there at the version before."""
    engine = open_engine(url)
    migrated_to(engine, "0018")
    with engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO installs (id, platform, external_id, status, settings, created_at, updated_at)"
                " VALUES (1, 'intercom', 'w', 'active', '{}', 0, 0)"
            )
        )
        for id_, payload in NOTES.items():
            conn.execute(
                text(
                    "INSERT INTO actions (id, install_id, kind, key, state, due_at, tries, payload, created_at)"
                    " VALUES (:i, 1, 'ask_admin', :i, 'done', 0, 0, :p, 0)"
                ),
                {"i": id_, "p": payload},
            )
    migrate.upgrade(engine)
    with reading(engine) as conn:
        found = (
            conn.execute(select(actions.c.payload["body"].as_string()).order_by(actions.c.id)).scalars().all()
        )
    engine.dispose()
    return list(found)


READABLE = ["a\ufffdb", "Hi 😀", "a\ufffdb"]
NOTES = {"1": r'{"body": "a\u0000b"}', "2": r'{"body": "Hi \ud83d\ude00"}', "3": r'{"body": "a\ud83db"}'}


def migrated_to(engine: Engine, revision: str) -> None:
    config = migrate._config()
    with engine.connect().execution_options(write=True) as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def test_notes_of_an_older_version_can_be_asked_on_sqlite(tmp_path: Path) -> None:
    assert bodies_after_the_upgrade(f"sqlite:///{tmp_path}/old.db") == READABLE


@pytest.mark.postgres
def test_notes_of_an_older_version_can_be_asked_on_postgresql(postgres_server: postgres.Server) -> None:
    assert bodies_after_the_upgrade(postgres_server.new_database("old_notes")) == READABLE


def test_whoever_was_tied_merged_or_deleted_is_named_by_no_audit_line(desk: Desk) -> None:
    desk.connect()
    desk.send_sms("+46701740613", contact="")
    [message] = all_messages(desk)
    person, ana = Person("c77", (), None), Actor("intercom_admin", "1", "Ana")
    nonce = manual.check(desk.flow, of(desk), message.id).nonce
    manual.attach(desk.flow, of(desk), person, message.id, "", nonce, ana)
    merged = intercom_events.Event(WORKSPACE, "notif_1", "contact.merged", "c78", "c77")
    intercom_events.store(desk.flow, merged)
    desk.work()
    deeds = [line.deed for line in trail(desk)]
    assert {"message.attached", "contact.merged"} <= set(deeds)
    assert erase.person(desk.flow, PUBLIC, "c78").left == {}
    assert not [line for line in trail(desk) if "c77" in repr(line) or "c78" in repr(line)]


def test_the_proof_finds_what_is_still_there(both_desk: Desk) -> None:
    fix_mara(both_desk)
    who = erasing.Person(("c1",), (MARA.phone,))
    with reading(both_desk.flow.engine) as conn:
        assert {"messages"} <= set(erasing.traces(conn, install_id(both_desk), who))


def test_erasing_an_install_touches_no_other(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    install_flow.connect(desk.flow, "intercom", "other", "other-token")
    done = erase.install(desk.flow, PUBLIC)
    assert done.gone["messages"] == 2
    assert done.left == {}
    assert [found.public_id for found in install_flow.everyone(desk.flow)] == ["intercom:other"]
    with pytest.raises(install_flow.Refused, match="There is no install"):
        erase.install(desk.flow, PUBLIC)


def test_who_opted_out_and_was_erased_is_sent_nothing_under_a_new_contact(both_desk: Desk) -> None:
    desk, number = both_desk, "+46701740690"
    desk.connect()
    wrong = {"destination_phone": number, "status": "failed", "template_id": 90001}
    stopped = {**wrong, "message_id": 1, "contact_id": "c1", "failure_reason": "User has opted out"}
    desk.gateway("/track", {**stopped, "message_variables": ["Pia", "Tuesday"]}, keys.WHATSAPP)
    done = erase.person(desk.flow, f"intercom:{WORKSPACE}", "c1")
    assert (done.gone["opt_outs"], done.left) == (1, {})
    assert number not in everything(desk)
    answer = desk.gateway("/check", {"destination_phone": number, "body": "Hi"}, keys.SMS).get_json()
    assert answer["verdict"] == "would_fail"
    again = {
        **wrong,
        "message_id": 2,
        "contact_id": "c2",
        "failure_reason": "Recipient is not a WhatsApp user.",
    }
    desk.gateway("/track", {**again, "message_variables": ["Pia", "Tuesday"]}, keys.WHATSAPP)
    screen = desk.initialize("c2")
    for shown in (screen, desk.click(screen, "Details")):
        assert not [label for label in shown.buttons if "Send" in label or "Correct" in label]
    erase.person(desk.flow, f"intercom:{WORKSPACE}", number)
    assert number not in everything(desk)
    desk.gateway("/track", {**again, "message_id": 3}, keys.WHATSAPP)
    assert not [label for label in desk.initialize("c2").buttons if "Send" in label]
