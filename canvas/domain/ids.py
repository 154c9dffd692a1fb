"""Our own ids: a prefix that says what it names, then 26 characters that sort by time."""

from __future__ import annotations

import secrets
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _stamp(moment: datetime) -> str:
    """The milliseconds since 1970 as ten characters; nothing was made before, so an earlier moment counts as 1970."""
    return _base32(max(0, int(moment.timestamp() * 1000)), 10)


def _base32(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))


def new_id(prefix: str, now: datetime) -> str:
    """A fresh id such as `msg_01jd…`; ids made later sort later, to the millisecond."""
    return f"{prefix}_{_stamp(now)}{_base32(secrets.randbits(80), 16)}"


def first_id(prefix: str, moment: datetime) -> str:
    """The least id that could be made at `moment`: ids made before it sort before it."""
    return f"{prefix}_{_stamp(moment)}{ALPHABET[0] * 16}"
