"""First screens and their cache: two queries read the rows, and equal rows get the screen that was drawn before."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from sqlalchemy import Connection

from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.flows.look import Look, Person, look_at
from canvas.flows.rights import limited
from canvas.store import installs, messages, tenants
from canvas.store.channels import Channel
from canvas.store.database import RawConnection, Row, raw_connection, reading
from canvas.store.installs import Install

MOST_CACHED = 2048  # screens, of about two kilobytes each
HEAVIEST = 16_000  # characters in the rows of one that is cached: a text is as long as its sender likes
FRESH_SECONDS = 300  # for so long a screen, and with it its fix tokens, is used again
SHOWN = 3


class NotConnected(Exception):
    """Nobody who is connected here; `known` says that they once were."""

    def __init__(self, known: bool) -> None:
        super().__init__()
        self.known = known


class Snapshot(NamedTuple):
    """What a first screen is made of, as it was read. Equal keys make equal screens."""

    install: Install
    channels: tuple[Channel, ...]
    person: Person
    rows: tuple[Row, ...]
    key: Hashable


class FirstScreens:
    """Draws first screens, and caches each under the rows it was drawn from.

    The rows are read from the database each time and are themselves the key, so what is cached cannot be out
    of date: whatever changes, in any process, makes another key. A screen that depends on the time (a wait, a
    queued send), on who looks, or on more than those rows (other templates) is drawn each time.
    """

    def __init__(self, flow: Flow, render: Callable[[Look], bytes]) -> None:
        self._flow = flow
        self._render = render
        self._cache: dict[Hashable, bytes] = {}

    def cached(self, platform: str, external_id: str, person_of: Callable[[Install], Person]) -> bytes | None:
        """The first screen that was drawn from the very rows of this moment, if it is cached."""
        if not self._cache:
            return None
        with raw_connection(self._flow.engine) as conn:
            return self._cache.get(self._read(conn, platform, external_id, person_of).key)

    def draw(
        self, platform: str, external_id: str, person_of: Callable[[Install], Person], viewer: Actor
    ) -> bytes:
        """The first screen, drawn as `viewer` may see it. Raises NotConnected."""
        with reading(self._flow.engine) as conn:
            snapshot = self._read(conn, platform, external_id, person_of)
            channels, person = snapshot.channels, snapshot.person
            seen = look_at(conn, self._flow, snapshot.install, person, snapshot.rows, channels, 1, viewer)
        drawn = self._render(seen)
        if seen.lasting and not limited(snapshot.install) and _weight(snapshot.rows) <= HEAVIEST:
            self._keep(snapshot.key, drawn)
        return drawn

    def _read(
        self,
        conn: Connection | RawConnection,
        platform: str,
        external_id: str,
        person_of: Callable[[Install], Person],
    ) -> Snapshot:
        tenant_rows = tenants.rows(conn, platform, external_id)
        tenant = tenants.read(conn.dialect, tenant_rows)
        if tenant is None or tenant[0].status != installs.ACTIVE:
            raise NotConnected(known=tenant is not None)
        install, channels = tenant
        person = person_of(install)
        rows = messages.open_rows(conn, install.id, person.contact_id, person.numbers, SHOWN)
        time_bucket = int(self._flow.clock().timestamp()) // FRESH_SECONDS
        key = (tenant_rows, rows, person.numbers, bool(person.conversation_id), time_bucket)
        return Snapshot(install, channels, person, rows, key)

    def _keep(self, key: Hashable, drawn: bytes) -> None:
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        self._cache[key] = drawn


def _weight(rows: tuple[Row, ...]) -> int:
    return sum(len(value) for row in rows for value in row if isinstance(value, str))
