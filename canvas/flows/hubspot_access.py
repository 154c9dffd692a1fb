"""Being let into a HubSpot account: which token to use, and its one renewal when it has expired.

A sealed token is either a plain one that does not expire (a private app), or JSON with the pair of an OAuth
grant. HubSpot, "OAuth tokens": access tokens last 30 minutes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from canvas.clients.errors import NotReached, Unauthorised
from canvas.clients.hubspot_answers import EXPIRED, REVOKED, Grant
from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.store import audit, installs
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
HUBSPOT = Actor("hubspot", None, "HubSpot")
Result = TypeVar("Result")
TURN = timedelta(seconds=45)  # longer than the longest call: a turn that is not given back was lost
PATIENCE_SECONDS = 6.0
PAUSE_SECONDS = 0.1
MARGIN = timedelta(minutes=2)  # renewed so long before it expires


@dataclass(frozen=True, slots=True)
class Pair:
    """An OAuth access token with what renews it; `until` is epoch seconds."""

    access: str
    refresh: str
    until: float


def seal_grant(flow: Flow, grant: Grant) -> str:
    """The grant as it is kept in an install's `token_sealed`."""
    until = (flow.clock() + timedelta(seconds=grant.expires_in)).timestamp()
    return flow.sealer.seal(json.dumps([grant.access_token, grant.refresh_token, until]))


def calling(flow: Flow, install: Install, call: Callable[[str], Result]) -> Result:
    """`call` with the account's token; with a new one, once, when HubSpot says that it has expired.

    Raises CannotOpen when there is no token, and what `call` raises.
    """
    token = access(flow, install)
    try:
        return call(token)
    except Unauthorised as refused:
        if refused.code != EXPIRED:
            raise
        log.info("hubspot.token.expired", install=install.public_id)
    return call(_renewed(flow, install, token))


def access(flow: Flow, install: Install) -> str:
    """The access token to use now. Raises CannotOpen, and CallFailed when it cannot be renewed."""
    held = _held(flow, install)
    if isinstance(held, str):
        return held
    fresh = held.until - MARGIN.total_seconds() > flow.clock().timestamp()
    return held.access if fresh else _renewed(flow, install, held.access)


def _held(flow: Flow, install: Install) -> str | Pair:
    with reading(flow.engine) as conn:
        current = installs.get(conn, install.id)
    return _token(flow, current)


def _token(flow: Flow, install: Install | None) -> str | Pair:
    if install is None or not install.token_sealed:
        raise CannotOpen("This HubSpot account gave no access token.")
    opened = flow.sealer.open(install.token_sealed)
    return Pair(*json.loads(opened)) if opened.startswith("[") else opened


def _renewed(flow: Flow, install: Install, stale: str) -> str:
    """A newer access token than `stale`. One process renews, the others wait for what it gets."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        held = _held(flow, install)
        if isinstance(held, str):
            raise CannotOpen("This HubSpot account's token expired and cannot be renewed. Connect it again.")
        if held.access != stale:
            return held.access
        now = flow.clock()
        with writing(flow.engine) as conn:
            mine = installs.take_renewal(conn, install.id, now, now + TURN)
        if mine:
            return _renew(flow, install, stale)
        if time.monotonic() > until:
            raise NotReached("HubSpot's access is being renewed. Try again in a moment.")
        time.sleep(PAUSE_SECONDS)


def _renew(flow: Flow, install: Install, stale: str) -> str:
    """Renew, holding the turn; it is given back whatever happens."""
    try:
        held = _held(flow, install)
        if isinstance(held, str) or held.access != stale:
            return _access_of(held)  # renewed between the look and the turn
        app = flow.hubspot_app
        grant = flow.hubspot.refresh(app.client_id, app.client_secret, held.refresh)
        return _kept(flow, install, stale, grant)
    except Unauthorised as refused:
        if refused.code in (REVOKED, "invalid_grant"):
            _let_go(flow, install, stale)
        raise
    finally:
        with writing(flow.engine) as conn:
            installs.end_renewal(conn, install.id)


def _kept(flow: Flow, install: Install, stale: str, grant: Grant) -> str:
    """Store what came in `stale`'s place, unless somebody connected again meanwhile; the access token to use."""
    with writing(flow.engine) as conn:
        held = _token(flow, installs.locked(conn, install.id))
        if isinstance(held, str) or held.access != stale:
            return _access_of(held)
        installs.renew(conn, install.id, seal_grant(flow, grant))
    return grant.access_token


def _access_of(held: str | Pair) -> str:
    return held if isinstance(held, str) else held.access


def _let_go(flow: Flow, install: Install, stale: str) -> None:
    """HubSpot tells nobody of an uninstall; a refused renewal is how it is noticed."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        current = installs.locked(conn, install.id)
        held = _token(flow, current)
        if isinstance(held, str) or held.access != stale:
            return  # somebody connected it again meanwhile
        installs.let_go(conn, install.id, installs.DISCONNECTED, now)
        audit.write(conn, install.id, now, HUBSPOT, "install.disconnected", install.public_id)
    log.warning("hubspot.revoked", install=install.public_id)
