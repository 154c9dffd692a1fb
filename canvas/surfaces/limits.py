"""Rate limits for installs and addresses, shared by all processes through the database.

A process takes tokens in small lots and spends them from memory, so most requests cost no query, and one that
was refused is refused again from memory until its time has come: a flood costs the database nothing.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from canvas.store import rates
from canvas.store.database import writing
from canvas.store.rates import Rule

log = structlog.get_logger()
LOT = 10  # tokens taken at once
LOT_SECONDS = 30.0  # how long a lot may be spent
MOST_BUCKETS = 10_000  # remembered by one process; the longest unused is forgotten first


@dataclass(slots=True)
class _Lot:
    left: int
    until: float  # on the monotonic clock: for a full lot its end, for an empty one when to ask again


def network_of(address: str) -> str:
    """What counts as one address: for IPv6 its /64, because that is what one customer is given.

    Some proxies write the port behind it, and a socket that hears both kinds writes IPv4 as `::ffff:192.0.2.1`.
    """
    bare = address.removeprefix("[").partition("]")[0]
    try:
        parsed = ipaddress.ip_address(bare.partition(":")[0] if bare.count(":") == 1 else bare)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


class Limits:
    """Says of a bucket how many whole seconds the caller must wait; 0 is go ahead."""

    def __init__(self, engine: Engine, per_install: int, per_address: int) -> None:
        self._engine = engine
        self._rules = {"install": Rule(per_install), "address": Rule(per_address)}
        self._lots: OrderedDict[str, _Lot] = OrderedDict()
        self._lock = threading.Lock()

    def install(self, install_id: int) -> int:
        return self._wait("install", str(install_id))

    def address(self, address: str) -> int:
        return self._wait("address", network_of(address))

    def _wait(self, kind: str, who: str) -> int:
        rule = self._rules[kind]
        if not rule.per_minute:
            return 0
        bucket = f"{kind}:{who}"
        remembered = self._spend(bucket)
        return self._take(bucket, rule) if remembered is None else remembered

    def _spend(self, bucket: str) -> int | None:
        """The answer from memory, or None when the database must be asked."""
        now = time.monotonic()
        with self._lock:
            lot = self._lots.get(bucket)
            if lot is None or lot.until <= now:
                return None
            self._lots.move_to_end(bucket)
            if lot.left > 0:
                lot.left -= 1
                return 0
            return math.ceil(lot.until - now) if lot.left < 0 else None

    def _take(self, bucket: str, rule: Rule) -> int:
        lot = min(LOT, rule.per_minute)
        try:
            with writing(self._engine) as conn:
                wait_ms = rates.take(conn, bucket, lot, rule, int(time.time() * 1000))
        except SQLAlchemyError as error:
            # A limit protects the service; it must not be what breaks it.
            log.warning("limits.unavailable", error=type(error).__name__)
            return 0
        wait = wait_ms / 1000
        now = time.monotonic()
        self._remember(bucket, _Lot(-1, now + wait) if wait_ms else _Lot(lot - 1, now + LOT_SECONDS))
        return math.ceil(wait)

    def _remember(self, bucket: str, lot: _Lot) -> None:
        with self._lock:
            self._lots[bucket] = lot
            self._lots.move_to_end(bucket)
            while len(self._lots) > MOST_BUCKETS:
                self._lots.popitem(last=False)
