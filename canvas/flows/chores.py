"""Deeds beside the send: the template list, the number written back, the note to an admin. All may be repeated."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

import structlog

from canvas.clients.errors import CallFailed, RateLimited, Refused
from canvas.domain import settings
from canvas.domain.schedule import OTHER_TRIES, backoff
from canvas.domain.settings import language_codes
from canvas.domain.templates import Button, Template
from canvas.flows import hubspot_numbers
from canvas.flows.context import Flow
from canvas.flows.intercom_access import calling
from canvas.flows.keys import hold
from canvas.store import actions, channels, installs
from canvas.store import templates as template_store
from canvas.store.actions import Action
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
TEMPLATES_EVERY = timedelta(hours=3)  # Octopods itself syncs with Meta every three hours


def list_templates(flow: Flow, action: Action) -> None:
    """Copy the templates of one channel, so that forms and previews need no call; however it goes, again later."""
    turn = _take_turn(flow, action)
    if turn is None:
        return
    install, channel = turn
    try:
        found = _listed(flow, install, channel)
    except (CallFailed, CannotOpen) as error:
        _not_listed(flow, action, channel, error)
        return
    now = flow.clock()
    with writing(flow.engine) as conn:
        rows = [(t.id, asdict(t)) for t in found]
        template_store.replace_all(conn, install.id, channel.id, rows, now)
        actions.repeat(conn, action, now + TEMPLATES_EVERY)


def _take_turn(flow: Flow, action: Action) -> tuple[Install, Channel] | None:
    """Whose templates to list, and on which channel; None when there are none to list, or not yet."""
    now = flow.clock()
    install = install_of(flow, action)
    with writing(flow.engine) as conn:
        channel = channels.get(conn, install.id, int(action.payload["channel_id"]))
        if channel is None or channel.kind == "sms":
            actions.finish(conn, action, actions.DONE, now)
            return None
        if install.status != installs.ACTIVE:
            actions.repeat(conn, action, now + TEMPLATES_EVERY)  # it may let us in again
            return None
        blocked = channel.waits(now)
        if blocked is None:
            return install, channel
        actions.again(conn, action, blocked, counted=False)
    flow.wake(action.id, blocked)
    return None


def _not_listed(flow: Flow, action: Action, channel: Channel, error: CallFailed | CannotOpen) -> None:
    if isinstance(error, RateLimited):
        with writing(flow.engine) as conn:
            hold(conn, action, channel, error.retry_at)
        flow.wake(action.id, error.retry_at)
    elif not _tried_again(flow, action, error):
        with writing(flow.engine) as conn:
            actions.repeat(conn, action, flow.clock() + TEMPLATES_EVERY)


def _listed(flow: Flow, install: Install, channel: Channel) -> list[Template]:
    """The channel's templates. The list says neither which are switched on nor their language: both are asked for."""
    key = flow.sealer.open(channel.key_sealed)
    if channel.kind == "vbm":
        return flow.octopods.vbm_templates(key)
    found = _in_languages(flow, install, key, flow.octopods.whatsapp_templates(key))
    active = {t.id for t in flow.octopods.whatsapp_templates(key, active=True)}
    # Nothing at all switched on would mean that nobody can send anything: then the filter is not believed.
    return [replace(t, active=t.id in active) for t in found] if active else found


def _in_languages(flow: Flow, install: Install, key: str, found: list[Template]) -> list[Template]:
    """The templates, each with its language where that is one the workspace writes in."""
    known: dict[str, str] = {}
    for code in language_codes(settings.read(install.settings).languages):
        try:
            listed = flow.octopods.whatsapp_templates(key, language=code)
        except Refused:
            continue  # a code that Octopods does not know
        known = {t.id: code for t in listed} | known
    return [replace(t, language=t.language or known.get(t.id)) for t in found]


def template_from(data: dict[str, object]) -> Template:
    """The template of a stored copy."""
    values = dict(data)
    values["buttons"] = tuple(Button(**b) for b in values.get("buttons") or ())  # type: ignore[attr-defined]
    return Template(**values)  # type: ignore[arg-type]


def write_phone(flow: Flow, action: Action) -> None:
    """Save a corrected number on the contact, and check that it was taken as sent."""
    contact_id, number = str(action.payload["contact_id"]), str(action.payload["phone"])
    install = install_of(flow, action)
    try:
        if install.platform == "hubspot":
            hubspot_numbers.save(flow, install, action)
        else:
            save = flow.intercom.set_phone
            calling(flow, install, lambda token, region: save(token, region, contact_id, number))
    except (CallFailed, CannotOpen) as error:
        failed(flow, action, error)
    else:
        finish(flow, action, actions.DONE)


def ask_admin(flow: Flow, action: Action) -> None:
    """Leave an internal note with the diagnosis in the conversation. It is never shown to the customer."""
    install = install_of(flow, action)
    note = action.payload
    where = note["conversation_id"]

    def write(token: str, region: str) -> None:
        # A note cannot be written twice harmlessly: an earlier try, or what an earlier click began, may have.
        may_be_there = action.tries > 1 or note.get("again")
        if not may_be_there or not flow.intercom.has_note(token, region, where, note["mark"]):
            flow.intercom.write_note(token, region, where, note["admin_id"], note["body"])

    try:
        calling(flow, install, write)
    except (CallFailed, CannotOpen) as error:
        failed(flow, action, error)
    else:
        finish(flow, action, actions.DONE)


def install_of(flow: Flow, action: Action) -> Install:
    """The install an action belongs to."""
    with reading(flow.engine) as conn:
        install = installs.get(conn, action.install_id)
    assert install is not None  # the foreign key says so
    return install


def finish(flow: Flow, action: Action, state: str, error: str | None = None) -> None:
    """Write down how a deed ended."""
    with writing(flow.engine) as conn:
        actions.finish(conn, action, state, flow.clock(), {"error": error} if error else None)


def failed(flow: Flow, action: Action, error: CallFailed | CannotOpen) -> None:
    """Try again what may be tried again, at the time the vendor asked for; else give up and keep the sentence."""
    if not _tried_again(flow, action, error):
        unsure = isinstance(error, CallFailed) and error.may_have_happened
        finish(flow, action, actions.UNSURE if unsure else actions.FAILED, str(error))


def _tried_again(flow: Flow, action: Action, error: CallFailed | CannotOpen) -> bool:
    now = flow.clock()
    log.warning("chore.failed", action=action.id, kind=action.kind, error=type(error).__name__)
    # A limit speaks of the account and can last all day: it is waited out, and no try is held against the deed.
    limited = isinstance(error, RateLimited)
    if not isinstance(error, CallFailed) or (action.tries >= OTHER_TRIES and not limited):
        return False
    if not (error.may_retry or error.may_have_happened):
        return False
    due = error.retry_at or backoff(action.tries, now)
    with writing(flow.engine) as conn:
        actions.again(conn, action, due, counted=not limited)
    flow.wake(action.id, due)
    return True
