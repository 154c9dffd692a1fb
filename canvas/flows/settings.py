"""Changing an install: its settings, its channels, who may change them. Every change is in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, Unauthorised
from canvas.clients.errors import Refused as CallRefused
from canvas.domain import settings
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.message import Actor
from canvas.domain.rights import ADMIN, FIXER, MEMBER
from canvas.domain.settings import Settings
from canvas.flows import insights
from canvas.flows import installs as install_flow
from canvas.flows.context import Flow
from canvas.flows.installs import Refused
from canvas.flows.outcome import refresh_templates
from canvas.store import audit, channels, installs, teammates
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.teammates import Person

PERSON_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def of(flow: Flow, install: Install) -> Settings:
    """The settings in force."""
    return settings.read(install.settings, country=flow.default_region, retention_days=flow.retention_days)


def change(flow: Flow, install: Install, values: Mapping[str, Any], drawn: str, by: Actor) -> Install:
    """Save checked values. `drawn` is the state the form showed. Raises Refused when that is not the state now."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        current = installs.locked(conn, install.id)
        if current is None or stamp(current) != drawn:
            raise Refused(
                "The settings were changed since this page was drawn. Look at them, then save again."
            )
        known = of(flow, current).as_document()
        before = {name: known[name] for name in values if known[name] != values[name]}
        fresh = installs.put(conn, install.platform, install.external_id, now, settings=dict(values))
        wakes = _list_again(conn, install, now) if "languages" in before else []
        if fresh.tz != current.tz:
            insights.recount(conn, flow, install.id, current.tz)
        audit.write(
            conn,
            install.id,
            now,
            by,
            "settings.changed",
            install.public_id,
            before=before,
            after={name: values[name] for name in before},
        )
    for action_id in wakes:
        flow.wake(action_id, now)
    return fresh


def _list_again(conn: Connection, install: Install, now: datetime) -> list[str]:
    """Have the templates listed anew, because their languages are only known by asking for them."""
    listed = [c for c in channels.of_install(conn, install.id) if c.kind == "whatsapp"]
    asked = [refresh_templates(conn, install.id, channel.id, now) for channel in listed]
    return [action_id for action_id in asked if action_id]


def stamp(install: Install) -> str:
    """Names the state of an install, so that an old or repeated form is noticed."""
    return str(int(install.updated_at.timestamp() * 1000))


def connect_channel(
    flow: Flow, install: Install, kind: str, key: str, name: str, number: str, by: Actor
) -> Channel:
    """Connect a channel whose key Octopods accepts. Raises Refused."""
    if kind not in CHANNEL_NAMES:
        raise Refused("Choose WhatsApp, SMS or Viber.")
    label = name.strip()[:200] or CHANNEL_NAMES[kind]
    with reading(flow.engine) as conn:
        own = channels.of_install(conn, install.id)
    if any(c.kind == kind and c.name == label for c in own):
        raise Refused(
            f"There is a {CHANNEL_NAMES[kind]} channel named {label} already. Give this one another name."
        )
    key, number = key.strip(), number.strip()
    install_flow.check_channel(flow, install, kind, label, key, number)
    _try_key(flow, kind, key)
    return install_flow.add_channel(flow, install.public_id, kind, key, label, number or None, by)


def replace_key(flow: Flow, install: Install, channel_id: int, key: str, by: Actor) -> Channel:
    """Give a connected channel a new key, once Octopods accepts it. Raises Refused."""
    with reading(flow.engine) as conn:
        found = channels.get(conn, install.id, channel_id)
    if found is None:
        raise Refused("This channel is not connected any more.")
    install_flow.check_channel(flow, install, found.kind, found.name, key.strip(), "")
    _try_key(flow, found.kind, key.strip())
    return install_flow.add_channel(
        flow, install.public_id, found.kind, key.strip(), found.name, found.number, by
    )


def _try_key(flow: Flow, kind: str, key: str) -> None:
    """Ask Octopods something harmless with the key. Raises Refused when it is not accepted."""
    ask: Mapping[str, Callable[[], object]] = {
        "whatsapp": lambda: flow.octopods.whatsapp_templates(key),
        "vbm": lambda: flow.octopods.vbm_templates(key),
        # There is no list for SMS: with a good key, a message that nobody sent is declined as not found.
        "sms": lambda: flow.octopods.message_status(key, "sms", "1"),
    }
    try:
        ask[kind]()
    except Unauthorised as error:
        raise Refused(
            f"Octopods does not accept this key for {CHANNEL_NAMES[kind]}. Copy it again from the channel's page there."
        ) from error
    except CallRefused as error:
        if kind != "sms":
            raise Refused(f"Octopods refused to try this key ({error.status}). Check the key.") from error
    except CallFailed as error:
        raise Refused("Octopods does not answer right now, so the key cannot be tried. Try again.") from error


def last_admin(team: Sequence[Person]) -> Person | None:
    """Who stays what they are until there is another: the only admin who was not removed."""
    admins = [person for person in team if person.is_admin and not person.removed_at]
    return admins[0] if len(admins) == 1 else None


def change_role(flow: Flow, install: Install, person_id: str, deed: str, by: Actor) -> None:
    """Make somebody an admin, a fixer or a member, take them out, or let them back in. Raises Refused."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        installs.locked(conn, install.id)  # or two admins could each take the other's place away at once
        found = teammates.get(conn, install.id, person_id)
        if found is None or deed not in ROLE_CHANGES:
            raise Refused("This person is not known here. They have to sign in, or ask on a card, first.")
        last = last_admin(teammates.of_install(conn, install.id))
        if found == last and deed in ("member", "remove", "fixer"):
            raise Refused("This is the last admin. Make somebody else an admin first.")
        teammates.change(conn, install.id, person_id, **ROLE_CHANGES[deed](now))
        if deed == "remove":
            teammates.end_sessions_of(conn, install.id, person_id)
        audit.write(conn, install.id, now, by, f"teammate.{deed}", person_id)


def people(flow: Flow, public_id: str) -> list[Person]:
    """Everybody known in an install. Raises Refused."""
    with reading(flow.engine) as conn:
        return teammates.of_install(conn, install_flow.named(conn, public_id).id)


def appoint(
    flow: Flow, public_id: str, person_id: str, name: str | None, by: Actor = audit.OPERATOR
) -> Person:
    """Make somebody an admin, whether they ever signed in or not, removed or not. Raises Refused."""
    if not PERSON_ID.fullmatch(person_id):
        raise Refused("A teammate's id has letters, digits, _ and - only, such as 814860.")
    now = flow.clock()
    with writing(flow.engine) as conn:
        install = install_flow.named(conn, public_id)
        called = name or f"Teammate {person_id}"
        teammates.add(conn, install.id, person_id, called, ADMIN, now)
        teammates.change(conn, install.id, person_id, role=ADMIN, removed_at=None)
        audit.write(conn, install.id, now, by, "teammate.admin", person_id)
        found = teammates.get(conn, install.id, person_id)
    assert found is not None
    return found


ROLE_CHANGES: Mapping[str, Callable[[datetime], dict[str, Any]]] = {
    "admin": lambda now: {"role": ADMIN},
    "fixer": lambda now: {"role": FIXER},
    "member": lambda now: {"role": MEMBER},
    "remove": lambda now: {"removed_at": now},
    "restore": lambda now: {"removed_at": None},
}
