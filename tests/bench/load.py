"""A load generator: one process that keeps some connections busy with the same request, over loopback.

`python -m tests.bench.load PORT SECONDS CONNECTIONS FILE` sends the bytes of FILE and prints what came back as JSON.
It speaks just enough HTTP to be much cheaper than what it measures.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw: answers a second, and how long they took in milliseconds."""

    rate: float
    p50: float
    p99: float
    refused: int


class Talker:
    """One kept-alive connection that always has one request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.port, self.request = port, request
        self.open()

    def open(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> None:
        self.seen = bytearray()
        self.began = time.perf_counter()
        self.sock.sendall(self.request)

    def read(self) -> bool | None:
        """True for a complete 200, False for anything else that ended, None while more is to come."""
        piece = self.sock.recv(65536)
        if not piece:
            return False
        self.seen += piece
        head = self.seen.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = LENGTH.search(self.seen, 0, head + 2)
        if length and len(self.seen) < head + 4 + int(length[1]):
            return None
        return self.seen.startswith(b"HTTP/1.1 200")

    def again(self) -> None:
        """Ask on this connection, or on a new one when the server is done with it."""
        if not self.seen or b"connection: close" in bytes(self.seen[:400]).lower():
            self.sock.close()
            self.open()
        self.ask()


def answer(port: int, request: Path) -> bytes:
    """The body of one answer."""
    talker = Talker(port, request.read_bytes())
    talker.ask()
    while (done := talker.read()) is None:
        pass
    talker.sock.close()
    assert done, bytes(talker.seen[:200])
    return bytes(talker.seen).partition(b"\r\n\r\n")[2]


def press(port: int, seconds: float, connections: int, request: bytes) -> Load:
    """Keep `connections` busy for `seconds`."""
    talkers = [Talker(port, request) for _ in range(connections)]
    took: list[float] = []
    refused = 0
    with selectors.DefaultSelector() as waiting:
        for talker in talkers:
            talker.ask()
            waiting.register(talker.sock, selectors.EVENT_READ, talker)
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            for key, _ in waiting.select(1):
                talker = key.data
                done = talker.read()
                if done is None:
                    continue
                took.append(time.perf_counter() - talker.began)
                refused += not done
                waiting.unregister(talker.sock)
                talker.again()
                waiting.register(talker.sock, selectors.EVENT_READ, talker)
        elapsed = time.perf_counter() - began
    for talker in talkers:
        talker.sock.close()
    took.sort()
    return Load(len(took) / elapsed, took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3, refused)


def run(port: int, seconds: float, connections: int, request: Path) -> Load:
    """`press` in a process of its own, so that it shares no interpreter lock with anything."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.load",
        str(port),
        str(seconds),
        str(connections),
        str(request),
    ]
    done = subprocess.run(command, check=True, capture_output=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))


if __name__ == "__main__":
    port, seconds, connections, file = sys.argv[1:]
    result = press(int(port), float(seconds), int(connections), Path(file).read_bytes())
    print(json.dumps({name: getattr(result, name) for name in Load.__dataclass_fields__}))
