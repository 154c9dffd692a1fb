"""Where an admin says what they want to be told, where, and when not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request

from canvas.clients.errors import Refused
from canvas.clients.guard import Guarded
from canvas.flows import alerts
from canvas.flows.alerts import KINDS, Wishes, wishes
from canvas.store.database import reading
from canvas.surfaces.services import services
from canvas.surfaces.sessions import admin_only, me

blueprint = Blueprint("alerts", __name__, url_prefix="/settings/alerts")
EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,190}\.[a-zA-Z]{2,24}")
IDENT = re.compile(r"[\w-]{1,64}")
RECORD = re.compile(r"(?:https://\S*/record/0-1/)?([0-9]{1,20})(?:[/?#]\S*)?")
HOURS = [("", "Never"), *((str(hour), f"{hour:02}:00") for hour in range(24))]


@blueprint.get("")
@admin_only
def index() -> Any:
    """The wishes as they are."""
    saved = {"saved": ("success", "Saved."), "test": ("success", "A test is on its way.")}
    return _page(wishes(me().install), {}, saved.get(request.args.get("done", "")))


def _page(wanted: Wishes, wrong: Mapping[str, str], notice: tuple[str, str] | None = None) -> str:
    flow = services().flow
    secret = alerts.secret(flow, wanted)
    return render_template(
        "insights/alerts.html",
        wanted=wanted,
        wrong=wrong,
        notice=notice,
        hours=HOURS,
        kinds=list(KINDS.items()),
        secret=secret,
        secret_lost=bool(wanted.webhook and wanted.secret_sealed and not secret),
        mail_ready=flow.mail.ready,
        intercom=me().install.platform == "intercom",
        troubles=_troubles(),
    )


def _troubles() -> list[str]:
    with reading(services().flow.engine) as conn:
        return alerts.troubles(conn, me().install.id)


@blueprint.post("")
@admin_only
def save() -> Any:
    """Keep the wishes, or show the form again with what is wrong."""
    given = {name: request.form.get(name, "").strip()[:2000] for name in FIELDS}
    kinds = tuple(kind for kind in KINDS if request.form.get(f"kind-{kind}"))
    before = wishes(me().install)
    wanted = Wishes(
        webhook=given["webhook"],
        secret_sealed=before.secret_sealed,
        email=given["email"],
        conversation=given["conversation"],
        contact=_record(given["contact"]),
        admin=me().person.person_id,
        quiet_from=_hour(given["quiet_from"]),
        quiet_to=_hour(given["quiet_to"]),
        kinds=kinds,
    )
    wrong = _wrong(wanted)
    if wrong:
        return _page(wanted, wrong), 400
    alerts.save(services().flow, me().install, wanted, me().actor)
    return redirect("/settings/alerts?done=saved", 303)


FIELDS = ("webhook", "email", "conversation", "contact", "quiet_from", "quiet_to")


def _record(value: str) -> str:
    """The number of a HubSpot record, also out of its address."""
    found = RECORD.fullmatch(value)
    return found[1] if found else value


def _hour(value: str) -> int | None:
    return int(value) if value in dict(HOURS) and value else None


def _wrong(wanted: Wishes) -> dict[str, str]:
    """What cannot be kept, by field."""
    found = {}
    if wanted.webhook:
        try:
            if Guarded().parse(wanted.webhook).scheme != "https":
                found["webhook"] = "Enter an address that starts with https://."
        except Refused as error:
            found["webhook"] = error.message
    if wanted.email and not EMAIL.fullmatch(wanted.email):
        found["email"] = "Enter one address, such as ops@example.com."
    if wanted.conversation and not IDENT.fullmatch(wanted.conversation):
        found["conversation"] = "Enter the number of a conversation, as it stands in its address."
    if wanted.contact and not RECORD.fullmatch(wanted.contact):
        found["contact"] = "Enter the number of a contact, or the address of its record."
    if (wanted.quiet_from is None) != (wanted.quiet_to is None):
        found["quiet_to"] = "Enter both the beginning and the end of the quiet hours, or neither."
    elif wanted.quiet_from is not None and wanted.quiet_from == wanted.quiet_to:
        found["quiet_to"] = "The quiet hours end as they begin. Enter two different hours."
    return found


@blueprint.post("/test")
@admin_only
def test() -> Any:
    """Tell a test at every place."""
    alerts.test(services().flow, me().install, me().actor)
    return redirect("/settings/alerts?done=test", 303)
