"""Rotating the keys: everything is sealed anew, and the old key can go."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from canvas.sandbox.octopods import keys
from canvas.store import channels as channel_store
from canvas.store import rotation
from canvas.store.database import reading, writing
from canvas.store.sealing import CannotOpen, Sealer
from canvas.store.tables import channels
from canvas.store.tables import installs as installs_table
from tests.desk import Desk
from tests.edges.test_care import of

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def sealed_by(desk: Desk, sealer: Sealer) -> None:
    """As if everything had been stored with that sealer."""
    with writing(desk.flow.engine) as conn:
        sealed = {"key_sealed": sealer.seal(keys.SMS), "key_hash": sealer.fingerprint(keys.SMS)}
        conn.execute(update(channels).values(sealed))
        hook = {"webhook": "https://example.com/hook", "secret_sealed": sealer.seal("hook-secret")}
        settings = {"country": "IE", "alerts": hook}
        conn.execute(update(installs_table).values(token_sealed=sealer.seal("a-token"), settings=settings))


def test_rotation_seals_everything_with_the_newest_key_and_the_old_one_can_go(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect("sms")
    sealed_by(desk, Sealer([OLD], "s" * 32))
    both = Sealer([NEW, OLD], "s" * 32)
    first = rotation.rotate(desk.flow.engine, both)
    assert (first.resealed, first.newest, first.lost) == (3, 0, [])
    second = rotation.rotate(desk.flow.engine, both)
    assert (second.resealed, second.newest, second.fingerprints) == (0, 3, 0)
    assert Sealer([NEW], "s" * 32).open(of(desk).token_sealed or "") == "a-token"
    assert Sealer([NEW], "s" * 32).open(of(desk).settings["alerts"]["secret_sealed"]) == "hook-secret"
    assert of(desk).settings["country"] == "IE"
    with pytest.raises(CannotOpen):
        Sealer([OLD], "s" * 32).open(of(desk).token_sealed or "")


def test_rotation_stopped_half_way_goes_on_and_names_what_cannot_be_opened(desk: Desk) -> None:
    desk.connect("sms")
    sealed_by(desk, Sealer([OLD], "s" * 32))
    with writing(desk.flow.engine) as conn:
        lost = Sealer([Fernet.generate_key().decode()], "s" * 32).seal("gone")
        conn.execute(update(installs_table).values(token_sealed=lost))
        conn.execute(update(installs_table).values(settings={"alerts": {"secret_sealed": lost}}))
    done = rotation.rotate(desk.flow.engine, Sealer([NEW, OLD], "s" * 32))
    assert done.resealed == 1
    where = ("installs.token_sealed", "installs.settings.alerts.secret_sealed")
    assert done.lost == [f"{path} {of(desk).id}" for path in where]


def test_a_changed_secret_key_finds_the_api_keys_again_after_rotation(desk: Desk) -> None:
    desk.connect("sms", "vbm")
    sealed_by(desk, Sealer([OLD], "s" * 32))  # both channels with one key
    changed = Sealer([OLD], "t" * 32)
    assert rotation.rotate(desk.flow.engine, changed).fingerprints == 2
    with reading(desk.flow.engine) as conn:
        found = conn.execute(select(channels.c.key_hash)).scalars().all()
    assert found == [changed.fingerprint(keys.SMS)] * 2


def waits(desk: Desk) -> datetime | None:
    with reading(desk.flow.engine) as conn:
        return channel_store.of_install(conn, of(desk).id)[0].blocked_until


def test_a_changed_secret_key_lets_no_blocked_key_go_before_its_time(both_desk: Desk) -> None:
    desk = both_desk
    desk.connect("sms")
    desk.octopods.block_key(keys.SMS, 300)
    assert desk.send_sms("+46701740699").status_code == 429
    blocked = waits(desk)
    assert blocked
    sealing = desk.app.config["ENCRYPTION_KEYS"]
    assert rotation.rotate(desk.flow.engine, Sealer(sealing, "t" * 32)).fingerprints == 1
    assert waits(desk) == blocked
    later = blocked + timedelta(hours=1)
    with writing(desk.flow.engine) as conn:  # a worker that has not been started anew yet
        channel_store.block(conn, desk.flow.sealer.fingerprint(keys.SMS), later)
    assert rotation.rotate(desk.flow.engine, desk.flow.sealer).fingerprints == 1
    assert waits(desk) == later
