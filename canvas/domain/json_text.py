"""JSON as other programs write it."""

from __future__ import annotations

import json
from typing import Any

import orjson


def read_json(raw: bytes) -> Any:
    """The JSON value of a body, an answer or a line. Raises ValueError.

    What other writers of JSON may send is read too: a byte order mark, halves of characters, endless numbers. What is
    no number, or a larger one than there is, becomes a word such as "NaN": no database holds it as a number.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            whole = json.dumps(json.loads(raw.decode("utf-8-sig")), ensure_ascii=False)
            return json.loads(whole.encode("utf-8", "replace"), parse_constant=str)
        except (ValueError, RecursionError):
            raise error from None


def json_or_none(raw: bytes) -> Any:
    """The JSON value; None for what is no JSON."""
    try:
        return read_json(raw)
    except ValueError:
        return None
