"""Installs come and go, and so do their channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from canvas.domain import phones
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.message import Actor
from canvas.flows import insights
from canvas.flows.context import Flow
from canvas.flows.outcome import refresh_templates
from canvas.store import audit, channels, erasing, installs, listing
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install

_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
_KEY = re.compile(r"[\x21-\x7e]{4,512}")
_LONGEST_NAME = 200


class Refused(Exception):
    """It cannot be done; the message says why and what to do."""


def connect(
    flow: Flow,
    platform: str,
    external_id: str,
    token: str | None,
    *,
    region: str | None = None,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    by: Actor = audit.OPERATOR,
) -> Install:
    """Add an install, or renew the one that is there. Raises Refused."""
    if not _ID.fullmatch(external_id):
        raise Refused("A workspace or portal id has 1 to 50 letters, digits, _ and - only.")
    changes: dict[str, Any] = {
        "status": installs.ACTIVE,
        "removed_at": None,
        "settings": dict(settings or {}),
    }
    renewed = {
        "region": region,
        "name": name and name[:_LONGEST_NAME],
        "token_sealed": flow.sealer.seal(token) if token else None,
    }
    changes.update({key: value for key, value in renewed.items() if value is not None})
    now = flow.clock()
    with writing(flow.engine) as conn:
        old = installs.find(conn, platform, external_id)
        if old is None:
            changes["settings"] = {"country": flow.default_region, **changes["settings"]}
        fresh = installs.put(conn, platform, external_id, now, **changes)
        if old and old.tz != fresh.tz:
            insights.recount(conn, flow, fresh.id, old.tz)
        deed = "install.renewed" if old else "install.connected"
        given = changes["settings"]
        before = _audited_values(old, given) if old else None
        after = _audited_values(fresh, given)
        audit.write(conn, fresh.id, now, by, deed, fresh.public_id, before=before, after=after)
    return fresh


def _audited_values(install: Install, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": install.status, "region": install.region, "settings": _chosen(install, given)}


def _chosen(install: Install, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are changed; the others are nothing the trail has to tell."""
    return {name: install.settings.get(name) for name in given}


def choose(flow: Flow, public_id: str, settings: Mapping[str, Any], by: Actor = audit.OPERATOR) -> Install:
    """Change some of an install's settings and keep the others. Raises Refused."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        old = named(conn, public_id)
        fresh = installs.put(conn, old.platform, old.external_id, now, settings=dict(settings))
        before, after = _chosen(old, settings), _chosen(fresh, settings)
        audit.write(conn, old.id, now, by, "install.settings", public_id, before=before, after=after)
    return fresh


def everyone(flow: Flow) -> list[Install]:
    with reading(flow.engine) as conn:
        return installs.everyone(conn)


def named(conn: Connection, public_id: str) -> Install:
    """The install of that public id. Raises Refused."""
    found = installs.by_public_id(conn, public_id)
    if found is None:
        raise Refused(f"There is no install {public_id}. `install list` shows those there are.")
    return found


def known(flow: Flow, public_id: str) -> Install:
    """Raises Refused."""
    with reading(flow.engine) as conn:
        return named(conn, public_id)


def erase(flow: Flow, public_id: str) -> None:
    """Remove an install and all that belongs to it. Raises Refused."""
    with writing(flow.engine) as conn:
        erasing.install(conn, named(conn, public_id).id)


def channels_of(flow: Flow, public_id: str) -> list[Channel]:
    """Raises Refused."""
    with reading(flow.engine) as conn:
        return channels.of_install(conn, named(conn, public_id).id)


def add_channel(
    flow: Flow,
    public_id: str,
    kind: str,
    key: str,
    name: str | None,
    number: str | None,
    by: Actor = audit.OPERATOR,
) -> Channel:
    """Connect a channel; one of that kind and name that is there gets the key instead. Raises Refused."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = named(conn, public_id)
        installs.locked(conn, install.id)  # or two admins could connect one key under two names at once
        label = name or CHANNEL_NAMES[kind]
        fingerprint = flow.sealer.fingerprint(key)
        channels.hold_key(conn, fingerprint)  # or in two installs
        _check(conn, install, kind, label, key, fingerprint, number)
        number = number and phones.normalise(number, "US")
        secret = {"key_sealed": flow.sealer.seal(key), "key_hash": fingerprint, "key_last4": key[-4:]}
        there = channels.of_install(conn, install.id)
        same = next((c for c in there if c.kind == kind and c.name == label), None)
        if same:
            channel_id = same.id
            _rekey(conn, same, secret, number, now)
        else:
            channel_id = channels.add(conn, install.id, now, kind=kind, name=label, number=number, **secret)
        refresh = refresh_templates(conn, install.id, channel_id, now)
        made = channels.get(conn, install.id, channel_id)
        after = {"kind": kind, "name": label, "number": number, "key_last4": key[-4:]}
        deed = "channel.rekeyed" if same else "channel.added"
        before = {"key_last4": same.key_last4, "number": same.number} if same else None
        audit.write(conn, install.id, now, by, deed, str(channel_id), before=before, after=after)
    assert made is not None
    if refresh:
        flow.wake(refresh, now)
    return made


def _rekey(
    conn: Connection, channel: Channel, secret: dict[str, str], number: str | None, now: datetime
) -> None:
    """Give a channel a key. The one it has, such as with a number, repairs nothing; another has a list of its own."""
    changed_at = channel.changed_at
    if channel.key_hash != secret["key_hash"]:
        changed_at = now
        listing.forget_mark(conn, channel.install_id, channel.id)
    number = number or channel.number
    channels.change(conn, channel.install_id, channel.id, now, **secret, number=number, changed_at=changed_at)


def check_channel(flow: Flow, install: Install, kind: str, name: str, key: str, number: str) -> None:
    """Whether this key and number could belong to that channel of that install. Raises Refused."""
    with reading(flow.engine) as conn:
        _check(conn, install, kind, name, key, flow.sealer.fingerprint(key), number)


def _check(
    conn: Connection, install: Install, kind: str, name: str, key: str, fingerprint: str, number: str | None
) -> None:
    if not _KEY.fullmatch(key):
        raise Refused("An Octopods API key has 4 to 512 printable characters and no spaces.")
    if len(name) > _LONGEST_NAME:
        raise Refused(f"A channel's name has at most {_LONGEST_NAME} characters.")
    if number and not (number.startswith("+") and phones.normalise(number, "US")):
        raise Refused("The number must be in full international form, such as +353871234567.")
    same = channels.by_key(conn, fingerprint)
    if any(c.install_id != install.id for c in same):
        raise Refused(
            "This key belongs to another install. Disconnect it there first, or take this one's own key."
        )
    has_it = next((c.name for c in same if c.kind == kind and c.name != name), None)
    if has_it:
        raise Refused(f"The {CHANNEL_NAMES[kind]} channel named {has_it} has this key already.")


def repair_channel(flow: Flow, public_id: str, channel_id: int, by: Actor = audit.OPERATOR) -> Channel:
    """An admin put right what stopped this channel's messages: they may be sent again. Raises Refused."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = named(conn, public_id)
        if not channels.change(conn, install.id, channel_id, now):
            raise Refused(f"There is no channel {channel_id} in {public_id}.")
        audit.write(conn, install.id, now, by, "channel.repaired", str(channel_id))
        repaired = channels.get(conn, install.id, channel_id)
    assert repaired is not None
    return repaired


def remove_channel(flow: Flow, public_id: str, channel_id: int, by: Actor = audit.OPERATOR) -> None:
    """Raises Refused."""
    with writing(flow.engine) as conn:
        install = named(conn, public_id)
        old = channels.get(conn, install.id, channel_id)
        if old is None or not channels.remove(conn, install.id, channel_id, flow.clock()):
            raise Refused(f"There is no channel {channel_id} in {public_id}.")
        before = {"kind": old.kind, "name": old.name, "key_last4": old.key_last4}
        audit.write(conn, install.id, flow.clock(), by, "channel.removed", str(channel_id), before=before)
