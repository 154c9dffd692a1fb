"""What a log or a counter may know of an address."""

from __future__ import annotations

from flask import request


def route() -> str:
    """The rule of the address that was asked for, such as `/m/<token>`; the address itself may hold a key."""
    return request.url_rule.rule if request.url_rule else "(none)"
