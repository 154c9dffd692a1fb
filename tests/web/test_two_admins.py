"""Two admins at the same moment: neither's change is lost, and one admin always stays. On both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from canvas.domain.message import Actor
from canvas.domain.rights import ADMIN
from canvas.flows import settings as flow_settings
from canvas.flows.installs import Refused, add_channel, channels_of, choose, connect, everyone
from canvas.sandbox.octopods import keys
from canvas.store import audit, teammates
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from tests.desk import WORKSPACE, Desk
from tests.test_never_lost import until_it_waits

ANA, BEN = Actor("intercom_admin", "1", "Ana"), Actor("intercom_admin", "2", "Ben")
Deed = Callable[[], object]


@dataclass
class Pair:
    """A workspace with two admins."""

    desk: Desk
    monkeypatch: pytest.MonkeyPatch

    @property
    def install(self) -> Install:
        return everyone(self.desk.flow)[0]

    def at_once(self, first: Deed, second: Deed) -> list[str]:
        """What each is told when the second begins while the first has changed something and not committed yet."""
        said = ["", ""]

        def run(place: int, deed: Deed) -> None:
            try:
                deed()
                said[place] = "saved"
            except Refused as refusal:
                said[place] = str(refusal)

        other = threading.Thread(target=run, args=(1, second))
        write = audit.write

        def write_slowly(*given: Any, **more: Any) -> None:
            if other.ident is None:
                other.start()
                until_it_waits(self.desk)
            write(*given, **more)

        self.monkeypatch.setattr(audit, "write", write_slowly)
        run(0, first)
        other.join(10)
        return said


@pytest.fixture
def pair(both_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Pair:
    both_desk.connect("sms")
    made = Pair(both_desk, monkeypatch)
    with writing(both_desk.flow.engine) as conn:
        for admin in (ANA, BEN):
            assert admin.id
            teammates.add(conn, made.install.id, admin.id, str(admin.name), ADMIN, both_desk.clock())
    both_desk.clock.advance(1)
    return made


def test_of_two_forms_drawn_alike_the_second_is_refused(pair: Pair) -> None:
    flow, install = pair.desk.flow, pair.install
    drawn = flow_settings.stamp(install)
    said = pair.at_once(
        lambda: flow_settings.change(flow, install, {"may_fix": "admins"}, drawn, ANA),
        lambda: flow_settings.change(flow, install, {"retention_days": 30}, drawn, BEN),
    )
    assert said[0] == "saved"
    assert "changed since this page was drawn" in said[1]
    assert pair.install.settings["may_fix"] == "admins"


def test_two_changes_of_different_settings_are_both_kept(pair: Pair) -> None:
    flow, public_id = pair.desk.flow, f"intercom:{WORKSPACE}"
    said = pair.at_once(
        lambda: choose(flow, public_id, {"may_fix": "admins"}),
        lambda: choose(flow, public_id, {"retention_days": 30}),
    )
    assert said == ["saved", "saved"]
    assert (pair.install.settings["may_fix"], pair.install.settings["retention_days"]) == ("admins", 30)


def test_two_admins_who_take_each_other_out_leave_one(pair: Pair) -> None:
    flow, install = pair.desk.flow, pair.install
    said = pair.at_once(
        lambda: flow_settings.change_role(flow, install, "2", "member", ANA),
        lambda: flow_settings.change_role(flow, install, "1", "member", BEN),
    )
    assert said[0] == "saved"
    assert "This is the last admin" in said[1]
    with reading(flow.engine) as conn:
        assert teammates.admin_names(conn, install.id) == ["Ana"]


def test_two_admins_who_connect_one_key_to_their_workspaces_leave_it_with_one(pair: Pair) -> None:
    flow = pair.desk.flow
    for name in ("first", "second"):
        connect(flow, "intercom", name, None)
    said = pair.at_once(
        lambda: add_channel(flow, "intercom:first", "whatsapp", keys.WHATSAPP, None, None),
        lambda: add_channel(flow, "intercom:second", "whatsapp", keys.WHATSAPP, None, None),
    )
    assert said[0] == "saved"
    assert "belongs to another install" in said[1]
    assert [len(channels_of(flow, f"intercom:{name}")) for name in ("first", "second")] == [1, 0]
