"""Being let into an Intercom workspace, and noticing when it does not let us in any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from canvas.clients.errors import Unauthorised
from canvas.clients.intercom import is_shut_out
from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.store import audit, installs
from canvas.store.database import writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
INTERCOM = Actor("intercom", None, "Intercom")
Result = TypeVar("Result")


def calling(flow: Flow, install: Install, call: Callable[[str, str], Result]) -> Result:
    """`call` with the workspace's token and region; refused for its token, the workspace is disconnected.

    Raises CannotOpen when there is no token, and what `call` raises.
    """
    if not install.token_sealed:
        raise CannotOpen("This workspace gave no access token.")
    token = flow.sealer.open(install.token_sealed)
    try:
        return call(token, install.region or "US")
    except Unauthorised as refused:
        if is_shut_out(refused.status, refused.code):
            _let_go(flow, install)
        raise


def _let_go(flow: Flow, install: Install) -> None:
    """An uninstall that was not told, or a token that was revoked: nothing will be let in until a new connection."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        current = installs.locked(conn, install.id)
        if current is None or current.token_sealed != install.token_sealed:
            return  # somebody connected it again meanwhile
        installs.let_go(conn, install.id, installs.DISCONNECTED, now)
        audit.write(conn, install.id, now, INTERCOM, "install.disconnected", install.public_id)
    log.warning("intercom.revoked", install=install.public_id)
