"""Objects that are no JSON: as programs print them, such as {code: 400} or {"a" => 1}, or cut in the middle."""

from __future__ import annotations

import json
import re
from typing import Any

_OBJECT = re.compile(r"""\{\s{0,40}+["'“]?[A-Za-z_][\w.-]{0,60}+["'”]?\s{0,3}(?:=>|[:=])""")
_TOKEN = re.compile(
    r"""\s*+(?:(?P<string>"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')
    |(?P<cut>["'].*)
    |(?P<colon>=>|[:=])
    |(?P<mark>[{}\[\],])
    |(?P<bare>[^\s{}\[\],:="'][^{}\[\],:="'\n]{0,300}+))""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,10})?")
_CONSTANTS = {
    "true": "true",
    "false": "false",
    "null": "null",
    "none": "null",
    "nil": "null",
    "undefined": "null",
}
_LEFT_OUT = {"...", "…"}  # as documentation and logs write what they do not show
_CLOSED_BY = {"{": "}", "[": "]"}
_CURLY = str.maketrans("“”", '""')
# Java's generated classes print a field a line, without commas: each is put in the place of the line's end.
_JAVA_CLASS = re.compile(r"\bclass \w{1,80} \{\n")
_NEXT_FIELD = re.compile(r"(?<=[^{,\s])\n(?=[ \t]{1,80}\w{1,80}: )")


def first_object(text: str) -> tuple[int, Any, int] | None:
    """Where the first object that is no JSON begins, what it holds, and where it ends; None where there is none.

    Where anything in it cannot be told for sure it is none, and its text is words like any other: nothing is lost.
    """
    begin = _OBJECT.search(text) if "{" in text else None
    if not begin:
        return None
    if _JAVA_CLASS.search(text):
        text = _NEXT_FIELD.sub(",", text)
    spelling, end, cut = as_json(text.translate(_CURLY), begin.start())
    for close in ("", ": null") if cut else ("",):
        try:
            value = json.loads(spelling[0] + close + spelling[1])
        except (ValueError, RecursionError):
            continue
        return (begin.start(), value, end) if value else None
    return None


_PRINTED = re.compile(r"^\s{0,80}\[([\w.:-]{1,60})\] => (.*)$|^\s{0,80}(\))\s*$", re.M)


def printed_array(text: str) -> tuple[int, Any, int] | None:
    """What PHP's print_r shows, where the text has some: where it begins, its keys with their values, its end."""
    lines = list(_PRINTED.finditer(text))
    first = next((at for at, line in enumerate(lines) if line[1]), None)
    if first is None:
        return None
    open_: list[dict[str, Any]] = [{}]
    told = lines[first:]
    ends = [*[after.start() for after in told[1:]], told[-1].end()]
    for line, end in zip(told, ends, strict=True):
        if line[3]:
            if len(open_) == 1:
                return begin_of(text, lines[first].start()), open_[0], line.end()
            open_.pop()
        elif re.fullmatch(r"(?:Array|\S+ Object)\s*", line[2]):
            inner: dict[str, Any] = {}
            open_[-1][line[1]] = inner
            open_.append(inner)
        else:
            open_[-1][line[1]] = text[line.start(2) : end].strip()  # a value may have several lines
    return begin_of(text, lines[first].start()), open_[0], lines[-1].end()


def begin_of(text: str, at: int) -> int:
    """Where what is printed begins: at the name of its kind, before the bracket in front of its first key."""
    near = max(0, at - 200)
    head = re.search(r"(?:Array|\S+ Object)\s*\(\s*$", text[near:at])
    return near + head.start() if head else at


def as_json(text: str, at: int) -> tuple[tuple[str, str], int, bool]:
    """The object that begins here in JSON's spelling, with what closes it apart; where it ends; whether it was cut."""
    spelled: list[str] = []
    open_: list[str] = []
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token["mark"]:
            mark = token["mark"]
            if mark in _CLOSED_BY:
                open_.append(_CLOSED_BY[mark])
            elif mark in "]}" and spelled[-1] == ",":
                spelled.pop()
            if mark in "]}" and open_ and open_.pop() == mark and not open_:
                return ("".join([*spelled, mark]), ""), at, False
            spelled.append(mark)
        elif token["bare"] and token["bare"].strip() in _LEFT_OUT:
            continue
        elif not token["bare"]:
            spelled.append(":" if token["colon"] else json.dumps(unquoted(token["string"] or token["cut"])))
        elif text[at : at + 1] != "{":  # else the name of what stands in the brackets, as Java prints it
            spelled.append(scalar(token["bare"].strip(), is_name=text[at : at + 1] in {":", "="}))
    while spelled and spelled[-1] == ",":
        spelled.pop()
    return (
        ("".join([*spelled, *(["null"] if spelled[-1] == ":" else [])]), "".join(reversed(open_))),
        at,
        True,
    )


def unquoted(string: str) -> str:
    """What stands between quotes, of which the last may be missing."""
    inner = string[1:-1] if len(string) > 1 and string[-1] == string[0] else string[1:]
    return inner.replace("\\'", "'").replace('\\"', '"').replace("\\n", "\n")


def scalar(word: str, *, is_name: bool) -> str:
    """A word without quotes in JSON's spelling."""
    if is_name:
        return json.dumps(word)
    return _CONSTANTS.get(word.lower()) or (word if _NUMBER.fullmatch(word) else json.dumps(word))
