"""The one sender. Nothing else in the app opens a connection to the outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import orjson
import requests
import structlog
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

import canvas
from canvas.clients.connections import Adapter
from canvas.clients.errors import BODY_LIMIT, BrokenAnswer, CallFailed, NotReached, Refused, Unsure
from canvas.domain.json_text import read_json

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
MAX_BYTES = 8 * 1024 * 1024
USER_AGENT = f"Redeliver/{canvas.__version__}"

# What a request does there: nothing; something that may be done again with the same result; something that
# may not.
Effect = Literal["none", "repeatable", "once"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, whatever its status. Header names are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not JSON."""
        return read_json(self.body)


class Http:
    """Sends one request and brings one complete answer, or says what became of it.

    It stands on requests' adapter, not on a Session: pooled connections, but no repeats, no redirects (a
    Session reads a redirect's body whole, whatever its size), no proxies or netrc of the machine, and
    no cookies carried from one tenant's call to the next. `read` seconds bound the whole answer.
    `on_call` is told the vendor and the result (a status, or the error's name) of every call.

    Raises NotReached, Unsure, BrokenAnswer, or Refused for a request that cannot be written down as HTTP.
    Never raises for a status: what 404 means is for each vendor's client to say.
    """

    def __init__(
        self,
        *,
        connect: float = CONNECT_SECONDS,
        server_name: str | None = None,
        pool: int = 16,
        on_call: Callable[[str, str], None] | None = None,
    ) -> None:
        self._connect = connect
        self._on_call = on_call
        self._adapter = Adapter(server_name, pool_maxsize=pool)

    def close(self) -> None:
        self._adapter.close()

    def send(
        self,
        vendor: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        effect: Effect = "none",
        read: float = READ_SECONDS,
        max_bytes: int = MAX_BYTES,
        cut: bool = False,
    ) -> Answer:
        """Ask `vendor` (its name for people). With `cut`, a body over `max_bytes` is cut, not an error."""
        sent = {"Accept": "application/json", "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        data: Any = form
        if json is not None:
            sent["Content-Type"] = "application/json"
            data = _json(vendor, json)
        request = requests.Request(method, url, headers={**sent, **(headers or {})}, data=data)
        return self._exchange(vendor, request, effect, read, max_bytes, cut)

    def forward(
        self, vendor: str, method: str, url: str, headers: Mapping[str, str], body: bytes, read: float
    ) -> Answer:
        """Pass these very bytes and headers on. A GET changes nothing, anything else is done once."""
        request = requests.Request(method, url, headers={"Accept-Encoding": "identity", **headers}, data=body)
        effect: Effect = "none" if method in ("GET", "HEAD") else "once"
        return self._exchange(vendor, request, effect, read, MAX_BYTES, False)

    def _exchange(
        self, vendor: str, request: requests.Request, effect: Effect, read: float, max_bytes: int, cut: bool
    ) -> Answer:
        prepared = _prepare(vendor, request)
        began = time.monotonic()
        result: int | str = "interrupted"
        try:
            answer = self._try(vendor, prepared, effect, read, max_bytes, cut)
            result = answer.status
            return answer
        except CallFailed as failure:
            result = type(failure).__name__
            raise
        finally:
            took = round((time.monotonic() - began) * 1000)
            host = urlsplit(prepared.url or "").hostname
            log.info("call", vendor=vendor, method=prepared.method, host=host, result=result, ms=took)
            if self._on_call:
                self._on_call(vendor, str(result))

    def _try(
        self,
        vendor: str,
        prepared: requests.PreparedRequest,
        effect: Effect,
        read: float,
        max_bytes: int,
        cut: bool,
    ) -> Answer:
        try:
            with self._adapter.send(prepared, stream=True, timeout=(self._connect, read)) as response:
                body = _read(response, max_bytes)
                status, headers = response.status_code, response.headers
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _translate(vendor, error, effect) from error
        if len(body) > max_bytes and not cut:
            raise broken(
                effect, f"{vendor} answered with more than can be read.", Answer(status, headers, body)
            )
        return Answer(status, headers, body[:max_bytes])


def _json(vendor: str, document: Any) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:  # such as half of a surrogate pair in a text
        raise Refused(f"The request to {vendor} could not be written as JSON.") from error


def _prepare(vendor: str, request: requests.Request) -> requests.PreparedRequest:
    try:
        prepared = request.prepare()
        for value in prepared.headers.values():
            value.encode("latin-1")
    except (requests.RequestException, ValueError) as error:
        raise Refused(f"The request to {vendor} could not be written as HTTP.") from error
    return prepared


def _read(response: requests.Response, max_bytes: int) -> bytes:
    """The body, or a little more than `max_bytes` of it; the rest is never fetched."""
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > max_bytes:
            break
    return bytes(body)


def _translate(vendor: str, error: Exception, effect: Effect) -> CallFailed:
    if _never_left(error):
        return NotReached(f"{vendor} could not be reached.")
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return _lost(effect, f"{vendor} did not answer in time.")
    return _lost(effect, f"The connection to {vendor} broke before it answered.")


def _never_left(error: BaseException) -> bool:
    """Whether the cause lies before the first byte; a pooled connection that broke does not count."""
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    return isinstance(cause, NewConnectionError | ConnectTimeoutError) or isinstance(
        error, NewConnectionError | ConnectTimeoutError
    )


def _lost(effect: Effect, message: str, **facts: Any) -> CallFailed:
    """No usable answer came: harmless for a question, unsure for a deed."""
    if effect == "none":
        return BrokenAnswer(message, **facts)
    return Unsure(message, may_retry=effect == "repeatable", **facts)


def broken(
    effect: Effect, message: str, answer: Answer, code: str | None = None, request_id: str | None = None
) -> CallFailed:
    """The error for an answer that says nothing usable, such as a 502 page."""
    text = answer.body[: 4 * BODY_LIMIT].decode("utf-8", "replace")
    return _lost(effect, message, status=answer.status, body=text, code=code, request_id=request_id)


def segment(value: str) -> str:
    """An id as one piece of a path, so that it cannot lead to another address. Raises Refused for none."""
    if not value.strip(". "):
        raise Refused("An id is missing.")
    return quote(value, safe="")
