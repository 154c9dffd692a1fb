"""The page of one message, opened from a timeline entry, a card or a report to support. It needs no script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from flask import Blueprint, redirect, render_template, request

from canvas.domain.message import Actor, Message
from canvas.domain.rights import ONLOOKER
from canvas.domain.story import Story
from canvas.flows.message_links import BadLink
from canvas.store import installs, messages
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces.edges import framed_by_hubspot
from canvas.surfaces.message_page import Buttons, Shown, press, show
from canvas.surfaces.services import services
from canvas.surfaces.sessions import View, form_token, problem, same_form_token, whoever

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """What the holder of a link may see: one message of one install. `actor` is who that is, when known."""

    token: str
    install: Install
    message: Message
    actor: Actor


def with_link(view: View) -> View:
    """For whoever holds a right link, and after it expired for people who are signed in to its workspace."""

    @wraps(view)
    def guarded(token: str) -> Any:
        found = _holder(token)
        return view(found) if isinstance(found, LinkHolder) else found

    guarded.guard = "link"  # type: ignore[attr-defined]
    return guarded


def _holder(token: str) -> LinkHolder | tuple[str, int]:
    flow, me = services().flow, whoever()
    try:
        link = flow.message_links.read(token)
    except BadLink:
        words = "This link is not complete, or was altered. Open it again from where you found it."
        return problem("This link cannot be read", words, 404)
    mine = me is not None and me.install.id == link.install_id
    if flow.message_links.expired(link) and not mine:
        words = "A link to a message is good for 7 days. Sign in to see the message, or open a newer link."
        return problem("This link has expired", words, 410, ("Sign in", f"/?next=/m/{token}"))
    with reading(flow.engine) as conn:
        install = installs.get(conn, link.install_id)
        message = messages.get(conn, link.install_id, link.message_id) if install else None
    if install is None or install.status != installs.ACTIVE or message is None:
        return _gone()
    stranger = Actor(ONLOOKER, None, "onlooker") if link.look_only else Actor("link", None, "link holder")
    actor = me.actor if me and mine else stranger
    return LinkHolder(token, install, message, actor)


def _gone() -> tuple[str, int]:
    words = "It was removed, or its workspace is not connected any more."
    return problem("This message is not here any more", words, 404)


@blueprint.get("/m/<token>")
@framed_by_hubspot
@with_link
def message_page(holder: LinkHolder) -> Any:
    """Everything about one message."""
    return _page(holder, show(services().flow, holder.install, holder.message.id, holder.actor))


@blueprint.post("/m/<token>/fix")
@framed_by_hubspot
@with_link
def message_fix(holder: LinkHolder) -> Any:
    """Press a fix: the same tokens and the same flow as on every other surface."""
    if not same_form_token(holder.token):
        words = "This form is from an earlier sign-in. Load the page again and send it once more."
        way_on = ("Load the page again", f"/m/{holder.token}")
        return problem("That form is not valid any more", words, 403, way_on)
    found = services()
    shown = press(found.flow, found.tokens, holder.install, holder.message.id, request.form, holder.actor)
    if shown and shown.story.message.id != holder.message.id:
        # Its buttons work on its own page only.
        own = _link_to(holder, shown.story.message)
        if shown.is_new(holder.message.id):
            # The new message has a page of its own, which may be loaded again without pressing anything.
            return redirect(f"/m/{own.token}", 303)
        holder = own
    return _page(holder, shown)


def _page(holder: LinkHolder, shown: Shown | None) -> Any:
    if shown is None:
        return _gone()
    html = render_template(
        "link.html",
        shown=shown,
        buttons=Buttons(services().tokens, shown.story.message),
        here=f"/m/{holder.token}",
        newest=_newest(holder, shown.story),
        csrf_token=lambda: form_token(holder.token),
    )
    wrong = shown.form is not None and any(field.error for field in shown.form.fields)
    return html, 400 if wrong else 200


def _link_to(holder: LinkHolder, message: Message) -> LinkHolder:
    """The holder of a link to another attempt, which allows no more than theirs."""
    token = services().flow.message_links.token(message, holder.actor.kind == ONLOOKER)
    return replace(holder, token=token, message=message)


def _newest(holder: LinkHolder, story: Story) -> str | None:
    """The page of the last attempt, when this is an earlier one."""
    return f"/m/{_link_to(holder, story.newest).token}" if story.newest else None
