"""Message templates: where their placeholders are, which values are missing, and what a person would read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SECTIONS = ("header", "body", "footer", "buttons")
MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
SENDABLE = frozenset({"accepted", "approved"})  # the same thing: two families of articles, two words

# Values by place, as `message_variables` is sent: {"header": [...], "body": [...], "footer": [...],
# "buttons": [...]}
Variables = dict[str, list[str]]

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s][^{}]{0,100}?)\s*\}\}")
_NAMES = {"header": "Header", "body": "Text", "footer": "Footer", "buttons": "Button"}
_MOST_NUMBERED = 200  # a numbered object with a higher number is not a list of values


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a template; only a link can hold a placeholder."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One template as Octopods lists it ("List WhatsApp Templates", "List Viber Templates").

    `id` is Octopods' own id as text. `header_format` is "", "TEXT", "IMAGE", "VIDEO" or "DOCUMENT"; only TEXT
    has words in `header`. `status` is as given, or None where the list does not say (Viber lists accepted
    ones only).
    """

    id: str
    channel: str
    name: str = ""
    body: str = ""
    header: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    header_format: str = ""
    status: str | None = None
    active: bool | None = None
    language: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def needs_media(self) -> bool:
        return self.header_format in MEDIA


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place to fill: the `index`-th value (from 0) of `section`. `name` stands between the braces."""

    section: str
    index: int
    name: str

    @property
    def label(self) -> str:
        return f"{_NAMES[self.section]} {{{{{self.name}}}}}"


def words_of(template: Template, section: str) -> str:
    """The words of a section as the template has them, placeholders and all; of the buttons, their links."""
    if section == "buttons":
        return " ".join(button.url for button in template.buttons if _names(button.url))
    return {"header": template.header, "body": template.body, "footer": template.footer}[section]


def placeholders(template: Template) -> tuple[Placeholder, ...]:
    """Every place of the template in sending order: header, body, footer, link buttons."""
    texts = {section: words_of(template, section) for section in ("header", "body", "footer")}
    places = [Placeholder(s, i, name) for s, text in texts.items() for i, name in enumerate(_names(text))]
    links = [name for button in template.buttons for name in _names(button.url)]
    return (*places, *(Placeholder("buttons", i, name) for i, name in enumerate(links)))


def _names(text: str) -> list[str]:
    """The distinct names in `text`: numbers in their order, words as they come; {{1}} twice is one value."""
    names = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    return sorted(names, key=int) if all(n.isascii() and n.isdigit() for n in names) else names


def as_sections(variables: Any, template: Template | None = None) -> Variables:
    """Values by place from any documented shape: a list, an object by place, or an object by number.

    A list and a numbered object fill the body. Named keys follow the template's order when it is known. What is
    no text, such as a list in a list, counts as blank, so that `missing` finds it; any JSON is answered.
    """
    sections: Variables = {section: [] for section in SECTIONS}
    if variables is None:
        return sections
    if isinstance(variables, Mapping) and variables and set(variables) <= set(SECTIONS):
        for section, values in variables.items():
            sections[section] = _values(values, [])
        return sections
    body = [p.name for p in placeholders(template) if p.section == "body"] if template else []
    sections["body"] = _values(variables, body)
    return sections


def _values(values: Any, order: Sequence[str]) -> list[str]:
    if values is None:
        return []
    if isinstance(values, Mapping):
        return _numbered(values, order)
    if isinstance(values, list | tuple):
        return [_text(value) for value in values]
    return [_text(values)]


def _numbered(values: Mapping[Any, Any], order: Sequence[str]) -> list[str]:
    named = {str(key).strip(): value for key, value in values.items()}
    if named and all(
        key.isascii() and key.isdigit() and 1 <= int(key[:9]) <= _MOST_NUMBERED for key in named
    ):
        by_number = {int(key): value for key, value in named.items()}
        return [_text(by_number.get(n)) for n in range(1, max(by_number) + 1)]
    known = [key for key in order if key in named]
    return [_text(named[key]) for key in (*known, *(k for k in named if k not in known))]


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, Mapping | list | tuple) else str(value)


def missing(template: Template, variables: Variables) -> tuple[Placeholder, ...]:
    """The places without a value. A blank one is *delivered* as `{{1}}`, so it counts as missing.

    Source: Octopods, "Troubleshooting Failed Proactive Messages".
    """
    return tuple(place for place in placeholders(template) if not _value(variables, place).strip())


def _value(variables: Variables, place: Placeholder) -> str:
    values = variables.get(place.section, [])
    return values[place.index] if place.index < len(values) else ""


def surplus(template: Template, variables: Variables) -> int:
    """How many values have no place: Octopods refuses too many as it refuses too few."""
    wanted = dict.fromkeys(SECTIONS, 0)
    for place in placeholders(template):
        wanted[place.section] += 1
    return sum(max(0, len(values) - wanted.get(section, 0)) for section, values in variables.items())


def render(template: Template, variables: Variables) -> str:
    """What the person would read, as plain text; a place without a value shows its braces."""
    values = {
        (p.section, p.name): _value(variables, p) for p in placeholders(template) if p.section != "buttons"
    }
    parts = [
        _fill(template.header, "header", values),
        _fill(template.body, "body", values),
        _fill(template.footer, "footer", values),
        *_button_lines(template, variables),
    ]
    return "\n\n".join(part for part in parts if part.strip())


def _fill(text: str, section: str, values: Mapping[tuple[str, str], str]) -> str:
    def value(match: re.Match[str]) -> str:
        given = values.get((section, match[1]), "")
        return given if given.strip() else match[0]

    return _PLACEHOLDER.sub(value, text)


def _button_lines(template: Template, variables: Variables) -> list[str]:
    """The link buttons, each with its own values: numbering starts again at {{1}} on every button."""
    given = iter(variables.get("buttons", []))
    lines = []
    for button in template.buttons:
        values = {("buttons", name): next(given, "") for name in _names(button.url)}
        if button.url:
            lines.append(f"{button.text}: {_fill(button.url, 'buttons', values)}")
    return lines


def usable(template: Template) -> bool:
    """Whether Octopods would send it: accepted (or a list that names no status), and not switched off."""
    return template.active is not False and (
        template.status is None or template.status.strip().lower() in SENDABLE
    )
