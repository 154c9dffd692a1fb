"""The shape of a failure text: what remains when numbers, names and ids are taken out of it.

Two texts of one shape say the same thing about different people, so they are counted, and named, together.
"""

from __future__ import annotations

import hashlib
import re

MAX_TEXT = 4000
MAX_SHAPE = 400
_RULES = (
    (re.compile(r"https?://[^\s\"'<>]{1,500}"), "<link>"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"), "<mail>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d[\d:.,]{0,12}z?"), "<time>"),
    (re.compile(r"\b(?=[a-z_.]{0,40}\d)(?=[\d_.]{0,40}[a-z])[a-z0-9_.=-]{12,200}"), "<id>"),
    (re.compile(r"\+?\d[\d ().-]{6,20}\d"), "<number>"),
    (re.compile(r"\d{1,40}"), "<n>"),
    (re.compile(r"\s{1,200}"), " "),
)


def shape(text: str) -> str:
    """The text without what differs from message to message: `user 4711 busy` is `user <n> busy`."""
    words = text[:MAX_TEXT].lower()
    for pattern, mark in _RULES:
        words = pattern.sub(mark, words)
    return words.strip()[:MAX_SHAPE]


def shape_hash(text: str) -> str:
    """A short name for a shape, to find it by."""
    return hashlib.sha256(shape(text).encode("utf-8", "replace")).hexdigest()[:32]
