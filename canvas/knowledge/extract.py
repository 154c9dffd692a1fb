"""Taking a raw reason apart: which sentences it says, and which codes, whatever it is wrapped in."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

from canvas.knowledge.fields import (
    MOST,
    holds_code,
    holds_sentence,
    is_echoed,
    is_surely_code,
    letters_of,
    telling_fields,
)
from canvas.knowledge.loose import first_object, printed_array
from canvas.knowledge.plain import take_words, without_frames
from canvas.knowledge.reading import Reading
from canvas.knowledge.tokens import unescape

LONGEST = 20_000
_DEEPEST = 24

_TAG = re.compile(r"<(?:script|style)\b[^<]{0,2000}</[^<>]{0,20}>|<[^<>]{0,500}>", re.I)
_LEAF = re.compile(r"<([A-Za-z_][\w.:-]{0,60}+)>([^<>]{0,2000}+)</\1>")
_HTML = re.compile(r"<(?:!doctype|html|head|body|title|h\d|p|div|span|center|pre|table|[aubi]|br|li)\b", re.I)
_FORM = re.compile(r"^\s*[\w.%\[\]-]{1,60}=[^\s=]*(?:&[\w.%\[\]-]{1,60}=[^\s=]*)+\s*$")
_FLAGS = {"true", "false"}
# Longer than any documented code, and with more digits than a word has: an id of something.
_ID = re.compile(r"(?=(?:\D*\d){6})[\w.:=+/-]{24,}", re.ASCII)
_PAIR = re.compile(r"['\"]?(\w{2,40})['\"]?\s*(?:=>|[:=])\s*['\"]([^'\"]{3,300})['\"]")


def every(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with all it says, for one that is put together by hand may use a name twice."""
    if len(fields := dict(pairs)) < len(pairs):
        fields = {}
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=every)


def read(text: str) -> Reading:
    """Sentences and codes of a raw reason. Never raises; a text that is too long is cut."""
    reading = Reading()
    text = text[:LONGEST]
    if "<![CDATA[" in text:
        text = text.replace("<![CDATA[", "").replace("]]>", "")
    if '\\"' in text and not text.lstrip().startswith(("{", "[")):
        text = text.replace('\\"', '"')
    take(text, reading, 0)
    return reading


def take(text: str, reading: Reading, depth: int) -> None:
    """Read a text by what it looks like: an object, a form, markup, or words."""
    stripped = text.strip()
    if not stripped:
        return
    if depth > _DEEPEST:
        take_words(stripped, reading)
        return
    if "=" in stripped and _FORM.match(stripped):
        take_form(stripped, reading, depth)
        return
    if found := first_body(stripped):
        start, body, end = found
        take_words(without_frames(stripped[:start]), reading)
        walk(body, "", reading, depth + 1)
        take(stripped[end:], reading, depth + 1)
        return
    stripped = without_frames(stripped)
    if "</" in stripped and not _HTML.match(stripped, stripped.find("<")) and _LEAF.search(stripped):
        rest = take_leaves(stripped, reading, depth)
        take_words(_TAG.sub(" \n ", rest).strip(), reading)
        return
    if "<" in stripped:
        if "%" in stripped or "&" in stripped:
            stripped = unescape(stripped)
        stripped = _TAG.sub(" \n ", stripped).strip() or attributes_of(stripped)
    take_words(stripped, reading)


def take_leaves(markup: str, reading: Reading, depth: int) -> str:
    """Read the elements of data in markup that hold a value, as a JSON body of the same fields; return the rest."""
    for name, value in _LEAF.findall(markup)[:MOST]:
        if not is_echoed(letters := letters_of(name)):
            named = holds_code(letters) or value in _FLAGS
            walk_text(unescape(value), name if named else "message", reading, depth + 1)
    return _LEAF.sub(" ", markup)


def attributes_of(markup: str) -> str:
    """What markup says that has no words but in its attributes."""
    pairs = [(key, value) for key, value in _PAIR.findall(markup) if not is_echoed(letters_of(key))]
    return " \n ".join(f"{key} {value}" for key, value in pairs)


def first_body(text: str) -> tuple[int, Any, int] | None:
    """Where the first object begins that a program printed, what it holds, and where it ends; None where none is."""
    if "] => " in text and (printed := printed_array(text)):
        return printed
    return (first_json(text) or first_object(text)) if "{" in text or "[" in text else None


def first_json(text: str) -> tuple[int, Any, int] | None:
    """Where the first JSON object or list begins, what it holds, and where it ends; None where there is none."""
    spots = {text.find("{"), text.find("[{"), 0 if text[0] == "[" else -1}
    for start in sorted(spots - {-1}):
        try:
            value, length = _DECODER.raw_decode(text[start:])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list) and value:
            return start, value, start + length
    return None


def take_form(text: str, reading: Reading, depth: int) -> None:
    """Read a form-encoded body."""
    fields = {}
    for pair in text.split("&")[:MOST]:
        key, _, value = pair.partition("=")
        fields[unquote_plus(key)] = unquote_plus(value)
    walk(fields, "", reading, depth + 1)


def walk(value: Any, key: str, reading: Reading, depth: int) -> None:
    """Read a JSON value: codes by their keys, sentences from strings, and flags as words; null says nothing."""
    if depth > _DEEPEST or value is None:
        return
    if isinstance(value, dict):
        for name, inner in telling_fields(key, value):
            walk(inner, name, reading, depth + 1)
    elif isinstance(value, list):
        for inner in value[:MOST]:
            walk(inner, key, reading, depth + 1)
    elif isinstance(value, str):
        walk_text(value, key, reading, depth)
    elif isinstance(value, bool):
        reading.say(f"{key} {'true' if value else 'false'}", framing=True)
    elif holds_code(letters := letters_of(key)):
        reading.name(str(value), sure=is_surely_code(letters, str(value)))


def walk_text(value: str, key: str, reading: Reading, depth: int) -> None:
    """Read one JSON string, which may be a code, another body, or a sentence."""
    plain, word = letters_of(key), " " not in value.strip()
    telling_letters = any(char.isalpha() for char in value)
    if holds_code(plain) and _ID.fullmatch(value):
        return
    if holds_code(plain) and word and 0 < len(value) <= 40:
        reading.name(value.strip())
        if telling_letters:
            reading.say(value)
    elif telling_letters:
        if holds_sentence(plain) or "://" in value or "{" in value or (not word and len(value) > 25):
            take(value, reading, depth + 1)
            return
        if word:
            reading.framing.add(f"{key} {value}")
        take(f"{key} {value}", reading, depth + 1)
