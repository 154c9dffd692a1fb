"""HubSpot's app card: GET draws, POST fixes. Both answer 200 with `ok`, because HubSpot hides other answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, g, request
from sqlalchemy import Connection

from canvas.domain import phones
from canvas.domain.dates import zone
from canvas.domain.message import Actor, Message
from canvas.flows import fix as fixing
from canvas.flows import hubspot_numbers
from canvas.flows.deeds import Clicked
from canvas.flows.fix_tokens import UNDO, BadToken, FixToken
from canvas.flows.look import Person, detail, look
from canvas.store import installs, messages, tenants
from canvas.store.channels import Channel
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces import hubspot_view as view
from canvas.surfaces.hubspot_check import Checking
from canvas.surfaces.hubspot_guard import signed_by_hubspot, signed_json
from canvas.surfaces.hubspot_view import CardView
from canvas.surfaces.route import route
from canvas.surfaces.services import services
from canvas.surfaces.trouble import MAYBE, UNCHANGED, MaybeDone, clicking

log = structlog.get_logger()
blueprint = Blueprint("hubspot", __name__, url_prefix="/hubspot")
Json = dict[str, Any]
PHONES = ("phone", "mobilephone", "whatsapp")
MOST = 50
MAX_FIELD = 8000


def answered(handler: Callable[[], Json]) -> Callable[[], Response]:
    """Answer 200 with the handler's JSON; when it cannot be made, with one that says so."""

    @wraps(handler)
    def answer() -> Response:
        try:
            document = handler()
        except Exception as error:
            log.exception("card.broke", route=route())
            document = _trouble(error)
        return Response(orjson.dumps(document), mimetype="application/json")

    return answer


def _trouble(error: Exception) -> Json:
    if isinstance(error, MaybeDone):
        return view.refusal("maybe_done", f"{MAYBE} Press Refresh to see. Request {g.request_id}.")
    return view.refusal("trouble", f"{UNCHANGED} Try again in a moment. Request {g.request_id}.")


@blueprint.get("/card")
@signed_by_hubspot("v3")
@answered
def card() -> Json:
    """The newest failed messages of a contact. It only reads: HubSpot's users open many records."""
    flow = services().flow
    with reading(flow.engine) as conn:
        tenant = _tenant(conn)
        if tenant is None:
            return _not_connected()
        install, channels = tenant
        person = _person(install)
        seen = look(conn, flow, install, person, _limit(), viewer=_actor(), connected=channels)
    contact = {"objectId": person.contact_id, "phone": _argument("phone"), "whatsapp": _argument("whatsapp")}
    return _view().card(seen, contact, install.tz, g.request_id)


@blueprint.post("/card/fix")
@signed_by_hubspot("v3")
@answered
def fix() -> Json:
    """One click. HubSpot repeats the call by itself after an error; the repeat gets the first outcome."""
    install = _install()
    if install is None:
        return _not_connected()
    given = signed_json()
    body = given if isinstance(given, dict) else {}
    person = replace(_person(install), contact_id=_contact(body))
    checking = Checking(services().flow, install, person, _actor(), _view())
    if body.get("fix") == view.CHECK:
        return checking.check(_values(body))
    if body.get("fix") == view.ATTACH:
        with clicking():
            return checking.attach(_values(body), str(body.get("fixToken")))
    return _fixed(install, person, body)


def _fixed(install: Install, person: Person, body: Json) -> Json:
    asked = _read_click(body)
    if asked is None:
        return view.refusal("stale", "This button is too old or was altered. Refresh, then try again.")
    flow = services().flow
    if not _theirs(install, asked, person):
        return _gone()
    with clicking():
        clicked = fixing.click(flow, install, asked.token, asked.values, _actor(), person)
        return _clicked(install, asked, clicked, person)


@dataclass(frozen=True, slots=True)
class Click:
    """A click as the card sent it. `values` is None for a button that never showed a form."""

    token: FixToken
    values: Mapping[str, str] | None


def _read_click(body: Json) -> Click | None:
    try:
        token = services().tokens.read(str(body.get("fixToken")))
    except BadToken:
        return None
    if body.get("messageId") != token.message_id or body.get("fix") != token.fix_id:
        return None
    return Click(token, _values(body) or None)


def _values(body: Json) -> dict[str, str]:
    given = body.get("values")
    if not isinstance(given, dict):
        return {}
    texts = {str(k)[:100]: v for k, v in given.items() if isinstance(v, str | int | float)}
    return {name: str(value).replace("\x00", "")[:MAX_FIELD] for name, value in texts.items()}


def _contact(body: Json) -> str | None:
    contact = body.get("objectId")
    return str(contact)[:64] if isinstance(contact, str | int) and contact else None


def _theirs(install: Install, asked: Click, person: Person) -> bool:
    """Whether the message belongs to the portal and to the contact the card stands beside."""
    if asked.token.install_id != install.id:
        return False
    with reading(services().flow.engine) as conn:
        message = messages.get(conn, install.id, asked.token.message_id)
    return message is not None and message.contact_id in (None, person.contact_id)


def _clicked(install: Install, asked: Click, clicked: Clicked, person: Person) -> Json:
    message = clicked.message
    if message is None:
        return _gone()
    failure, words = _drawn(install, clicked, message, person)
    if clicked.result == "form":
        wrong = next((field for field in clicked.fields if field.error), None)
        note = clicked.note or (wrong.error if wrong else None)
        if note is None:
            return view.next_form(failure)
        return view.refusal("invalid", note, wrong.name if wrong else None, failure)
    undone = asked.token.fix_id == UNDO and message.id != asked.token.message_id
    if clicked.result == "receipt" or undone:
        return words
    return view.refusal("changed", clicked.note or "This message changed. Look at it again.", None, failure)


def _drawn(install: Install, clicked: Clicked, message: Message, person: Person) -> tuple[Json, Json]:
    """The message as it stands now, and the receipt for it."""
    flow = services().flow
    with reading(flow.engine) as conn:
        story = detail(conn, flow, install, person, message, _actor())
        saved = hubspot_numbers.outcome(conn, install, message)
    failure = _view().failure(story, clicked)
    answer = view.receipt(clicked, story, failure, refresh=saved is not None and saved.done)
    if saved and saved.words:
        answer["message"] = f"{answer['message']} {saved.words}"
    return failure, answer


def _gone() -> Json:
    return view.refusal("gone", "This message is not here any more. Refresh to see what is.")


def _not_connected() -> Json:
    words = "Redeliver is not connected to this HubSpot account. Ask an admin to connect it."
    return view.refusal("not_connected", words)


def _view() -> CardView:
    return CardView(services().tokens, services().flow.message_links)


def _install() -> Install | None:
    with reading(services().flow.engine) as conn:
        tenant = _tenant(conn)
    return tenant[0] if tenant else None


def _tenant(conn: Connection) -> tuple[Install, tuple[Channel, ...]] | None:
    """The portal that HubSpot vouches for, in the time zone the card names when none is set here; its channels."""
    tenant = tenants.read(conn.dialect, tenants.rows(conn, "hubspot", request.args.get("portalId", "")[:64]))
    if tenant is None or tenant[0].status != installs.ACTIVE:
        return None
    install, channels = tenant
    named = request.args.get("tz", "")[:64]
    if install.tz is None and zone(named):
        install = replace(install, settings={**install.settings, "timezone": named})
    return install, channels


def _argument(name: str) -> str | None:
    return request.args.get(name, "").replace("\x00", "")[:64] or None


def _person(install: Install) -> Person:
    """The record's id, and the numbers it shows in E.164, to find messages by."""
    country = services().flow.country(install)
    given = [number for name in PHONES if (number := _argument(name))]
    read = (phones.normalise(number, country) for number in given)
    return Person(_argument("objectId"), tuple(dict.fromkeys(number for number in read if number)))


def _limit() -> int:
    asked = request.args.get("limit", "3")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 3
    return max(1, min(number, MOST))


def _actor() -> Actor:
    return Actor("hubspot_user", request.args.get("userId"), request.args.get("userEmail"))
