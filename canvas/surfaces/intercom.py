"""Intercom's Inbox: initialize draws, submit acts. Both answer 200 with a drawable canvas, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, g, request

from canvas.domain import phones
from canvas.domain.message import Actor, Message
from canvas.domain.plan import ASKED
from canvas.flows import fix as fixing
from canvas.flows import manual
from canvas.flows.deeds import Clicked
from canvas.flows.first_look import NotConnected
from canvas.flows.fix import BadToken
from canvas.flows.look import Person, detail, look
from canvas.store import installs, messages
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces import intercom_view as view
from canvas.surfaces.canvas_kit import Canvas
from canvas.surfaces.guard import signed_by_intercom
from canvas.surfaces.services import services

log = structlog.get_logger()
blueprint = Blueprint("intercom", __name__, url_prefix="/intercom")
MAX_FIELD = 8000


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an Inbox request that we use, whatever shape they came in."""

    workspace: str
    actor: Actor
    person: Person
    component: str
    values: Mapping[str, str]


def drawable(handler: Callable[[], Canvas | bytes]) -> Callable[[], Response]:
    """Answer with the handler's canvas; when it cannot be made, with one that says so and offers to try again."""

    @wraps(handler)
    def answer() -> Response:
        try:
            canvas = handler()
        except Exception:
            log.exception("canvas.broke", path=request.path)
            words = "Redeliver cannot read its records right now. Nothing was changed."
            canvas = view.notice(words, request_id=g.request_id)
        drawn = canvas if isinstance(canvas, bytes) else orjson.dumps(canvas)
        return Response(drawn, mimetype="application/json")

    return answer


@blueprint.post("/initialize")
@signed_by_intercom
@drawable
def initialize() -> Canvas | bytes:
    """Draw the first canvas. It only reads: Intercom calls it for every conversation that is looked at."""
    asked = _read()
    if isinstance(asked, dict):
        return asked
    try:
        return services().first_canvases.first(
            "intercom", asked.workspace, lambda install: _person(install, asked), asked.actor
        )
    except NotConnected as refusal:
        return _not_connected(refusal.known)


@blueprint.post("/submit")
@signed_by_intercom
@drawable
def submit() -> Canvas:
    """Answer a click."""
    asked = _read()
    return asked if isinstance(asked, dict) else _with_install(asked, _route)


def _read() -> Request | Canvas:
    """The request, or the canvas that says it cannot be read."""
    try:
        document = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or not _id(document.get("workspace_id") or document.get("app_id")):
        log.warning("canvas.unreadable", path=request.path)
        return view.notice(
            "Intercom sent something that cannot be read. Reload the conversation and try again."
        )
    contact = _object(document, "contact") or _object(document, "customer")
    admin = _object(document, "admin")
    conversation = _id(_object(document, "conversation").get("id"))
    return Request(
        workspace=_id(document.get("workspace_id") or document.get("app_id")) or "",
        actor=Actor("intercom_admin", _id(admin.get("id")), _id(admin.get("name"), 200)),
        person=Person(_id(contact.get("id")), _numbers(contact), conversation),
        component=_id(document.get("component_id"), 1000) or "",
        values=_values(_object(document, "input_values")),
    )


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _id(value: Any, limit: int = 64) -> str | None:
    """An id as text: Intercom sends the same one as text here and as a number there."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    words = str(value).replace("\x00", "").strip()
    return words if 0 < len(words) <= limit else None


def _numbers(contact: Mapping[str, Any]) -> tuple[str, ...]:
    """Every phone number the contact shows, as it is written there."""
    found = [contact.get("phone"), contact.get("formatted_phone")]
    found += [v for k, v in _object(contact, "custom_attributes").items() if "phone" in k or "mobile" in k]
    return tuple(dict.fromkeys(str(v)[:64] for v in found if isinstance(v, str | int) and v))


def _values(given: Mapping[str, Any]) -> dict[str, str]:
    """The filled-in fields; what nobody touched may be missing, null, or in a list."""
    values = {}
    for name, value in given.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str | int | float) and not isinstance(first, bool):
            values[str(name)[:100]] = str(first).replace("\x00", "")[:MAX_FIELD]
    return values


def _with_install(asked: Request, draw: Callable[[Install, Request], Canvas]) -> Canvas:
    with reading(services().flow.engine) as conn:
        install = installs.find(conn, "intercom", asked.workspace)
    if install is None or install.status != installs.ACTIVE:
        return _not_connected(install is not None)
    return draw(install, asked)


def _not_connected(known: bool) -> Canvas:
    words = "Redeliver is not connected to this workspace. Ask a workspace admin to connect it."
    return view.notice(words, retry=known)


def _person(install: Install, asked: Request) -> Person:
    """The person with their numbers in E.164, to find messages by."""
    read = (phones.normalise(number, install.country) for number in asked.person.numbers)
    numbers = tuple(dict.fromkeys(number for number in read if number))
    return Person(asked.person.contact_id, numbers, asked.person.conversation_id)


def _first(install: Install, asked: Request) -> Canvas:
    with reading(services().flow.engine) as conn:
        seen = look(conn, services().flow, install, _person(install, asked), viewer=asked.actor)
    return view.first(seen, services().tokens)


def _route(install: Install, asked: Request) -> Canvas:
    """By the id of what was clicked; our ids carry all that is needed, so no state is kept between canvases."""
    verb, _, rest = asked.component.partition(":")
    handler = HANDLERS.get(verb)
    return handler(install, asked, rest) if handler else _first(install, asked)


def _open(install: Install, asked: Request, message_id: str) -> Canvas:
    with reading(services().flow.engine) as conn:
        message = messages.get(conn, install.id, message_id)
        if message is None:
            return _gone()
        story = detail(conn, services().flow, install, _person(install, asked), message, asked.actor)
    if message.parent_id and message.status not in ("failed", "unsure"):
        return view.receipt(Clicked("receipt", message), story, services().tokens)
    return view.detail(story, services().tokens)


def _gone() -> Canvas:
    return view.notice("This message is not here any more. Go back to see what is.")


def _all(install: Install, asked: Request, offset: str) -> Canvas:
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 6 else 0
    with reading(services().flow.engine) as conn:
        page = look(conn, services().flow, install, _person(install, asked), view.PAGE, start)
    return view.everything(page, start)


def _support(install: Install, asked: Request, message_id: str) -> Canvas:
    with reading(services().flow.engine) as conn:
        message = messages.get(conn, install.id, message_id)
        if message is None:
            return _gone()
        story = detail(conn, services().flow, install, _person(install, asked), message)
    return view.support(story, services().flow.message_links.url(message))


def _fix(install: Install, asked: Request, token: str) -> Canvas:
    return _click(install, asked, token, None)


def _do(install: Install, asked: Request, token: str) -> Canvas:
    return _click(install, asked, token, asked.values)


def _go(install: Install, asked: Request, token: str) -> Canvas:
    return _click(install, asked, token, {**asked.values, ASKED: "yes"})


def _click(install: Install, asked: Request, token: str, values: Mapping[str, str] | None) -> Canvas:
    flow = services().flow
    try:
        read = services().tokens.read(token)
    except BadToken:
        return view.notice("This button is too old or was altered. Look at the message again.")
    clicked = fixing.click(flow, install, read, values, asked.actor, _person(install, asked))
    if clicked.message is None:
        return _gone()
    return _clicked(install, asked, clicked, clicked.message)


def _clicked(install: Install, asked: Request, clicked: Clicked, message: Message) -> Canvas:
    with reading(services().flow.engine) as conn:
        story = detail(conn, services().flow, install, _person(install, asked), message, asked.actor)
    if clicked.result == "form":
        return view.form(clicked, story, services().tokens)
    if clicked.result == "receipt":
        return view.receipt(clicked, story, services().tokens)
    return view.detail(story, services().tokens, clicked.note)


def _check(install: Install, asked: Request, _rest: str) -> Canvas:
    return view.check()


def _check_go(install: Install, asked: Request, _rest: str) -> Canvas:
    words = asked.values.get("check_text", "").strip()
    if not words:
        return view.check(error="Paste an id or the text of the failure first.")
    checked = manual.check(services().flow, install, words)
    if checked.message is None:
        return view.check(words, checked)
    with reading(services().flow.engine) as conn:
        story = detail(conn, services().flow, install, _person(install, asked), checked.message)
    return view.check(words, checked, story)


def _attach(install: Install, asked: Request, nonce: str) -> Canvas:
    words, kind = asked.values.get("check_text", ""), asked.values.get("check_kind", "")
    kind = kind or next(iter(manual.check(services().flow, install, words).kinds), "")
    person = _person(install, asked)
    message = manual.attach(services().flow, install, person, words, kind, nonce, asked.actor)
    if message is None:
        return view.check(words, error="This cannot be attached. Connect a channel first, or paste it again.")
    return _open(install, asked, message.id)


HANDLERS: dict[str, Callable[[Install, Request, str], Canvas]] = {
    "open": _open,
    "all": _all,
    "support": _support,
    "fix": _fix,
    "do": _do,
    "go": _go,
    "check": _check,
    "check_go": _check_go,
    "attach": _attach,
}
