"""The door of a fake vendor: writes down every request, and plays the faults asked for.

Faults are played here, around the fake and not inside it, because a cut connection is a fact of the socket:
the fake may have done what was asked, and the caller never hears of it.
"""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from canvas.sandbox.clock import SandboxClock, iso
from canvas.sandbox.faults import Fault, FaultBoard, parse_header
from canvas.sandbox.journal import Entry, Journal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL = "/_control/"
ENTRY = "sandbox.entry"
Refuse = Callable[[Fault, Entry, str], Response]

HTML_PAGE = """<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
"""


class ConnectionCut(ConnectionAbortedError):
    """The caller's connection was cut on purpose; the server must write nothing more."""


class Front:
    """A WSGI application around a fake vendor's. `refuse` words the vendor's own error for a fault."""

    def __init__(
        self, inner: WSGIApplication, journal: Journal, board: FaultBoard, clock: SandboxClock, refuse: Refuse
    ) -> None:
        self.inner = inner
        self.journal = journal
        self.board = board
        self.clock = clock
        self.refuse = refuse

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(CONTROL):
            return self.inner(environ, start_response)
        request = Request(environ)
        raw = request.get_data()
        entry = self._write_down(request, raw)
        response = self._play(self._fault_for(request), entry, environ, raw)
        self._note_answer(entry, response)
        return response(environ, start_response)

    def _write_down(self, request: Request, raw: bytes) -> Entry:
        return self.journal.open(
            at=iso(self.clock.now()),
            method=request.method,
            path=request.path,
            query=request.query_string.decode(),
            key=key_of(request)[-4:],
            body=readable(raw),
            headers={name: value for name, value in request.headers.items() if name not in SECRET_HEADERS},
        )

    def _fault_for(self, request: Request) -> Fault | None:
        asked = request.headers.get("X-Sandbox-Fault")
        return parse_header(asked) if asked else self.board.take(request.method, request.path)

    def _play(self, fault: Fault | None, entry: Entry, environ: WSGIEnvironment, raw: bytes) -> Response:
        if fault is None:
            return self._ask_inner(entry, environ, raw)
        entry.fault = fault.kind
        if fault.kind == "slow":
            time.sleep(fault.ms / 1000)
        honest = self._ask_inner(entry, environ, raw) if fault.happens else None
        if fault.kind in {"cut_after", "cut_before"}:
            cut(environ)
        if fault.kind == "slow" and honest is not None:
            return honest
        return self._spoilt(fault, entry, environ, honest)

    def _spoilt(
        self, fault: Fault, entry: Entry, environ: WSGIEnvironment, honest: Response | None
    ) -> Response:
        if fault.kind == "html":
            return Response(HTML_PAGE, status=502, content_type="text/html")
        if fault.kind == "empty":
            return Response(b"", status=honest.status_code if honest else 200)
        return self.refuse(fault, entry, key_of(Request(environ)))

    def _ask_inner(self, entry: Entry, environ: WSGIEnvironment, raw: bytes) -> Response:
        fresh = {**environ, "wsgi.input": io.BytesIO(raw), ENTRY: entry}
        body, status, headers = run_wsgi_app(self.inner, fresh, buffered=True)
        return Response(b"".join(body), status=status, headers=headers)

    def _note_answer(self, entry: Entry, response: Response) -> None:
        entry.status = response.status_code
        entry.answer = readable(response.get_data())
        entry.answered = True


SECRET_HEADERS = {"X-Octopods-Auth", "Authorization", "Cookie"}


def key_of(request: Request) -> str:
    bearer = request.headers.get("Authorization", "")
    return request.headers.get("X-Octopods-Auth") or bearer.removeprefix("Bearer ")


def readable(raw: bytes) -> Any:
    """The JSON inside, else the text, so that a reader of the journal sees what was really sent."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


def cut(environ: WSGIEnvironment) -> None:
    """Drop the TCP connection with a reset and answer nothing. Raises ConnectionCut."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())
    raise ConnectionCut("cut on purpose by the sandbox")
