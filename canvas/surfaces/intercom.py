"""Intercom's Inbox: initialize draws, submit acts. Both answer 200 with a drawable canvas, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

import orjson
import structlog
from flask import Blueprint, Response, g, request

from canvas.domain.message import Message
from canvas.flows import fix as fixing
from canvas.flows import manual
from canvas.flows.deeds import Clicked
from canvas.flows.first_screens import NotConnected
from canvas.flows.fix_tokens import BadToken
from canvas.flows.look import Person, detail, look
from canvas.store import installs, messages
from canvas.store.database import reading
from canvas.store.installs import Install
from canvas.surfaces import intercom_view as view
from canvas.surfaces.canvas_kit import Canvas
from canvas.surfaces.guard import signed_by_intercom
from canvas.surfaces.intercom_request import TROUBLE, Asked, person_of, read
from canvas.surfaces.route import route
from canvas.surfaces.services import services
from canvas.surfaces.trouble import MAYBE, UNCHANGED, MaybeDone, clicking

log = structlog.get_logger()
blueprint = Blueprint("intercom", __name__, url_prefix="/intercom")


def drawable(handler: Callable[[], Canvas | bytes]) -> Callable[[], Response]:
    """Answer with the handler's canvas; when it cannot be made, with one that says so and offers to try again."""

    @wraps(handler)
    def answer() -> Response:
        try:
            canvas = handler()
        except Exception as error:
            log.exception("canvas.broke", route=route())
            canvas = view.notice(_trouble(error), request_id=g.request_id)
        drawn = canvas if isinstance(canvas, bytes) else orjson.dumps(canvas)
        return Response(drawn, mimetype="application/json")

    return answer


def _trouble(error: Exception) -> str:
    return f"{MAYBE} Press Try again to see." if isinstance(error, MaybeDone) else UNCHANGED


@blueprint.post("/initialize")
@signed_by_intercom
@drawable
def initialize() -> Canvas | bytes:
    """Draw the first canvas. It only reads: Intercom calls it for every conversation that is looked at."""
    if TROUBLE in request.environ:
        raise request.environ[TROUBLE]
    asked = _read()
    if isinstance(asked, dict):
        return asked
    try:
        return services().first_screens.draw(
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


def _read() -> Asked | Canvas:
    """The request, or the canvas that says it cannot be read."""
    asked = read(request.get_data())
    if asked is None:
        log.warning("canvas.unreadable", route=route())
        return view.notice(
            "Intercom sent something that cannot be read. Reload the conversation and try again."
        )
    return asked


def _with_install(asked: Asked, draw: Callable[[Install, Asked], Canvas]) -> Canvas:
    with reading(services().flow.engine) as conn:
        install = installs.find(conn, "intercom", asked.workspace)
    if install is None or install.status != installs.ACTIVE:
        return _not_connected(install is not None)
    return draw(install, asked)


def _not_connected(known: bool) -> Canvas:
    words = "Redeliver is not connected to this workspace. Ask a workspace admin to connect it."
    return view.notice(words, retry=known)


def _person(install: Install, asked: Asked) -> Person:
    return person_of(services().flow, install, asked)


def _first(install: Install, asked: Asked) -> Canvas:
    with reading(services().flow.engine) as conn:
        seen = look(conn, services().flow, install, _person(install, asked), viewer=asked.actor)
    return view.first(seen, services().tokens)


def _route(install: Install, asked: Asked) -> Canvas:
    """By the id of what was clicked; our ids carry all that is needed, so no state is kept between canvases."""
    verb, _, rest = asked.component.partition(":")
    handler = HANDLERS.get(verb)
    return handler(install, asked, rest) if handler else _first(install, asked)


def _open(install: Install, asked: Asked, message_id: str) -> Canvas:
    with reading(services().flow.engine) as conn:
        message = messages.get(conn, install.id, message_id)
        if message is None:
            return _gone()
        story = detail(conn, services().flow, install, _person(install, asked), message, asked.actor)
    if message.parent_id and message.status not in ("failed", "unsure"):
        return view.receipt(Clicked("receipt", message), story, services().tokens)
    return view.detail(story, services().tokens)


def _gone() -> Canvas:
    return view.notice("This message is not here any more. Go back to see what is.", label="Back")


def _all(install: Install, asked: Asked, offset: str) -> Canvas:
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 6 else 0
    with reading(services().flow.engine) as conn:
        page = look(conn, services().flow, install, _person(install, asked), view.PAGE, start)
    if start and not page.stories:  # the list has become shorter since this page was offered
        return _all(install, asked, "0")
    return view.everything(page, start)


def _support(install: Install, asked: Asked, message_id: str) -> Canvas:
    with reading(services().flow.engine) as conn:
        message = messages.get(conn, install.id, message_id)
        if message is None:
            return _gone()
        story = detail(conn, services().flow, install, _person(install, asked), message)
    return view.support(story, services().flow.message_links.url(message, look_only=True))


def _fix(install: Install, asked: Asked, token: str) -> Canvas:
    return _click(install, asked, token, None)


def _do(install: Install, asked: Asked, token: str) -> Canvas:
    return _click(install, asked, token, asked.values)


def _click(install: Install, asked: Asked, token: str, values: Mapping[str, str] | None) -> Canvas:
    flow = services().flow
    try:
        read = services().tokens.read(token)
    except BadToken:
        return view.notice("This button is too old or was altered. Look at the message again.", label="Back")
    with clicking():
        clicked = fixing.click(flow, install, read, values, asked.actor, _person(install, asked))
        if clicked.message is None:
            return _gone()
        return _clicked(install, asked, clicked, clicked.message)


def _clicked(install: Install, asked: Asked, clicked: Clicked, message: Message) -> Canvas:
    with reading(services().flow.engine) as conn:
        story = detail(conn, services().flow, install, _person(install, asked), message, asked.actor)
    if clicked.result == "form":
        return view.form(clicked, story, services().tokens)
    if clicked.result == "receipt":
        return view.receipt(clicked, story, services().tokens)
    return view.detail(story, services().tokens, clicked.note)


def _check(install: Install, asked: Asked, _rest: str) -> Canvas:
    return view.check()


def _check_go(install: Install, asked: Asked, _rest: str) -> Canvas:
    words = asked.values.get(manual.TEXT, "").strip()
    if not words:
        return view.check(error=manual.NOTHING_PASTED)
    checked = manual.check(services().flow, install, words)
    if checked.message is None:
        return view.check(words, checked)
    with reading(services().flow.engine) as conn:
        story = detail(conn, services().flow, install, _person(install, asked), checked.message, asked.actor)
    return view.check(words, checked, story)


def _attach(install: Install, asked: Asked, nonce: str) -> Canvas:
    words, kind = asked.values.get(manual.TEXT, ""), asked.values.get(manual.KIND, "")
    person = _person(install, asked)
    with clicking():
        message = manual.attach(services().flow, install, person, words, kind, nonce, asked.actor)
        if message is None:
            return view.check(words, error=manual.NOT_ATTACHED)
        if message.contact_id is None and person.contact_id:
            return view.check(words, error=manual.NOT_THEIRS)
        return _open(install, asked, message.id)


HANDLERS: dict[str, Callable[[Install, Asked, str], Canvas]] = {
    "open": _open,
    "all": _all,
    "support": _support,
    "fix": _fix,
    "do": _do,
    "check": _check,
    "check_go": _check_go,
    "attach": _attach,
}
