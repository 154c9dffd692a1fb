"""Members of bodies that are no JSON: objects as programs print them, such as {code: 400, msg: 'No'}, or cut bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Nothing in here can be tried in more than a bounded number of ways: these texts come from outside.
_MEMBER = re.compile(
    r"""(?<![\w'".-])["']?(?P<name>[A-Za-z_][\w.-]{0,60}+)["']?\s{0,3}(?:=>|[:=])\s{0,3}(?:\[\s{0,3})?
    (?:"(?P<double>(?:[^"\\]++|\\.)*+)"|'(?P<single>(?:[^'\\]++|\\.)*+)'|(?P<bare>(?!//)[^\s,;{}\[\]"'][^,;{}\[\]"'\n]{0,300}+))""",
    re.VERBOSE | re.DOTALL,
)
_OBJECT = re.compile(r"""[{\[]\s{0,40}+["'“]?[A-Za-z_][\w.-]{0,60}+["'”]?\s{0,3}(?:=>|[:=])""")
_CURLY = str.maketrans("“”‘’", "\"\"''")
_ESCAPED_QUOTE = re.compile(r"\\(['\"])")


def is_object(text: str) -> bool:
    """Whether a text has an object in it, and not just a bracket."""
    return "{" in text and _OBJECT.search(text) is not None


def members(text: str) -> Iterator[tuple[str, str]]:
    """Names and values from the first object on, in order; what stands before and between has the name ""."""
    text = text.translate(_CURLY)
    first = _OBJECT.search(text)
    at = 0
    for member in _MEMBER.finditer(text, first.start() if first else len(text)):
        yield "", text[at : member.start()]
        value = member["double"] or member["single"] or member["bare"] or ""
        yield member["name"], _ESCAPED_QUOTE.sub(r"\1", value)
        at = member.end()
    yield "", text[at:]
