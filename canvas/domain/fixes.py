"""Which fixes a message gets now, and why one an agent would look for is not offered.

The catalogue says which fixes help a reason; this module decides, from the message and the install, which of
them can work at this moment. A button that cannot work is not drawn, or is drawn disabled with its why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import shorten

from canvas.domain import phones, templates
from canvas.domain.dates import at_or_on
from canvas.domain.fix import (
    CHANNEL_NAMES,
    OTHER,
    ChannelState,
    Field,
    Fix,
    Option,
    Situation,
    cured,
    earliest,
    own_channel,
)
from canvas.domain.message import Message, Status
from canvas.domain.preflight import Known, blocking, of_content
from canvas.domain.rights import ASK, FOR_ONLOOKERS, FOR_STRANGERS, LOOKING
from canvas.domain.segments import segments
from canvas.knowledge.model import OPTED_OUT

PLAIN_RETRY = frozenset({"retry_now", "retry_later"})
AT_THE_PERSON = ("send_other_channel", "edit_phone")
MOST_OPTIONS = 10  # what a choice on Intercom's canvas may hold
CHOOSE_TEMPLATE = "Choose another template"
OTHER_NUMBER, OTHER_TEMPLATE = "Another number, typed below", "Another one, named below"
PREVIEW_LIMIT = 160  # a longer text is shown whole in a form before it goes out


def stopped(s: Situation) -> bool:
    """Whether the message's person asked not to be messaged, however that is known."""
    return s.opted_out or s.reason.id == OPTED_OUT


def _resendable(message: Message) -> bool:
    """Whether we still hold what is needed to send the same content again."""
    content = message.content
    return bool(content.text) if message.channel == "sms" else bool(content.template_id)


def offered(s: Situation) -> tuple[Fix, ...]:
    """The fixes of this message now for whoever looks, best first; disabled ones carry their why."""
    fixes = _possible(s)
    return fixes if s.rights.may_fix else _for_onlookers(s, fixes)


def _for_onlookers(s: Situation, fixes: Sequence[Fix]) -> tuple[Fix, ...]:
    """What is left to somebody who may not fix, with a way to ask for the right where one can be given."""
    theirs = FOR_STRANGERS if s.rights == LOOKING else FOR_ONLOOKERS
    kept = tuple(fix for fix in fixes if fix.id in theirs)
    ask = Fix(ASK, "one_click", "Ask to be allowed to fix")
    return (ask, *kept) if fixes and s.rights.may_ask else kept


def _possible(s: Situation) -> tuple[Fix, ...]:
    if s.message.status is Status.UNSURE:
        return _when_unsure(s)
    if s.message.status is not Status.FAILED or s.has_child or s.message.handled_at:
        return ()
    fixes = _retry(s, "retry_now") if cured(s) else []
    fixes += [fix for fix_id in _fix_ids(s) for fix in MAKERS[fix_id](s)]
    return (*fixes, *_always(s, {fix.id for fix in fixes}))


def _fix_ids(s: Situation) -> tuple[str, ...]:
    """The reason's fixes; what keeps failing for one person is cured at the person, not by another try."""
    if not s.message.keeps_failing:
        return s.reason.fixes
    rest = (fix_id for fix_id in s.reason.fixes if fix_id not in PLAIN_RETRY and fix_id not in AT_THE_PERSON)
    return (*AT_THE_PERSON, *rest)


def find(s: Situation, fix_id: str, target: int | None) -> Fix | None:
    """The offered fix of that id and channel, or None when it is not offered (any more).

    Whether a plain retry runs now or later is for this moment to say, not for the moment it was drawn.
    """
    same = PLAIN_RETRY if fix_id in PLAIN_RETRY else {fix_id}
    return next((f for f in offered(s) if f.id in same and f.target == target), None)


def _when_unsure(s: Situation) -> tuple[Fix, ...]:
    known = s.message.octopods_id is not None or s.message.channel == "whatsapp"
    check = (Fix("check_status", "one_click", "Check again"),) if known else ()
    return (*check, *_always(s, {"check_status"}))


def _always(s: Situation, present: set[str]) -> list[Fix]:
    """What every failed message offers at the end, whatever its reason."""
    fixes = []
    if "contact_support" not in present:
        fixes += _contact_support(s)
    return [*fixes, Fix("mark_handled", "one_click", "Mark as handled")]


def _gone(s: Situation, *mended: str) -> str | None:
    """Why the same message cannot go out on its own channel, or None; what a fix mends does not stand in its way."""
    channel = own_channel(s)
    if channel is None:
        return f"No {CHANNEL_NAMES[s.message.channel]} channel is connected."
    if channel.id != s.message.channel_id and s.message.channel != "sms":
        return None  # what is known of the templates is of the channel that is gone
    known = Known(now=s.now, template=s.template, listed_at=s.listed_at)
    found = of_content(s.message.channel, s.message.content, known)
    trouble = blocking(tuple(finding for finding in found if finding.id not in mended))
    return trouble.text if trouble else None


def _retry(s: Situation, fix_id: str) -> list[Fix]:
    if stopped(s) or not _resendable(s.message) or s.message.to is None:
        return []
    blocked = _gone(s)
    at = earliest(s, own_channel(s))
    label = f"Send again {at_or_on(at, s.now, s.tz)}" if at else "Send again"
    return [Fix("retry_later" if at else fix_id, "one_click", label, _channel_id(s), run_at=at, why=blocked)]


def _channel_id(s: Situation) -> int | None:
    channel = own_channel(s)
    return channel.id if channel else None


def _retry_now(s: Situation) -> list[Fix]:
    return _retry(s, "retry_now")


def _retry_later(s: Situation) -> list[Fix]:
    # The catalogue may list both; one button, with the time on it when there is one, says the same.
    return [] if "retry_now" in _fix_ids(s) else _retry(s, "retry_later")


def repair(s: Situation) -> list[phones.Candidate]:
    """The numbers this message's number could have meant, other than itself, best first."""
    found = phones.candidates(s.message.raw_to, s.region, s.contact_numbers)
    return [c for c in found if c.e164 not in just_failed(s)]


def just_failed(s: Situation) -> set[str]:
    """The number that failed: as it was written and, where its form was not the trouble, in every spelling."""
    return (
        {s.message.raw_to} if "reformat_phone" in s.reason.fixes else {s.message.raw_to, s.message.to or ""}
    )


def _reformat_phone(s: Situation) -> list[Fix]:
    if stopped(s) or not _resendable(s.message):
        return []
    sure = [c for c in repair(s) if c.certain]
    if len(sure) != 1:
        return []
    number = sure[0].e164
    return [
        Fix(
            "reformat_phone",
            "one_click",
            f"Send to {phones.pretty(number)}",
            _channel_id(s),
            why=_gone(s),
            run_at=earliest(s, own_channel(s)),
            preview=f"{s.message.raw_to} → {phones.pretty(number)}",
        )
    ]


def _edit_phone(s: Situation) -> list[Fix]:
    if stopped(s) or not _resendable(s.message):
        return []
    found = repair(s)
    value = found[0].e164 if found else (s.message.to or s.message.raw_to)
    before = s.message.raw_to or None
    fields = [_number_choice(found, value)] if len(found) > 1 else []
    fields.append(Field("phone", "Phone number", value, placeholder="+353871234567", before=before))
    fields.append(_write_back(s))
    label = "Add a number" if not s.message.raw_to else "Correct the number"
    fix = Fix("edit_phone", "form", label, _channel_id(s), "Send", tuple(fields), why=_gone(s))
    return [replace(fix, run_at=earliest(s, own_channel(s)))]


def _number_choice(found: Sequence[phones.Candidate], value: str) -> Field:
    listed = found[: MOST_OPTIONS - 1]
    options = tuple(Option(c.e164, f"{phones.pretty(c.e164)} ({c.why})") for c in listed)
    other = Option(OTHER, OTHER_NUMBER)
    return Field("choice", "Which number is meant?", value, "select", (*options, other))


def _write_back(s: Situation) -> Field:
    home = "Intercom" if s.platform == "intercom" else "HubSpot"
    options = (Option("no", "Only send"), Option("yes", f"Send, and save it on the {home} contact"))
    return Field("save", "Then", "no", "select", options)


def _send_other_channel(s: Situation) -> list[Fix]:
    if stopped(s):
        return []
    without = {s.message.channel, "vbm", *s.closed}
    fixes = [fix for channel in s.channels if channel.kind not in without for fix in _by(s, channel)]
    if fixes or s.message.channel == "sms" or "sms" in s.closed:
        return fixes
    why = "Connect an SMS channel to send this as SMS."
    return [Fix("send_other_channel", "one_click", "Send as SMS instead", why=why)]


def _instead(s: Situation, channel: ChannelState) -> str:
    """The button that sends on another channel, and when if it waits."""
    at = earliest(s, channel)
    return f"Send {_by_name(s, channel)} instead" + (f" {at_or_on(at, s.now, s.tz)}" if at else "")


def _by_name(s: Situation, channel: ChannelState) -> str:
    """The kind of the channel, or its name where there are several of its kind."""
    kind = CHANNEL_NAMES[channel.kind]
    alone = sum(other.kind == channel.kind for other in s.channels) == 1
    if alone or channel.name == kind:
        return f"by {kind}" if channel.kind == "whatsapp" else f"as {kind}"
    # A button has one line, so the kind is not said twice.
    return f"by {channel.name}" if kind.casefold() in channel.name.casefold() else f"by {kind} {channel.name}"


def _by(s: Situation, channel: ChannelState) -> list[Fix]:
    """The fix that sends this message on `channel`; WhatsApp takes templates only, SMS takes any text."""
    number = s.message.to
    if channel.kind == "whatsapp":
        return _by_whatsapp(s, channel)
    label, at = _instead(s, channel), earliest(s, channel)
    text = s.message.preview
    if text and number and len(text) <= PREVIEW_LIMIT and "{{" not in text:
        return [Fix("send_other_channel", "one_click", label, channel.id, preview=text, run_at=at)]
    parts = segments(text or "")
    field_ = Field("text", "Text", text or "", "textarea", help=parts.words if parts.count > 1 else None)
    proposed = s.message.raw_to or next(iter(s.contact_numbers), "")
    need_number = () if number else (Field("phone", "Phone number", proposed),)
    fields = (*need_number, field_)
    return [Fix("send_other_channel", "form", label, channel.id, "Send by SMS", fields, at)]


def _by_whatsapp(s: Situation, channel: ChannelState) -> list[Fix]:
    choices = choosable(s, channel.id)
    if not choices or not s.message.to:
        return []
    fields, at = _template_fields(s, choices), earliest(s, channel)
    return [Fix("send_other_channel", "form", _instead(s, channel), channel.id, "Next", fields, at)]


def choosable(s: Situation, channel_id: int | None) -> list[templates.Template]:
    """The templates that could go out on that channel; one that needs a file only where its link is known."""
    known = (t for t in s.choices.get(channel_id or 0, ()) if templates.usable(t))
    return [t for t in known if s.message.content.header_url or not t.needs_media]


def _template_fields(s: Situation, choices: Sequence[templates.Template]) -> tuple[Field, ...]:
    """A choice of templates, most alike first; where there are too many to list, one may be named."""
    wanted = len(templates.placeholders(s.template)) if s.template else 0
    order = _language_order(s)
    ranked = sorted(
        choices,
        key=lambda t: (order(t.language), abs(len(templates.placeholders(t)) - wanted), t.name),
    )
    several = len({t.language for t in ranked}) > 1
    options = tuple(Option(t.id, _named(t, several)) for t in ranked)
    if len(options) <= MOST_OPTIONS:
        return (Field("template", "Template", options[0].value, "select", options),)
    listed = (*options[: MOST_OPTIONS - 1], Option(OTHER, OTHER_TEMPLATE))
    named = Field(
        "template_name", "Name of another template", help=f"{len(options)} approved templates are known."
    )
    return (Field("template", "Template", listed[0].value, "select", listed), named)


def _language_order(s: Situation) -> Callable[[str | None], int]:
    """Where a language stands: that of the failed template first, then as the workspace prefers them."""
    own = (s.template.language,) if s.template and s.template.language else ()
    preferred = tuple(dict.fromkeys((*own, *s.languages)))
    places = {language: place for place, language in enumerate(preferred)}
    return lambda language: places.get(language or "", len(places))


def _named(template: templates.Template, several_languages: bool) -> str:
    """The template's name and how its text begins: the name alone tells an agent little."""
    name = template.name or f"Template {template.id}"
    if several_languages and template.language:
        name = f"{name} ({template.language})"
    return f"{name}: {shorten(template.body, 60, placeholder='…')}" if template.body.strip() else name


def _takes_no_template(s: Situation) -> bool:
    return stopped(s) or s.message.to is None or s.message.channel == "sms"


def _choose_template(s: Situation) -> list[Fix]:
    if _takes_no_template(s):
        return []
    others = [t for t in choosable(s, _channel_id(s)) if t.id != s.message.content.template_id]
    if not others:
        none = "No other approved template is known on this channel."
        return [Fix("choose_template", "form", CHOOSE_TEMPLATE, _channel_id(s), why=none)]
    fields, at = _template_fields(s, others), earliest(s, own_channel(s))
    why = _gone(s, "template", "variables", "header_media")
    return [Fix("choose_template", "form", CHOOSE_TEMPLATE, _channel_id(s), "Next", fields, at, why)]


def variable_fields(template: templates.Template, given: object) -> tuple[Field, ...]:
    """One field per placeholder of the template, filled with what was sent, empty where nothing was."""
    sections = templates.as_sections(given, template)
    fields = []
    for place in templates.placeholders(template):
        values = sections.get(place.section, [])
        value = values[place.index] if place.index < len(values) else ""
        around = None if place.index else templates.words_of(template, place.section)
        fields.append(Field(f"var_{place.section}_{place.index}", place.label, value, help=around))
    return tuple(fields)


def _supply_variables(s: Situation) -> list[Fix]:
    if _takes_no_template(s):
        return []
    if s.template is None:
        unlisted = "The template is not known here yet, so its placeholders cannot be listed."
        return [Fix("supply_variables", "form", "Fill in the values", _channel_id(s), why=unlisted)]
    link = (_link_field(s),) if s.template.needs_media and not s.message.content.header_url else ()
    fields = (*link, *variable_fields(s.template, s.message.content.variables))
    at, why = earliest(s, own_channel(s)), _gone(s, "variables", "header_media")
    return [Fix("supply_variables", "form", "Fill in the values", _channel_id(s), "Send", fields, at, why)]


def _link_field(s: Situation) -> Field:
    value = s.message.content.header_url or ""
    return Field("url", "Link to the file", value, placeholder="https://", before=value or None)


def _replace_media_url(s: Situation) -> list[Fix]:
    if stopped(s) or s.message.to is None or not s.message.content.template_id:
        return []
    fields: tuple[Field, ...] = (_link_field(s),)
    at, why = earliest(s, own_channel(s)), _gone(s, "header_media")
    if why and s.template and not _gone(s, "header_media", "variables"):
        # Values are missing as well: the same form asks for them.
        fields, why = (*fields, *variable_fields(s.template, s.message.content.variables)), None
    return [
        Fix("replace_media_url", "form", "Replace the file link", _channel_id(s), "Send", fields, at, why)
    ]


def _edit_text(s: Situation) -> list[Fix]:
    if stopped(s) or s.message.to is None or s.message.channel != "sms":
        return []
    text = s.message.content.text or ""
    field_ = Field("text", "Text", text, "textarea", before=text or None)
    at, why = earliest(s, own_channel(s)), _gone(s, "text")
    return [Fix("edit_text", "form", "Change the text", _channel_id(s), "Send", (field_,), at, why)]


def _open_settings(s: Situation) -> list[Fix]:
    return (
        [Fix("open_settings", "link", "Open Octopods settings", url=s.settings_url)] if s.settings_url else []
    )


def _ask_admin(s: Situation) -> list[Fix]:
    return [Fix("ask_admin", "one_click", "Ask an admin")] if s.can_ask_admin else []


def _contact_support(s: Situation) -> list[Fix]:
    return [Fix("contact_support", "copy", "Copy for support")]


def _check_status(s: Situation) -> list[Fix]:
    return []  # only for an unsure outcome, see _when_unsure: failed is final, asking again changes nothing


def _mark_handled(s: Situation) -> list[Fix]:
    return []  # offered last for every failed message, see _always


MAKERS: dict[str, Callable[[Situation], list[Fix]]] = {
    "retry_now": _retry_now,
    "retry_later": _retry_later,
    "reformat_phone": _reformat_phone,
    "edit_phone": _edit_phone,
    "send_other_channel": _send_other_channel,
    "choose_template": _choose_template,
    "supply_variables": _supply_variables,
    "replace_media_url": _replace_media_url,
    "edit_text": _edit_text,
    "open_settings": _open_settings,
    "ask_admin": _ask_admin,
    "contact_support": _contact_support,
    "check_status": _check_status,
    "mark_handled": _mark_handled,
}
