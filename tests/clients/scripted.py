"""A server on loopback that does exactly what a test tells it, well-behaved or not.

Each request takes the next turn of the script; the last turn repeats. A turn speaks bytes on the open socket
and says whether the connection lives on.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Turn = Callable[["Line"], bool]


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Line:
    """One open connection: what was just asked, and a way to speak."""

    sock: socket.socket
    stop: threading.Event
    received: list[Received]

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def read(self) -> bool:
        """Take in one whole request; False when the other side has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.sock.recv(65536)
            if not chunk:
                return False
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.sock.recv(65536)
        method, path, _ = first.split(" ")
        self.received.append(Received(method, path, headers, body))
        return True


@dataclass
class Scripted:
    url: str
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def last(self) -> Received:
        return self.received[-1]


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Turn:
    """A proper answer: JSON for anything that is not bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def turn(line: Line) -> bool:
        if not line.read():
            return False
        lines = {"Content-Length": str(len(data)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        silent = line.received[-1].method == "HEAD"
        line.say(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + (b"" if silent else data))
        return True

    return turn


def raw(data: bytes, keep: bool = False) -> Turn:
    """These very bytes after reading the request."""

    def turn(line: Line) -> bool:
        if line.read():
            line.say(data)
        return keep

    return turn


def hang_up(line: Line) -> bool:
    """Close without reading a byte."""
    line.reset()
    return False


def hang_up_after_reading(line: Line) -> bool:
    line.read()
    return False


def silence(line: Line) -> bool:
    """Read the request and never answer."""
    line.read()
    line.stop.wait(30)
    return False


def trickle(head: bytes, drop: bytes) -> Turn:
    """Begin well, then one drop after another for ever: each arrives in time, the whole never does."""

    def turn(line: Line) -> bool:
        line.read()
        line.say(head)
        while not line.stop.wait(0.02):
            line.say(drop)
        return False

    return turn


@contextmanager
def scripted(*turns: Turn) -> Iterator[Scripted]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")
        stop = threading.Event()
        script = iter(turns)
        latest: list[Turn] = []

        def next_turn() -> Turn:
            latest.extend(turn for turn in [next(script, None)] if turn)
            return latest[-1]

        def serve(sock: socket.socket) -> None:
            with sock:
                line = Line(sock, stop, server.received)
                try:
                    while sock.recv(1, socket.MSG_PEEK) and next_turn()(line):
                        pass
                except OSError:
                    return  # the client has gone, which is what some tests are about

        def accept() -> None:
            while not stop.is_set():
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                server.connections += 1
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
