"""Intercom's Canvas Kit: the components we use, foreign text made harmless, and how tall a canvas will be.

Source: Intercom developer documentation, "Canvas Kit" (components and Inbox best practices).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import east_asian_width

Component = dict[str, Any]
Canvas = dict[str, Any]

SUBMIT = {"type": "submit"}
MAX_OPTIONS = 10
FIRST_CANVAS_PIXELS = 400
# What a field shows of its value: Intercom draws no canvas over 64 KB. More than an SMS or a template's value may have,
# so that what was cut is refused as too long until somebody has shortened it.
MOST_ON_A_LINE, MOST_IN_AN_AREA = 3000, 8000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINER = "\u2060"  # invisible; set where Markdown would otherwise see a link or bold
_MARKDOWN = re.compile(r"\](?=\()|\*(?=\*)")


def printable(text: str) -> str:
    """Any text as it can stand in a field: a broken character becomes the replacement mark."""
    return _SURROGATE.sub("\ufffd", text).replace("\x00", "\ufffd")


def one_line(text: str) -> str:
    """Any text on one line, without control or direction characters that could disguise it."""
    return _CONTROL.sub(" ", printable(text)).strip()


def cut(text: str, limit: int) -> str:
    """The text, or as much of its beginning as `limit` characters hold, with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(text: str, limit: int = 1000) -> str:
    """Foreign text for a component that renders Markdown: same characters to the eye, no link and no bold."""
    flat = cut(one_line(text), limit)
    return _MARKDOWN.sub(rf"\g<0>{_JOINER}", flat)


def text(id_: str, words: str, style: str = "paragraph", *, tight: bool = False) -> Component:
    component: Component = {"type": "text", "id": id_, "text": words, "style": style}
    return {**component, "bottom_margin": "none"} if tight else component


def button(id_: str, label: str, style: str = "secondary", *, disabled: bool = False) -> Component:
    # Intercom's default style is `primary`, which the first canvas may not have: always say the style.
    component: Component = {"type": "button", "id": id_, "label": label, "style": style, "action": SUBMIT}
    return {**component, "disabled": True} if disabled else component


def link(id_: str, label: str, url: str) -> Component:
    return {
        "type": "button",
        "id": id_,
        "label": label,
        "style": "link",
        "action": {"type": "url", "url": url},
    }


def item(id_: str, title: str, subtitle: str, tertiary: str = "") -> Component:
    component: Component = {"type": "item", "id": id_, "title": title, "subtitle": subtitle, "action": SUBMIT}
    return {**component, "tertiary_text": tertiary} if tertiary else component


def listing(items: Iterable[Component]) -> Component:
    return {"type": "list", "items": list(items)}


def text_input(id_: str, label: str, value: str, placeholder: str = "", *, wrong: bool = False) -> Component:
    component: Component = {
        "type": "input",
        "id": id_,
        "label": label,
        "value": value[:MOST_ON_A_LINE],
        "placeholder": placeholder,
    }
    return {**component, "save_state": "failed"} if wrong else component


def textarea(id_: str, label: str, value: str, *, wrong: bool = False) -> Component:
    return {"type": "textarea", "id": id_, "label": label, "value": value[:MOST_IN_AN_AREA], "error": wrong}


def dropdown(
    id_: str, label: str, options: Sequence[tuple[str, str]], value: str, *, wrong: bool = False
) -> Component:
    """A choice of two to ten options; one option alone is not a legal dropdown, so ask before calling."""
    component: Component = {
        "type": "dropdown",
        "id": id_,
        "label": label,
        "options": [{"type": "option", "id": i, "text": t} for i, t in options[:MAX_OPTIONS]],
    }
    if any(i == value for i, _ in options[:MAX_OPTIONS]):
        component["value"] = value
    return {**component, "save_state": "failed"} if wrong else component


def spacer(id_: str, size: str = "s") -> Component:
    return {"type": "spacer", "id": id_, "size": size}


def divider(id_: str) -> Component:
    return {"type": "divider", "id": id_}


def canvas(components: Sequence[Component], *, completed: bool = False) -> Canvas:
    """The answer to initialize or submit."""
    answer: Canvas = {"canvas": {"content": {"components": list(components)}}}
    return {**answer, "event": {"type": "completed"}} if completed else answer


LINE = 20
MARGIN = 10
CHARACTERS = {"header": 34, "paragraph": 42, "muted": 42, "error": 42}
SPACERS = {"xs": 4, "s": 8, "m": 16, "l": 24, "xl": 32}


def height(components: Sequence[Component]) -> int:
    """About how many pixels the canvas takes in the Inbox sidebar, estimated on the generous side."""
    return 2 * MARGIN + sum(_height(component) for component in components)


def _height(component: Component) -> int:
    kind = component["type"]
    if kind == "text":
        lines = -(-_width(component["text"]) // CHARACTERS[component.get("style", "paragraph")])
        margin = 0 if component.get("bottom_margin") == "none" else MARGIN
        return max(1, lines) * (LINE + 4 if component.get("style") == "header" else LINE) + margin
    if kind == "button":
        return (LINE if component["style"] == "link" else 36) + MARGIN
    if kind == "list":
        return sum(_item_height(item) for item in component["items"])
    if kind == "spacer":
        return SPACERS[component.get("size", "s")]
    if kind == "divider":
        return 1 + 2 * MARGIN
    return 120 if kind == "textarea" else 70


def _item_height(item: Component) -> int:
    # Subtitle and tertiary text stand on one line, a bullet between them, in a smaller type than a text.
    under = _width(item.get("subtitle", "")) + _width(item.get("tertiary_text", "")) + 3
    return 18 + LINE * (1 + -(-under // 46))


def _width(words: str) -> int:
    """The characters of a text, those of Chinese, Japanese and Korean, and emoji, as two: so wide they are drawn."""
    return len(words) if words.isascii() else sum(1 + (east_asian_width(c) in "WF") for c in words)
