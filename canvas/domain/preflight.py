"""Would this send fail? What can be said before it leaves, each finding with how sure it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from canvas.domain import phones, templates
from canvas.domain.dates import at_soon, day, soon
from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.message import ARRIVED, Content, Message, Status
from canvas.domain.segments import MOST_CHARACTERS, segments
from canvas.domain.templates import Template

Level = Literal["certain", "likely", "cannot_know"]
Verdict = Literal["would_fail", "at_risk", "no_trouble_found"]
# Octopods lists what an admin changes there at once; a copy older than this may be behind.
FRESH = timedelta(minutes=15)
SAME_WITHIN = timedelta(minutes=10)  # two same messages this close are hardly meant


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `ok` is False only where trouble was found; `fix` is a fix id that would help."""

    id: str
    level: Level
    ok: bool
    text: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """The send that is asked about. `region` reads a number without its country code."""

    channel: str
    raw_to: str
    content: Content
    region: str


@dataclass(frozen=True, slots=True)
class Link:
    """What a look behind the header link brought: `ok`, `refused` for certain, or `cannot_know`."""

    outcome: Literal["ok", "refused", "cannot_know"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known around it. `listed_at` is when this channel's templates were last copied, if ever.

    `last` is the newest message to this number on this channel whose outcome is known; `twin` one with the
    same content to the same number a moment ago, or since the message that a fix is for, and `twin_due` when
    that leaves; `link` is None when nothing was to be looked behind.
    """

    now: datetime
    tz: str | None = None
    template: Template | None = None
    listed_at: datetime | None = None
    opted_out: bool = False
    blocked_until: datetime | None = None
    last: Message | None = None
    last_reason: str = ""
    twin: Message | None = None
    twin_due: datetime | None = None
    link: Link | None = None


def preflight(planned: Planned, known: Known) -> tuple[Finding, ...]:
    """Everything that can be said before sending, in reading order."""
    return tuple(_findings(planned, known))


def verdict(findings: tuple[Finding, ...]) -> Verdict:
    """The worst of them; what cannot be known blocks nothing."""
    levels = {finding.level for finding in findings if not finding.ok}
    if "certain" in levels:
        return "would_fail"
    return "at_risk" if "likely" in levels else "no_trouble_found"


def blocking(findings: tuple[Finding, ...]) -> Finding | None:
    """What a fix must not send over: the first certain trouble, or that the same message has gone out since.

    A blocked key is none: it only makes the send wait.
    """
    return next((f for f in findings if not f.ok and _stands_in_the_way(f)), None)


def _stands_in_the_way(finding: Finding) -> bool:
    return finding.id == "duplicate" or (finding.level == "certain" and finding.id != "key")


def _findings(p: Planned, k: Known) -> Iterator[Finding]:
    number = phones.normalise(p.raw_to, p.region)
    yield _number(p, number)
    if number:
        yield _region(number)
        yield _line_kind(p, number)
        yield _recipient(p, k)
    yield _opt_out(k)
    yield from of_content(p.channel, p.content, k)
    yield _key(k)
    yield duplicate(k)


def of_content(channel: str, content: Content, k: Known) -> Iterator[Finding]:
    """What can be said of the words alone, whoever they go to."""
    return _text(content) if channel == "sms" else _template(content, k)


def _number(p: Planned, number: str | None) -> Finding:
    if not p.raw_to.strip():
        return Finding("number", "certain", False, "There is no phone number to send to.", "edit_phone")
    if number is None:
        words = f"{p.raw_to} is not a full phone number. It must be +, country code, number."
        return Finding("number", "certain", False, words, "edit_phone")
    if number != p.raw_to:
        words = f"Octopods takes {number}, not {p.raw_to}: +, country code, number, nothing between."
        return Finding("number", "certain", False, words, "reformat_phone")
    return Finding("number", "certain", True, f"{phones.pretty(number)} is a full phone number.")


def _region(number: str) -> Finding:
    where = phones.country(number)
    said = f"The number is of {where}. " if where else ""
    return Finding(
        "region", "cannot_know", True, f"{said}Whether the channel may send there is not known here."
    )


def _line_kind(p: Planned, number: str) -> Finding:
    kind = phones.line_kind(number)
    if kind == "fixed":
        words = f"By its digits this is a landline, which hardly ever takes {CHANNEL_NAMES[p.channel]}."
        return Finding("line_kind", "likely", False, words, "edit_phone")
    if kind == "mobile":
        return Finding("line_kind", "likely", True, "By its digits this is a mobile number.")
    return Finding(
        "line_kind", "cannot_know", True, "Its digits do not tell a mobile number from a landline."
    )


def _recipient(p: Planned, k: Known) -> Finding:
    name = CHANNEL_NAMES[p.channel]
    if k.last is None:
        words = f"Whether this person can be reached by {name} cannot be known before sending."
        return Finding("recipient", "cannot_know", True, words)
    on = day(k.last.updated_at, k.tz)
    if k.last.status in ARRIVED:
        return Finding("recipient", "likely", True, f"A {name} message reached this number on {on}.")
    fix = next(iter(k.last.diagnosis.fixes), None) if k.last.diagnosis else None
    words = f"The last {name} message to this number failed on {on}: {k.last_reason}."
    return Finding("recipient", "likely", False, words, fix)


def _opt_out(k: Known) -> Finding:
    if k.opted_out:
        return Finding("opt_out", "certain", False, "This person asked not to be messaged.")
    return Finding("opt_out", "cannot_know", True, "No request to stop from this number is known here.")


def _key(k: Known) -> Finding:
    if k.blocked_until and k.blocked_until > k.now:
        words = f"Octopods has blocked this key until {soon(k.blocked_until, k.now, k.tz)}."
        return Finding("key", "certain", False, words, "retry_later")
    return Finding("key", "likely", True, "The key is not blocked, as far as is known here.")


def duplicate(k: Known) -> Finding:
    """Whether the same message has gone to this number, or is about to."""
    if k.twin:
        return Finding("duplicate", "likely", False, f"The same message {_gone(k.twin, k)}.")
    return Finding("duplicate", "certain", True, "The same message did not go out through here just now.")


def _gone(twin: Message, k: Known) -> str:
    """How far the same message has come; "went" is said only of what has left for certain."""
    if twin.status is Status.QUEUED:
        later = k.twin_due if k.twin_due and k.twin_due > k.now else None
        return "is queued for this number" + (f" and goes {at_soon(later, k.now, k.tz)}" if later else "")
    at = at_soon(twin.created_at, k.now, k.tz)
    if twin.status in (Status.SENDING, Status.UNSURE):
        return f"may have gone to this number {at}"
    return f"went to this number {at}"


def _text(content: Content) -> Iterator[Finding]:
    text = content.text or ""
    if not text.strip():
        yield Finding("text", "certain", False, "The text is blank.", "edit_text")
    elif len(text) > MOST_CHARACTERS:
        words = f"The text has {len(text)} characters; an SMS takes {MOST_CHARACTERS}."
        yield Finding("text", "certain", False, words, "edit_text")
    elif "{{" in text:
        words = "The text shows a placeholder in braces, as the person would read it."
        yield Finding("text", "likely", False, words, "edit_text")
    else:
        yield Finding("text", "certain", True, f"The text fits: {segments(text).words}.")


def _template(content: Content, k: Known) -> Iterator[Finding]:
    yield _template_itself(k)
    yield Finding("window", "certain", True, "A template may be sent at any time; no open window is needed.")
    if k.template is None:
        yield Finding(
            "variables", "cannot_know", True, "Without the template its placeholders are not known."
        )
        if k.link and k.link.outcome == "refused":
            yield Finding("header_media", "certain", False, k.link.why, "replace_media_url")
        return
    yield _variables(k.template, content)
    yield from _header_media(k.template, content, k)


def _template_itself(k: Known) -> Finding:
    if k.listed_at is None:
        return Finding(
            "template", "cannot_know", True, "The templates of this channel are not listed here yet."
        )
    sure: Level = "certain" if k.now - k.listed_at <= FRESH else "likely"
    if k.template is None:
        words = "Octopods lists no template with this id for this key."
        return Finding("template", sure, False, words, "choose_template")
    if templates.usable(k.template):
        return Finding("template", sure, True, f"Template {k.template.name or k.template.id} is accepted.")
    state = "switched off" if k.template.active is False else (k.template.status or "not accepted").lower()
    words = f"Template {k.template.name or k.template.id} cannot be sent: it is {state}."
    return Finding("template", sure, False, words, "choose_template")


def _variables(template: Template, content: Content) -> Finding:
    def trouble(words: str) -> Finding:
        return Finding("variables", "certain", False, words, "supply_variables")

    outside = any(place.section != "body" for place in templates.placeholders(template))
    if isinstance(content.variables, list) and outside:
        return trouble(
            "This template has placeholders outside its text, so its values must be given by section."
        )
    values = templates.as_sections(content.variables, template)
    if empty := templates.missing(template, values):
        places = ", ".join(place.label for place in empty[:5])
        return trouble(f"No value for {places}. A blank one would arrive as it stands, in braces.")
    if over := templates.surplus(template, values):
        return trouble(f"{over} {'value has' if over == 1 else 'values have'} no place in this template.")
    count = len(templates.placeholders(template))
    return Finding("variables", "certain", True, f"{count} of {count} placeholders have a value.")


def _header_media(template: Template, content: Content, k: Known) -> Iterator[Finding]:
    if not template.needs_media:
        return
    if not content.header_url:
        words = f"This template needs a link to {template.header_format.lower()} for its header."
        yield Finding("header_media", "certain", False, words, "replace_media_url")
    elif k.link is None or k.link.outcome == "cannot_know":
        words = k.link.why if k.link else "The file behind the link was not looked at."
        yield Finding("header_media", "cannot_know", True, words)
    elif k.link.outcome == "refused":
        yield Finding("header_media", "certain", False, k.link.why, "replace_media_url")
    else:
        yield Finding("header_media", "certain", True, "The header file can be fetched and fits.")


def same_content(one: Content, other: Content) -> bool:
    """Whether two messages say the same, whatever shape their values came in."""
    if (one.text or "").strip() != (other.text or "").strip() or one.template_id != other.template_id:
        return False
    if one.header_url != other.header_url:
        return False
    return templates.as_sections(one.variables) == templates.as_sections(other.variables)


def outcome_known(message: Message) -> bool:
    """Whether this message tells something about the person: it arrived, or failed because of them."""
    failed = message.status is Status.FAILED and message.diagnosis is not None
    return message.status in ARRIVED or (
        failed and message.diagnosis is not None and message.diagnosis.category == "recipient"
    )
