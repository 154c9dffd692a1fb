"""The OAuth authorization code flow, which installs and signs in at once: state, callback, token, session."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from canvas.clients.errors import CallFailed, Unauthorised
from canvas.clients.intercom import BASES, Workspace
from canvas.domain.rights import ADMIN, MEMBER
from canvas.flows import sign_in
from canvas.flows.context import Flow
from canvas.flows.hubspot_access import seal_grant
from canvas.store import audit, installs, oauth_states, teammates
from canvas.store.database import writing
from canvas.store.installs import Install
from canvas.store.oauth_states import State
from canvas.store.teammates import Person

log = structlog.get_logger()
STATE_LIFE = timedelta(minutes=15)  # long enough to find a colleague who may allow it
VENDORS = {"intercom": "Intercom", "hubspot": "HubSpot"}


class SignInFailed(Exception):
    """The sign-in cannot go on. The message is one sentence that says what to do; `passing` when waiting helps."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in: the secret of the new session, the install, the person; `fresh` when the install is new."""

    session: str
    install: Install
    person: Person
    fresh: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What the vendor said about who signs in; `columns` and `settings` are what the install learns."""

    external_id: str
    person_id: str
    person_name: str
    columns: dict[str, Any]
    settings: dict[str, Any]


def begin(flow: Flow, platform: str, browser: str, region: str = "", back: str = "") -> str:
    """Start an authorization flow; the `state` to send along. `browser` is the secret in this browser's cookie."""
    state = secrets.token_urlsafe(32)
    row = State(
        sign_in.digest(state), platform, sign_in.digest(browser), region[:2], back[:200], flow.clock()
    )
    with writing(flow.engine) as conn:
        oauth_states.add(conn, row)
    return state


def consume_state(flow: Flow, platform: str, state: str, browser: str) -> State:
    """The flow that this callback belongs to; its state is used up from now on. Raises SignInFailed."""
    vendor = VENDORS[platform]
    if not state:
        raise SignInFailed(
            f"{vendor}'s answer does not say which sign-in it belongs to. Start again from here."
        )
    with writing(flow.engine) as conn:
        row = oauth_states.get(conn, sign_in.digest(state))
        if row is None or row.platform != platform:
            raise SignInFailed("This sign-in was not started here. Start again from here.")
        used = SignInFailed("This sign-in was used already. Start again.")
        if row.used_at:
            raise used
        if not browser or row.browser_hash != sign_in.digest(browser):
            raise SignInFailed("This sign-in was started in another browser. Start again in this one.")
        if row.created_at + STATE_LIFE < flow.clock():
            raise SignInFailed("This sign-in took longer than 15 minutes. Start again.")
        if not oauth_states.use(conn, row.state_hash, flow.clock()):
            raise used
    return row


def sign_in_intercom(flow: Flow, code: str, region: str) -> SignedIn:
    """Exchange Intercom's code for a token and start a session. Raises SignInFailed."""
    return _sign_in("Intercom", lambda: _store(flow, "intercom", _ask_intercom(flow, code, region)))


def sign_in_hubspot(flow: Flow, code: str, redirect_uri: str) -> SignedIn:
    """Exchange HubSpot's code for tokens and start a session. Raises SignInFailed."""
    return _sign_in("HubSpot", lambda: _store(flow, "hubspot", _ask_hubspot(flow, code, redirect_uri)))


def _sign_in(vendor: str, ask: Callable[[], SignedIn]) -> SignedIn:
    try:
        return ask()
    except CallFailed as error:
        log.warning("oauth.failed", vendor=vendor, status=error.status, code=error.code)
        if error.status is not None and 400 <= error.status < 500 and error.status != 429:
            raise SignInFailed(f"{vendor} did not accept this sign-in. Start again.") from error
        sentence = f"{vendor} does not answer as it should right now. Wait a minute, then start again."
        raise SignInFailed(sentence, passing=True) from error


def _ask_intercom(flow: Flow, code: str, region: str) -> Identity:
    app = flow.intercom_app
    token = flow.intercom.exchange_code(app.client_id, app.client_secret, code)
    space = _workspace(flow, token, region)
    if space.admin_id is None or not space.email_verified:
        # Intercom, "Setting up OAuth": an address nobody verified proves nothing about who this is.
        raise SignInFailed(
            "Your email address is not verified in Intercom. Verify it there, then start again."
        )
    columns = {"name": space.name, "region": space.region, "token_sealed": flow.sealer.seal(token)}
    settings = {"timezone": space.timezone} if space.timezone else {}
    return Identity(space.id, space.admin_id, space.admin_name or space.admin_email, columns, settings)


def _workspace(flow: Flow, token: str, region: str) -> Workspace:
    """Ask the region that was chosen, then the others: a token may be good in its own only."""
    regions = sorted(BASES, key=lambda name: (name != region, name != "US"))
    for name in regions[:-1]:
        try:
            return flow.intercom.me(token, name)
        except Unauthorised:
            continue
    return flow.intercom.me(token, regions[-1])


def _ask_hubspot(flow: Flow, code: str, redirect_uri: str) -> Identity:
    app = flow.hubspot_app
    grant = flow.hubspot.exchange_code(app.client_id, app.client_secret, redirect_uri, code)
    holder = flow.hubspot.introspect(app.client_id, app.client_secret, grant.access_token)
    portal, user = grant.portal_id or holder.portal_id, grant.user_id or holder.user_id
    if not portal or not user:
        raise SignInFailed("HubSpot did not say which account and user this is. Start again.")
    columns = {"name": holder.domain or f"HubSpot {portal}", "token_sealed": seal_grant(flow, grant)}
    return Identity(portal, user, holder.email or f"User {user}", columns, {})


def _store(flow: Flow, platform: str, identity: Identity) -> SignedIn:
    """Store the install over an old one, the person, and a session, all or nothing. Raises SignInFailed."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        old = installs.find(conn, platform, identity.external_id, hold=True)
        known = teammates.get(conn, old.id, identity.person_id) if old else None
        if known and known.removed_at:
            raise SignInFailed(
                "An admin of Redeliver took you out of this workspace. Ask them to let you in again."
            )
        kept = old.settings if old else {"country": flow.default_region}
        renewed = {"status": installs.ACTIVE, "removed_at": None, **identity.columns}
        install = installs.put(
            conn, platform, identity.external_id, now, **renewed, settings={**identity.settings, **kept}
        )
        # Whoever connects first answers for the workspace; they name further admins in the settings.
        role = MEMBER if teammates.admin_names(conn, install.id) else ADMIN
        name = identity.person_name[:200]
        teammates.arrive(conn, install.id, identity.person_id, name, role, now)
        person = teammates.get(conn, install.id, identity.person_id)
        assert person is not None
        session = sign_in.begin(conn, flow, person)
        back = old is not None and old.status == installs.ACTIVE
        deed = "person.signed_in" if back else "install.connected"
        audit.write(conn, install.id, now, sign_in.actor_of(install, person), deed, install.public_id)
    log.info("oauth.signed_in", install=install.public_id, role=person.role, fresh=old is None)
    return SignedIn(session, install, person, fresh=old is None)
