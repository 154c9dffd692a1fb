"""Connections that tell "it never left" from "it may have arrived", and that never wait longer than they
said.

Two things the stock connections leave open matter here. Every failure before the first byte of a request is
raised as urllib3's `NewConnectionError`, TLS included, so that the sender can tell it from a later one. And
the read time-out bounds the whole answer, not each of its bytes: a server that trickles cannot hold a worker.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError


class _Bounded(io.RawIOBase):
    """The bytes of one answer, all of them within the socket's time-out counted from now."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._bytes = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        assert timeout, "a connection without a time-out"
        self._end = time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(left)
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock))


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, ValueError, HTTPError) as error:
            raise NewConnectionError(self, str(error)) from error


class _TlsConnection(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, ValueError, HTTPError) as error:
            raise NewConnectionError(self, str(error)) from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Adapter(HTTPAdapter):
    """Pools of such connections.

    `server_name` is the name a certificate must bear when the URL holds an address instead of a name.
    """

    def __init__(self, server_name: str | None = None, **options: Any) -> None:
        self._tls = {"server_hostname": server_name} if server_name else {}
        super().__init__(max_retries=0, **options)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**self._tls, **kwargs})
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
