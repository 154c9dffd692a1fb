"""Least data: what is purged when, what an export holds, and what the commands for it say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from flask.cli import FlaskGroup
from sqlalchemy import delete, insert, select, update

from canvas.cli.commands import register
from canvas.domain.message import Actor
from canvas.flows import alerts, bulk, export, retention
from canvas.flows import installs as install_flow
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store import actions as actions_store
from canvas.store import audit, erasing
from canvas.store.database import reading, writing
from canvas.store.history import Filter
from canvas.store.installs import Install
from canvas.store.tables import (
    actions,
    alert_events,
    bulk_items,
    bulk_jobs,
    channels,
    idempotency,
    messages,
    metadata,
)
from tests.desk import TOKEN, WORKSPACE, Desk, Screen, plans, statements
from tests.edges.test_audit import failed_mara, fix_mara, install_id, trail
from tests.gateway.records import all_messages

MARA = BY_ID["not_on_whatsapp"]
PUBLIC = f"intercom:{WORKSPACE}"
WORDS = "Tuesday"


def everything(desk: Desk) -> str:
    """All that the database holds, as text."""
    with reading(desk.flow.engine) as conn:
        return "\n".join(repr(row) for t in metadata.sorted_tables for row in conn.execute(select(t)))


def of(desk: Desk) -> Install:
    return install_flow.everyone(desk.flow)[0]


def purge(desk: Desk) -> retention.Purged:
    done = retention.purge(desk.flow)
    again = retention.purge(desk.flow)
    assert (again.contents, again.messages, again.installs) == (0, 0, 0)
    return done


def test_the_words_of_a_message_go_when_no_fix_may_need_them_and_its_failure_stays(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Wednesday"], contact="c2")
    desk.pass_time(60)
    desk.pass_time(2 * 24 * 3600)
    assert purge(desk).contents == 0
    desk.pass_time(2 * 24 * 3600)
    assert purge(desk).contents == 2
    with reading(desk.flow.engine) as conn:
        rows = list(conn.execute(select(messages).order_by(messages.c.attempt)))
    mara, other = ([row for row in rows if row.contact_id == contact] for contact in ("c1", "c2"))
    assert [(row.preview, row.content_dropped) for row in mara] == [(None, True)] * 2
    assert mara[0].content == {"template_id": "90001"}
    assert mara[0].failure_raw
    assert "Wednesday" in json.dumps(other[0].content)
    assert "Send as SMS instead" in desk.initialize(contact="c2").buttons


def test_an_hourly_purge_walks_through_no_table_that_grows_with_the_messages(desk: Desk) -> None:
    fix_mara(desk)
    with statements(desk) as seen:
        retention.purge(desk.flow)
    purging = {said for said in seen if "messages" in said or "actions" in said}
    assert len(purging) >= 4  # by being handled, by age, the messages themselves, the deeds about none
    whole = ("(install_id=?)", "(content_dropped=?)")
    for said, steps in plans(desk, purging):
        assert not {"SCAN messages", "SCAN actions"} & set(steps), f"{said}: {steps}"
        assert not [s for s in steps if s.endswith(whole) or "TEMP B-TREE" in s], f"{said}: {steps}"


def test_a_handled_message_loses_its_words_at_once(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", WORDS])
    desk.pass_time(15)
    screen = desk.click(desk.initialize(), "Details")
    desk.click(screen, "Mark as handled")
    assert purge(desk).contents == 1
    assert WORDS not in everything(desk)


@pytest.mark.parametrize(("chosen", "kept"), [(None, 90), (30, 30), (365, 90)])
def test_rows_go_after_the_days_the_admin_chose_within_the_operators_limit(
    both_desk: Desk, chosen: int | None, kept: int
) -> None:
    desk = both_desk
    fix_mara(desk)
    if chosen:
        install_flow.connect(desk.flow, "intercom", WORKSPACE, None, settings={"retention_days": chosen})
    desk.pass_time((kept - 1) * 24 * 3600)
    assert purge(desk).messages == 0
    desk.pass_time(2 * 24 * 3600)
    assert purge(desk).messages == 2
    assert MARA.phone not in everything(desk)


def wait_to_be_sent(desk: Desk) -> Screen:
    """The receipt of a fix that waits a minute for a change of mind, for a message at the end of its time here."""
    failed_mara(desk)
    desk.connect(undo_seconds=60)
    desk.pass_time(90 * 24 * 3600 - 30)
    waiting = desk.click(desk.initialize(), "Send as SMS instead")
    desk.pass_time(40)
    return waiting


def test_a_message_stays_as_long_as_its_fix_may_be_undone(both_desk: Desk) -> None:
    desk = both_desk
    waiting = wait_to_be_sent(desk)
    assert purge(desk).messages == 0
    undone = desk.click(waiting, "Undo")
    assert "Undone. Nothing was sent." in undone.words
    assert "Send as SMS instead" in undone.buttons
    assert purge(desk).messages == 1
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == 1


def test_a_fix_whose_failed_message_is_gone_is_undone_all_the_same(both_desk: Desk) -> None:
    desk = both_desk
    waiting = wait_to_be_sent(desk)
    with writing(desk.flow.engine) as conn:
        conn.execute(delete(messages).where(messages.c.parent_id.is_(None)))
    assert "Undone" in desk.click(waiting, "Undo").words
    desk.pass_time(60)
    assert len(desk.octopods.sends()) == 1


def test_a_retention_longer_than_time_removes_nothing(both_desk: Desk) -> None:
    fix_mara(both_desk)
    forever = replace(both_desk.flow, retention_days=36_500)
    assert retention.purge(forever).messages == 0
    assert all_messages(both_desk)


def test_a_deed_whose_message_is_gone_goes_too(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    with writing(desk.flow.engine) as conn:
        late = actions_store.add(
            conn, install_id(desk), "timeline", "late", desk.clock(), desk.clock(), message_id="msg_gone"
        )
        conn.execute(update(actions).where(actions.c.id == late.id).values(finished_at=desk.clock()))
    desk.pass_time(91 * 24 * 3600)
    purge(desk)
    with reading(desk.flow.engine) as conn:
        assert not conn.execute(select(actions.c.id).where(actions.c.id == late.id)).all()


def test_bulk_jobs_go_with_their_items_as_messages_do_dry_runs_after_a_day_and_old_alerts(
    both_desk: Desk,
) -> None:
    desk = both_desk
    desk.connect(alerts={"email": "ops@example.com"}, retention_days=30)
    for _ in range(2):
        desk.send_sms("12")
    admin = Actor("intercom_admin", "1", "Ana")
    ended, _ = bulk.draft(desk.flow, of(desk), Filter(state="failed"), {"q": MARA.phone}, "handled", admin)
    bulk.start(desk.flow, of(desk), ended, admin)
    for _ in range(4):
        desk.pass_time(2)
    dry_run, _ = bulk.draft(desk.flow, of(desk), Filter(), {"q": "Mara"}, "best", admin)
    with writing(desk.flow.engine) as conn:
        told = ("incident_opened", "open:1", "A title", "A text", desk.clock())
        alerts.say(conn, install_id(desk), *told)

    def kept() -> tuple[list[str], set[str], int]:
        with reading(desk.flow.engine) as conn:
            jobs = conn.execute(select(bulk_jobs.c.id)).scalars().all()
            items = set(conn.execute(select(bulk_items.c.job_id)).scalars())
            return sorted(jobs), items, len(conn.execute(select(alert_events)).all())

    purge(desk)
    assert kept() == (sorted([ended, dry_run]), {ended, dry_run}, 1)
    desk.pass_time(25 * 3600)
    purge(desk)
    assert kept() == ([ended], {ended}, 1)
    desk.pass_time(28 * 24 * 3600)
    purge(desk)
    assert kept() == ([ended], {ended}, 1)
    desk.pass_time(3 * 24 * 3600)
    purge(desk)
    assert kept() == ([], set(), 0)


def test_an_uninstalled_tenant_is_erased_after_its_grace_and_not_before(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    desk.intercom_post("/intercom/uninstall", {"app_id": WORKSPACE})
    desk.clock.advance(29 * 24 * 3600)
    install_flow.choose(
        desk.flow, PUBLIC, {"country": "IE"}
    )  # a late change of it does not prolong the grace
    assert purge(desk).installs == 0
    desk.clock.advance(2 * 24 * 3600)
    assert purge(desk).installs == 1
    assert MARA.phone not in everything(desk)
    assert WORKSPACE not in everything(desk)


def test_a_tenant_that_came_back_is_kept(desk: Desk) -> None:
    desk.connect("sms")
    desk.intercom_post("/intercom/uninstall", {"app_id": WORKSPACE})
    desk.clock.advance(40 * 24 * 3600)
    install_flow.connect(desk.flow, "intercom", WORKSPACE, None)
    assert purge(desk).installs == 0
    assert install_id(desk)


def test_an_export_holds_every_row_and_no_secret(both_desk: Desk) -> None:
    desk = both_desk
    fix_mara(desk)
    kept = {"key": "k1", "request_hash": "h", "message_id": "msg_1", "state": "done", "body": b'{"id": 7}'}
    with writing(desk.flow.engine) as conn:
        conn.execute(insert(idempotency).values(install_id=install_id(desk), created_at=desk.clock(), **kept))
    lines = [json.dumps(row) for row in export.rows_of(desk.flow, PUBLIC)]
    assert any(json.loads(line).get("body") == '{"id": 7}' for line in lines)
    with reading(desk.flow.engine) as conn:
        assert len(lines) == 1 + sum(erasing.rows(conn, install_id(desk)).values())
        sealed = [s for (s,) in conn.execute(select(channels.c.key_sealed))]
        hashes = [h for (h,) in conn.execute(select(channels.c.key_hash))]
    written = "\n".join(lines)
    assert MARA.phone in written
    for secret in [keys.SMS, keys.WHATSAPP, TOKEN, *sealed, *hashes]:
        assert secret not in written


@pytest.mark.parametrize("odd", ["Tuesday \ud83d", 2**70])
def test_an_export_holds_what_another_writer_of_json_could_not_say(desk: Desk, odd: object) -> None:
    """As kept by an older version: half of a character, and a number beyond 64 bits."""
    failed_mara(desk)
    with writing(desk.flow.engine) as conn:
        conn.execute(update(messages).values(content={"variables": [odd]}))
    rows = [json.loads(line) for line in export.lines(desk.flow, PUBLIC)]
    assert [row["content"] for row in rows if row["table"] == "messages"] == [{"variables": [odd]}]


def test_the_address_of_a_webhook_is_in_no_export_and_no_audit_line(desk: Desk) -> None:
    address = "https://hooks.slack.com/services/T0/B0/SECRET"
    desk.connect(alerts={"webhook": address})
    install_flow.choose(desk.flow, PUBLIC, {"timeline": "off"})
    install_flow.connect(desk.flow, "intercom", WORKSPACE, None, settings={"country": "SE"})
    exported = [json.dumps(row) for row in export.rows_of(desk.flow, PUBLIC)]
    assert not [line for line in (*exported, *map(repr, trail(desk))) if address in line]
    chosen = next(line for line in trail(desk) if line.deed == "install.settings")
    assert (chosen.before, chosen.after) == ({"timeline": None}, {"timeline": "off"})


def test_the_commands_say_what_they_did(desk: Desk) -> None:
    fix_mara(desk)
    register(desk.app)
    runner = FlaskGroup(create_app=lambda: desk.app)

    def run(args: list[str]) -> Result:
        return CliRunner().invoke(runner, args)

    assert len(run(args=["export", PUBLIC]).output.splitlines()) > 5
    assert "0 contents dropped, 0 messages" in run(args=["purge"]).output
    assert "3 secrets sealed anew" not in run(args=["keys", "rotate"]).output
    erased = run(args=["erase", PUBLIC, "--contact", "c1", "--yes"])
    assert "messages\t2 erased" in erased.output
    assert "A last search of every table finds nothing." in erased.output
    again = run(args=["erase", PUBLIC, "--contact", "c1", "--yes"])
    assert (again.exit_code, "Nobody here has this id or number" in again.output) == (1, True)
    nobody = run(args=["erase", PUBLIC, "--contact", " ", "--yes"])
    assert (nobody.exit_code, "--contact is empty" in nobody.output) == (2, True)
    gone = run(args=["erase", PUBLIC, "--yes"])
    assert "installs\t1 erased" in gone.output
    missing = run(args=["erase", PUBLIC, "--yes"])
    assert missing.exit_code == 1
    assert "There is no install" in missing.output


def test_old_audit_lines_are_purged_with_the_rest(desk: Desk) -> None:
    desk.connect("sms")
    with writing(desk.flow.engine) as conn:
        audit.write(conn, install_id(desk), desk.clock() - timedelta(days=3000), None, "old")
    retention.purge(desk.flow)
    assert "old" not in [line.deed for line in trail(desk)]
