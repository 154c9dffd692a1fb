"""From a clicked fix and the values of its form to what is to be done: one plan, or the form again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args, get_type_hints
from zlib import crc32

from canvas.domain import phones, templates
from canvas.domain.fix import OTHER, Field, Fix, Situation
from canvas.domain.fixes import (
    OTHER_NUMBER,
    OTHER_TEMPLATE,
    choosable,
    just_failed,
    repair,
    variable_fields,
)
from canvas.domain.message import Content
from canvas.domain.segments import MOST_CHARACTERS

MAX_URL = 2048
SHOWN = "_shown"  # the template that the form was drawn for, as `mark` names it
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Send:
    """A new message: on which channel, to whom, what, and when. `save` is a number to write back."""

    channel_id: int
    channel: str
    raw_to: str
    content: Content
    preview: str | None
    run_at: datetime | None = None
    save: str | None = None
    check_link: bool = False
    header_format: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something other than a send."""

    kind: Literal["check_status", "mark_handled", "ask_admin", "ask_to_fix"]


@dataclass(frozen=True, slots=True)
class FormAgain:
    """The form with the agent's values kept, the wrong field marked, or the next fields to fill in.

    `shown` is the template whose fields these are, as `mark` names it, once one was chosen.
    """

    fields: tuple[Field, ...]
    message: str | None = None
    shown: str = ""


Plan = Send | Deed | FormAgain
DEED_IDS = frozenset(get_args(get_type_hints(Deed)["kind"]))


def plan(s: Situation, fix: Fix, values: Values) -> Plan:
    """What clicking `fix` with `values` means now. The fix must be one that `offered` gave."""
    if fix.id in DEED_IDS:
        return Deed(fix.id)  # type: ignore[arg-type]
    # A surface may leave out a field that nobody touched: then it holds what it was drawn with.
    drawn = {f.name: f.value for f in fix.fields}
    if values.get(SHOWN) and "template" in drawn:
        drawn["template"] = values[SHOWN].partition(".")[0]
    return PLANNERS[fix.id](s, fix, {**drawn, **_asked_for(fix, values)})


def _asked_for(fix: Fix, values: Values) -> Values:
    """The values of what this fix asks; nobody saw any other, and it must change nothing."""
    names = {f.name for f in fix.fields}
    second_form = "template" in names  # which draws a field for every placeholder of the chosen one
    return {
        name: value
        for name, value in values.items()
        if name in names or name == SHOWN or (second_form and name.startswith("var_"))
    }


def _same(s: Situation, fix: Fix) -> Send:
    """The same message again, unchanged, where the fix says."""
    assert fix.target is not None
    channel = next(channel for channel in s.channels if channel.id == fix.target)
    return Send(
        channel.id,
        channel.kind,
        s.message.to or s.message.raw_to,
        s.message.content,
        s.message.preview,
        fix.run_at,
    )


def _retry(s: Situation, fix: Fix, values: Values) -> Plan:
    return _same(s, fix)


def again(fix: Fix, values: Values, field: str, error: str) -> FormAgain:
    """The form as the agent left it, with `field` marked."""
    fields = tuple(
        replace(f, value=values.get(f.name, f.value), error=error if f.name == field else None)
        for f in fix.fields
    )
    return FormAgain(fields, error)


def _number_trouble(typed: str) -> str:
    if not typed.strip():
        return "Enter a phone number."
    return "This is not a full phone number. Start with + and the country code, such as +353871234567."


def _reformat_phone(s: Situation, fix: Fix, values: Values) -> Plan:
    number = next(c.e164 for c in repair(s) if c.certain)
    return replace(_same(s, fix), raw_to=number)


def _edit_phone(s: Situation, fix: Fix, values: Values) -> Plan:
    choice = values.get("choice", OTHER)
    typed = values.get("phone", "") if choice in (OTHER, "") else choice
    number = phones.addressee(typed, s.region)
    if number and _typed_another(s, fix, values, number):
        return again(fix, values, "phone", f"Choose “{OTHER_NUMBER}” above, or clear this number.")
    if number is None:
        return again(fix, values, "phone", _number_trouble(typed))
    if number in just_failed(s):
        return again(fix, values, "phone", "This is the number that just failed. Enter another one.")
    send = replace(_same(s, fix), raw_to=number)
    return replace(send, save=number) if values.get("save") == "yes" else send


def _typed_another(s: Situation, fix: Fix, values: Values, number: str) -> bool:
    """Whether the field for a number was changed to another one than is chosen above it."""
    drawn = next(f.value for f in fix.fields if f.name == "phone")
    typed = values["phone"].strip()
    return typed not in ("", drawn) and phones.addressee(typed, s.region) != number


def _send_other_channel(s: Situation, fix: Fix, values: Values) -> Plan:
    if any(f.name == "template" for f in fix.fields):
        return _with_template(s, fix, values, s.message.to or "")
    typed = values.get("phone", s.message.to or s.message.raw_to)
    number = phones.addressee(typed, s.region)
    if number is None:
        return again(fix, values, "phone", _number_trouble(typed))
    text = values.get("text", fix.preview or "").strip()
    return _text(s, fix, values, number, text)


def _edit_text(s: Situation, fix: Fix, values: Values) -> Plan:
    text = values.get("text", "").strip()
    if text and text == (s.message.content.text or "").strip():
        return again(fix, values, "text", "The text is unchanged. Change what was refused, then send.")
    return _text(s, fix, values, s.message.to or "", text)


def _text(s: Situation, fix: Fix, values: Values, number: str, text: str) -> Plan:
    if not text:
        return again(fix, values, "text", "Enter the text to send.")
    if len(text) > MOST_CHARACTERS:
        over = len(text) - MOST_CHARACTERS
        return again(fix, values, "text", f"{over} characters too long. An SMS takes {MOST_CHARACTERS}.")
    options = s.message.content.options
    return replace(_same(s, fix), raw_to=number, content=Content(text=text, options=options), preview=text)


def _choose_template(s: Situation, fix: Fix, values: Values) -> Plan:
    return _with_template(s, fix, values, s.message.to or "")


def _with_template(s: Situation, fix: Fix, values: Values, number: str) -> Plan:
    named = values.get("template_name", "").strip().lower()
    by_name = values.get("template") == OTHER
    known = choosable(s, fix.target)
    fitting = [
        t for t in known if (named in (t.name.lower(), t.id) if by_name else t.id == values.get("template"))
    ]
    chosen = next(iter(fitting), None)
    if chosen is None:
        field = "template_name" if by_name else "template"
        return again(fix, values, field, "No approved template of this name is known. Check the name.")
    if named and named not in (chosen.name.lower(), chosen.id):
        return again(fix, values, "template_name", f"Choose “{OTHER_TEMPLATE}” above, or clear this name.")
    return _filled(s, fix, values, chosen, number, keep=fix.fields)


def _supply_variables(s: Situation, fix: Fix, values: Values) -> Plan:
    assert s.template is not None
    link = tuple(field for field in fix.fields if field.name == "url")
    todo = _filled(s, fix, values, s.template, s.message.to or "", keep=link)
    return _linked(s, fix, values, todo) if link and isinstance(todo, Send) else todo


def _filled(
    s: Situation, fix: Fix, values: Values, template: templates.Template, number: str, keep: tuple[Field, ...]
) -> Plan:
    """A send of `template` when every placeholder has a value, else the form that asks for exactly those."""
    asked = variable_fields(template, s.message.content.variables)
    if not asked:
        keep = tuple(_telling(f, template) if f.name == "template" else f for f in keep)
    fields = tuple(replace(f, value=values.get(f.name, f.value)) for f in (*keep, *asked))
    shown = mark(template) if any(field.name == "template" for field in keep) else ""
    if shown != values.get(SHOWN, ""):
        return FormAgain(fields, shown=shown)
    empty = [f.name for f in fields if f.name.startswith("var_") and not f.value.strip()]
    if empty:
        marked = tuple(replace(f, error="Enter a value." if f.name in empty else None) for f in fields)
        return FormAgain(marked, "Every placeholder needs a value; a blank one would arrive as {{1}}.", shown)
    variables = _sections(template, {f.name: f.value.strip() for f in fields})
    content = replace(s.message.content, text=None, template_id=template.id, variables=variables)
    return replace(
        _same(s, fix), raw_to=number, content=content, preview=templates.render(template, variables)
    )


def mark(template: templates.Template) -> str:
    """The template's id and what it says, in short: a form for its earlier words does not send these."""
    return f"{template.id}.{crc32(templates.render(template, {}).encode('utf-8', 'replace')):x}"


def _telling(choice: Field, template: templates.Template) -> Field:
    """The choice of a template with all that it says, where no field for a value shows it."""
    return replace(choice, help=f"It says: {templates.render(template, {})}")


def _sections(template: templates.Template, values: Values) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for place in templates.placeholders(template):
        sections.setdefault(place.section, []).append(values[f"var_{place.section}_{place.index}"])
    return sections


def _replace_media_url(s: Situation, fix: Fix, values: Values) -> Plan:
    if len(fix.fields) > 1:  # values are missing as well
        return _supply_variables(s, fix, values)
    return _linked(s, fix, values, _same(s, fix))


def _linked(s: Situation, fix: Fix, values: Values, todo: Send) -> Plan:
    """The same send with the link that was typed, which is looked behind before it goes out."""
    url = values.get("url", "").strip()
    if not url.lower().startswith(("https://", "http://")) or len(url) > MAX_URL:
        return again(fix, values, "url", "Enter a full web address that starts with https://.")
    header_format = s.template.header_format if s.template else ""
    content = replace(todo.content, header_url=url)
    return replace(todo, content=content, check_link=True, header_format=header_format)


PLANNERS: dict[str, Callable[[Situation, Fix, Values], Plan]] = {
    "retry_now": _retry,
    "retry_later": _retry,
    "reformat_phone": _reformat_phone,
    "edit_phone": _edit_phone,
    "send_other_channel": _send_other_channel,
    "edit_text": _edit_text,
    "choose_template": _choose_template,
    "supply_variables": _supply_variables,
    "replace_media_url": _replace_media_url,
}
