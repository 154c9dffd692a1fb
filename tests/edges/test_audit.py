"""The audit trail: written with the deed, masked, and refused any change by the database itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from canvas.domain import rights
from canvas.domain.message import Actor
from canvas.flows import installs as install_flow
from canvas.flows import sending
from canvas.sandbox.people import BY_ID
from canvas.store import audit, installs, teammates
from canvas.store.audit import Entry
from canvas.store.database import reading, writing
from canvas.store.tables import audit as table
from tests.desk import ADMIN, TOKEN, WORKSPACE, Desk, Screen
from tests.edges.tenants import Tenant, World
from tests.gateway.records import all_messages

MARA = BY_ID["not_on_whatsapp"]


def install_id(desk: Desk, external_id: str = WORKSPACE) -> int:
    with reading(desk.flow.engine) as conn:
        found = installs.find(conn, "intercom", external_id)
    assert found
    return found.id


def trail(desk: Desk) -> list[Entry]:
    with reading(desk.flow.engine) as conn:
        return list(audit.everything(conn, install_id(desk)))


def failed_mara(desk: Desk) -> Screen:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.pass_time(15)
    return desk.initialize()


def fix_mara(desk: Desk) -> None:
    screen = failed_mara(desk)
    desk.click(screen, "Send as SMS instead")
    desk.click(screen, "Send as SMS instead")


def test_a_click_and_its_send_are_told_once_with_who_what_and_the_result(both_desk: Desk) -> None:
    fix_mara(both_desk)
    lines = [line for line in trail(both_desk) if not line.deed.startswith(("install.", "channel."))]
    assert [(line.deed, line.actor_kind) for line in lines] == [
        ("fix.send_other_channel", "intercom_admin"),
        ("send", "worker"),
    ]
    click, send = lines
    assert (click.actor_id, click.actor_name) == (ADMIN["id"], ADMIN["name"])
    assert click.before["channel"] == "whatsapp"
    assert click.after["channel"] == "sms"
    assert click.after["new_message"] == send.about
    assert send.result
    assert send.result.startswith("sent as ")


def test_a_send_answered_with_a_request_id_alone_is_told_with_that_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_twice(write: Callable[[], None]) -> None:
        write()
        write()  # as after a commit whose answer was lost

    monkeypatch.setattr(sending, "retry_write", write_twice)
    screen = failed_mara(desk)
    desk.octopods.shapes(sends="request_id")
    desk.click(screen, "Send as SMS instead")
    [send] = [line for line in trail(desk) if line.deed == "send"]
    receipt = next(m.request_id for m in all_messages(desk) if m.parent_id)
    assert send.result == f"sent as {receipt}"


def test_the_trail_holds_neither_numbers_nor_keys(both_desk: Desk) -> None:
    fix_mara(both_desk)
    words = repr(trail(both_desk))
    assert MARA.phone not in words
    assert MARA.phone.lstrip("+") not in words
    assert TOKEN not in words
    assert "Tuesday" not in words


def test_channels_and_settings_that_change_are_told_with_before_and_after(desk: Desk) -> None:
    desk.connect("sms")
    public_id = f"intercom:{WORKSPACE}"
    ana = Actor("intercom_admin", "814860", "Ana Kos")
    install_flow.connect(desk.flow, "intercom", WORKSPACE, None, settings={"country": "SE"}, by=ana)
    channel = install_flow.channels_of(desk.flow, public_id)[0]
    install_flow.remove_channel(desk.flow, public_id, channel.id, by=ana)
    renewed, removed = trail(desk)[-2:]
    assert (renewed.deed, renewed.actor_name) == ("install.renewed", "Ana Kos")
    assert (renewed.before["settings"]["country"], renewed.after["settings"]["country"]) == ("IE", "SE")
    assert (removed.deed, removed.about) == ("channel.removed", str(channel.id))


def test_the_database_refuses_to_change_or_remove_a_line(both_desk: Desk) -> None:
    both_desk.connect("sms")
    for statement in (update(table).values(result="nothing happened"), delete(table)):
        with pytest.raises(DBAPIError, match="append-only"), writing(both_desk.flow.engine) as conn:
            conn.execute(statement)
    assert trail(both_desk)


def test_old_lines_go_after_a_year_and_all_lines_go_with_their_install(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect("sms")
    tenant = install_id(desk)
    with writing(desk.flow.engine) as conn:
        audit.write(conn, tenant, desk.clock() - timedelta(days=3000), None, "old")
        assert audit.forget_old(conn, desk.clock()) == 1
        assert "old" not in [line.deed for line in audit.everything(conn, tenant)]
    install_flow.erase(desk.flow, f"intercom:{WORKSPACE}")
    with reading(desk.flow.engine) as conn:
        assert list(audit.everything(conn, tenant)) == []


def test_a_tenant_reads_its_own_lines_only_page_by_page(desk: Desk) -> None:
    desk.connect("sms", "whatsapp")
    install_flow.connect(desk.flow, "intercom", "other", None)
    with reading(desk.flow.engine) as conn:
        first = audit.newest(conn, install_id(desk), limit=2)
        rest = audit.newest(conn, install_id(desk), limit=10, before=first[-1].id)
        other = audit.newest(conn, install_id(desk, "other"))
    assert [line.deed for line in first + rest] == ["channel.added", "channel.added", "install.connected"]
    assert [line.deed for line in other] == ["install.connected"]


def test_an_admin_reads_and_downloads_the_trail_and_no_spreadsheet_takes_it_for_a_formula(
    world: World,
) -> None:
    mine = world.mine["intercom"]
    with writing(world.desk.flow.engine) as conn:
        evil = Actor("intercom_admin", "9", '=HYPERLINK("http://evil.example")')
        audit.write(conn, mine.install.id, world.desk.clock(), evil, "settings.changed", result="<b>x</b>")
    page = world.visit(mine, "GET", "/settings/audit")
    assert page.status_code == 200
    assert "&lt;b&gt;x" in page.text
    assert "Channel: added" in page.text
    rows = list(csv.DictReader(io.StringIO(world.visit(mine, "GET", "/settings/audit.csv").text)))
    assert len(rows) == len(everything_of(world, mine))
    assert rows[-1]["actor_name"].startswith("'=HYPERLINK")
    theirs = world.theirs["intercom"]
    assert "HYPERLINK" not in world.visit(theirs, "GET", "/settings/audit.csv").text


def everything_of(world: World, tenant: Tenant) -> list[Entry]:
    with reading(world.desk.flow.engine) as conn:
        return list(audit.everything(conn, tenant.install.id))


def test_a_member_who_is_no_admin_may_not_read_it(world: World) -> None:
    mine = world.mine["intercom"]
    with writing(world.desk.flow.engine) as conn:
        teammates.change(conn, mine.install.id, "1", role=rights.MEMBER)
    for path in ("/settings/audit", "/settings/audit.csv"):
        assert world.visit(mine, "GET", path).status_code == 403
