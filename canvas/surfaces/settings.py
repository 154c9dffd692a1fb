"""The settings of a workspace: everybody signed in may look, its admins may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request

from canvas.domain import retry_classes
from canvas.domain import settings as schema
from canvas.domain.dates import when
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.rights import ASKING, MEMBER, NAMED
from canvas.domain.trail import deed_words
from canvas.flows import erase, export
from canvas.flows import installs as install_flow
from canvas.flows import settings as flow_settings
from canvas.flows.installs import Refused
from canvas.flows.retention import days_of
from canvas.store import audit, channels, teammates
from canvas.store.database import reading
from canvas.store.teammates import Person
from canvas.surfaces.services import services
from canvas.surfaces.sessions import admin_only, me, signed_in

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
# The section of the page that a deed belongs to, and what is said there when it is done.
DONE = {
    "saved": ("choices", "Saved."),
    "connected": ("channels", "The channel is connected. Octopods accepted its key."),
    "rekeyed": ("channels", "The channel has its new key. Octopods accepted it."),
    "repaired": (
        "channels",
        "Noted. Messages that failed on this channel because of its settings can be sent again.",
    ),
    "removed": (
        "channels",
        "The channel is disconnected and its key forgotten. Its messages stay readable.",
    ),
    "teammate": ("team", "Saved."),
}


@blueprint.get("")
@signed_in
def page() -> Any:
    """Everything on one page."""
    part, words = DONE.get(request.args.get("done", ""), ("", ""))
    return _draw(told={part: ("success", words)})


def _draw(status: int = 200, **more: Any) -> Any:
    flow, who = services().flow, me()
    install = who.install
    with reading(flow.engine) as conn:
        own = channels.of_install(conn, install.id)
        team = teammates.of_install(conn, install.id)
        trail = audit.newest(conn, install.id, 20) if who.is_admin else []
    last = flow_settings.last_admin(team)
    shown = {
        "values": flow_settings.of(flow, install).as_document(),
        "wrong": {},
        "typed": {},
        "told": {},
        **more,
    }
    html = render_template(
        "settings.html",
        channels=own,
        team=team,
        trail=trail,
        words=deed_words,
        wrong_fields={name: words for name, words in shown["wrong"].items() if name in schema.CHECKS},
        kept_days=days_of(flow, install),
        stamp=flow_settings.stamp(install),
        kinds=CHANNEL_NAMES,
        schema=schema,
        retry_classes=retry_classes.CLASSES,
        retry_minutes=retry_classes.MINUTES,
        when=lambda moment: when(moment, install.tz),
        choices_for=lambda person: [] if person == last else _choices_for(person, shown["values"]["may_fix"]),
        most_days=flow.retention_days,
        grace_days=flow.erase_after.days,
        install=install,
        **shown,
    )
    return html, status


def _choices_for(person: Person, may_fix: str) -> list[tuple[str, str]]:
    """The buttons beside a teammate: those that change something."""
    if person.removed_at:
        return [("restore", "Let in again")]
    buttons = [] if person.is_admin else [("admin", "Make admin")]
    if person.role in (ASKING, MEMBER) and may_fix == NAMED:
        buttons.append(("fixer", "Let fix"))
    if person.role != MEMBER:
        buttons.append(("member", "Decline" if person.role == ASKING else "Make member"))
    return [*buttons, ("remove", "Remove")]


def _try(deed: Callable[[], object], word: str) -> Any:
    """Do it, or draw the page with the one sentence that says why not, and what was typed."""
    part, _ = DONE[word]
    try:
        deed()
    except Refused as refused:
        return _draw(400, wrong={part: str(refused)}, typed=request.form)
    return redirect(f"/settings?done={word}#{part}", 303)


@blueprint.post("")
@admin_only
def change() -> Any:
    """Save the choices; those that make no sense come back with a sentence each."""
    values, wrong = schema.parse(request.form)
    if wrong:
        known = flow_settings.of(services().flow, me().install).as_document()
        return _draw(400, values={**known, **request.form.to_dict()}, wrong=wrong)
    drawn = request.form.get("stamp", "")
    return _try(
        lambda: flow_settings.change(services().flow, me().install, values, drawn, me().actor),
        "saved",
    )


@blueprint.post("/channels")
@admin_only
def connect_channel() -> Any:
    """Connect a channel whose key Octopods accepts."""
    form = request.form
    return _try(
        lambda: flow_settings.connect_channel(
            services().flow,
            me().install,
            form.get("kind", ""),
            form.get("key", ""),
            form.get("name", ""),
            form.get("number", ""),
            me().actor,
        ),
        "connected",
    )


@blueprint.post("/channels/<int(max=2147483647):channel_id>/key")
@admin_only
def replace_key(channel_id: int) -> Any:
    """Give a channel a new key."""
    key = request.form.get("key", "")
    return _try(
        lambda: flow_settings.replace_key(services().flow, me().install, channel_id, key, me().actor),
        "rekeyed",
    )


@blueprint.post("/channels/<int(max=2147483647):channel_id>/repaired")
@admin_only
def channel_repaired(channel_id: int) -> Any:
    """What stopped a channel's messages was put right elsewhere, where nothing tells us."""
    name = me().install.public_id
    return _try(
        lambda: install_flow.repair_channel(services().flow, name, channel_id, me().actor),
        "repaired",
    )


@blueprint.post("/channels/<int(max=2147483647):channel_id>/remove")
@admin_only
def remove_channel(channel_id: int) -> Any:
    """Disconnect a channel."""
    name = me().install.public_id
    return _try(
        lambda: install_flow.remove_channel(services().flow, name, channel_id, me().actor),
        "removed",
    )


@blueprint.post("/team")
@admin_only
def change_team() -> Any:
    """Who may change the settings, and who may come in at all."""
    form = request.form
    person_id, deed = form.get("person", ""), form.get("deed", "")
    return _try(
        lambda: flow_settings.change_role(services().flow, me().install, person_id, deed, me().actor),
        "teammate",
    )


@blueprint.get("/export")
@admin_only
def export_all() -> Response:
    """Everything that is kept for this workspace, one JSON object a line, without keys and tokens."""
    lines = export.lines(services().flow, me().install.public_id)
    headers = {"Content-Disposition": 'attachment; filename="redeliver-export.jsonl"'}
    return Response(lines, mimetype="application/x-ndjson", headers=headers)


@blueprint.post("/erase")
@admin_only
def erase_person() -> Any:
    """Erase one person's messages, by contact id or number."""
    whom = request.form.get("whom", "").strip()[:64]
    if not whom:
        return _draw(400, wrong={"whom": "Enter a contact's id, or a number such as +353871234567."})
    if not request.form.get("for_good"):
        words = "This cannot be undone. Tick the box, and press once more."
        return _draw(400, wrong={"for_good": words}, typed={"whom": whom})
    try:
        erased = erase.person(services().flow, me().install.public_id, whom, me().actor)
    except Refused as refused:
        return _draw(400, wrong={"whom": str(refused)}, typed={"whom": whom})
    count = erased.gone.get("messages", 0)
    left = sum(erased.left.values())
    gone = "1 message of this person was" if count == 1 else f"{count} messages of this person were"
    words = f"{gone} erased; a search afterwards found {left}."
    return _draw(told={"data": ("success" if not left else "warning", words)})
