"""Run a WSGI application on a loopback port of its own, in a thread: real sockets for tests and sandbox."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """The journal tells more than a line a request; and a connection cut on purpose is no news."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return

    def handle(self) -> None:
        try:
            super().handle()
        except OSError as error:
            if error.errno != errno.EBADF:  # the socket of a connection cut on purpose
                raise

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        self.close_connection = True  # nothing more can be read from it


@contextmanager
def serve(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends; yields its base URL. Port 0 takes a free one.

    Raises OSError when the port is in use.
    """
    server = make_server(HOST, port, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
