"""The SSRF guard for addresses a tenant supplies: the public internet only, and only the address that was checked.

A name is looked up once; every address it has must be public; the connection goes to one of those very
addresses, with the name in the Host header and in the certificate check. So a name that answers otherwise the
second time (DNS rebinding) gains nothing. Redirects are never followed here: each is a new address to check.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import quote, urlsplit

from canvas.clients.errors import NotReached, Refused
from canvas.clients.http import Answer, Http

WEB_PORTS = frozenset({80, 443})
MAX_URL = 2000
WITHIN_SECONDS = 5.0  # all of a call: look-up, connection and answer
CONNECT_SECONDS = 2.0
MOST_ADDRESSES = 3  # of one name are tried; the first that answers is used

# IANA special-purpose registries; what lies outside 2000::/3 is not public unless it carries an IPv4 address.
_PUBLIC_V6 = IPv6Network("2000::/3")
_SPECIAL = [
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")
_lookups = ThreadPoolExecutor(4, thread_name_prefix="lookup")

Resolve = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """All addresses of `host`, each once, in the system's order. Raises OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _written_out(host: str) -> list[str]:
    """The address that the host itself spells, in any of its forms such as 2130706433; nothing for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether `address` belongs to the public internet; an IPv4 one inside an IPv6 one is judged itself."""
    if "%" in address:
        return False
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _PUBLIC_V6:
            return False
    in_special = any(ip in block for block in _SPECIAL if block.version == ip.version)
    return ip.is_global and not (in_special or ip.is_multicast or ip.is_reserved)


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """A URL in its parts. It is parsed once, here, so that what was checked is what is called."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"

    def at(self, address: str) -> str:
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.path}"


class Guarded:
    """Sends to addresses we did not choose. `allow_private` is for tests and the sandbox only."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ports: Collection[int] = WEB_PORTS,
        resolve: Resolve = look_up,
    ) -> None:
        self._allow_private = allow_private
        self._ports = ports
        self._resolve = resolve

    def send(self, method: str, url: str, *, within: float = WITHIN_SECONDS, **options: Any) -> Answer:
        """One request, done `within` seconds; `options` as for `Http.send`.

        Raises Refused for an address that may not be called, NotReached when its name is unknown or nobody
        answers there.
        """
        end = time.monotonic() + within
        target = self.parse(url)
        options["headers"] = {**options.get("headers", {}), "Host": target.host_header}
        for address in self._addresses(target, within)[:MOST_ADDRESSES]:
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                return _send_to(address, target, method, left, options)
            except NotReached:
                continue
        raise NotReached("The host of this link could not be reached from here.")

    def parse(self, url: str) -> ParsedUrl:
        """The URL in its parts. Raises Refused when it is none that may be called."""
        if len(url) > MAX_URL or any(c.isspace() or ord(c) < 32 or c == "\\" for c in url):
            raise Refused("This link is too long or holds characters that no link has.")
        try:
            parts = urlsplit(url)
            scheme, port = parts.scheme.lower(), parts.port
            host = _ascii_host(parts.hostname or "")
        except ValueError as error:
            raise Refused("This is not a link that can be read.") from error
        if scheme not in ("http", "https") or not host:
            raise Refused("A link must begin with https:// and name a host.")
        if parts.username is not None or parts.password is not None:
            raise Refused("A link may not carry a user name or password.")
        port = port or {"http": 80, "https": 443}[scheme]
        if not self._allow_private and port not in self._ports:
            raise Refused(f"Port {port} is not one that links may use.")
        self._check(_written_out(host))
        query = f"?{parts.query}" if parts.query else ""
        path = quote((parts.path or "/") + query, safe="/%:@!$&'()*+,;=~?-._")
        return ParsedUrl(scheme, host, port, path)

    def _addresses(self, target: ParsedUrl, within: float) -> Sequence[str]:
        try:
            addresses = _lookups.submit(self._resolve, target.host, target.port).result(within)
        except (OSError, UnicodeError, TookTooLong) as error:
            raise NotReached("The host of this link is not known here.") from error
        self._check(addresses)
        return addresses

    def _check(self, addresses: Sequence[str]) -> None:
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Refused("This link leads into a private network.")


def _send_to(address: str, target: ParsedUrl, method: str, left: float, options: dict[str, Any]) -> Answer:
    name = target.host if target.scheme == "https" else None
    http = Http(connect=min(CONNECT_SECONDS, left), server_name=name, pool=1)
    try:
        return http.send("The host of this link", method, target.at(address), read=left, **options)
    finally:
        http.close()


def _ascii_host(host: str) -> str:
    """The host as it is looked up; raises UnicodeError (a ValueError) when it is none."""
    return host.rstrip(".") if host.isascii() else host.rstrip(".").encode("idna").decode("ascii")
