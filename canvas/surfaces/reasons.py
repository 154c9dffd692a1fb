"""The public pages of the catalogue: every reason, found by words, by code, or by pasting what a failure said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Blueprint, abort, render_template, request

from canvas.domain.fix import CHANNEL_NAMES
from canvas.domain.wording import GUESSED, is_guess, plausible, who_can_fix
from canvas.knowledge.catalogue import Catalogue
from canvas.knowledge.codes_table import CodeRow
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import UNKNOWN, Diagnosis, Evidence, Reason
from canvas.surfaces.guard import open_to_all
from canvas.surfaces.services import services

blueprint = Blueprint("reasons", __name__)
MAX_SEARCH = 2000

CATEGORIES = {
    "recipient": "The person and their number",
    "channel": "The channel and the account",
    "template": "The template and the content",
    "provider": "The provider and the network",
    "unknown": "Not known",
}
RETRY = {
    "transient": "May work later, unchanged",
    "after_fix": "Works after a change",
    "settings": "Works after an admin's change",
    "never": "Do not send it again",
    "unknown": "Not known",
}


@blueprint.get("/reasons")
@open_to_all
def index() -> str:
    """All reasons by category; with `q`, those that fit, and what a pasted failure text means."""
    asked = request.args.get("q", "").strip()[:MAX_SEARCH]
    catalogue = services().flow.catalogue
    found = diagnose(Evidence(text=asked)) if asked else None
    diagnosed = _diagnosed(catalogue, found)
    shown = search(catalogue, asked) if asked else list(catalogue.reasons.values())
    return render_template(
        "reasons/index.html",
        asked=asked,
        diagnosed=diagnosed,
        reading=_reading(found, len(diagnosed)) if found else "",
        groups=_grouped(shown),
        retry=RETRY,
    )


def _diagnosed(catalogue: Catalogue, found: Diagnosis | None) -> list[Reason]:
    """The reasons a pasted text may have, best first; none when it says nothing."""
    if found is None:
        return []
    names = [found.reason, *(c.reason for c in plausible(found))]
    return [catalogue.reasons[name] for name in dict.fromkeys(names) if name != UNKNOWN][:3]


def _reading(found: Diagnosis, several: int) -> str:
    """How sure it is that the reasons below are what the text means, as the card says it."""
    if found.reason == UNKNOWN:
        return "It is not known what this text means. It could be:"
    if is_guess(found):
        return GUESSED
    return "This text means" if several == 1 else "This text could mean"


def search(catalogue: Catalogue, asked: str) -> list[Reason]:
    """The reasons whose own words, id or codes hold every word that was asked for."""
    words = asked.lower().split()
    codes: dict[str, set[str]] = defaultdict(set)
    for row in catalogue.codes.rows:
        if row.code:
            codes[row.cause].add(row.code.lower())
    return [r for r in catalogue.reasons.values() if all(_holds(r, codes[r.id], word) for word in words)]


def _holds(reason: Reason, codes: set[str], word: str) -> bool:
    return word in codes or any(
        word in text.lower() for text in (reason.id, reason.title, reason.meaning, reason.cure)
    )


def _grouped(reasons: Iterable[Reason]) -> list[tuple[str, list[Reason]]]:
    groups: dict[str, list[Reason]] = defaultdict(list)
    for reason in reasons:
        groups[reason.category].append(reason)
    return [(words, groups[name]) for name, words in CATEGORIES.items() if groups[name]]


@blueprint.get("/reasons/<reason_id>")
@open_to_all
def one(reason_id: str) -> str:
    """One reason: the four lines, real examples, the providers' codes, sources, and words for the customer."""
    catalogue = services().flow.catalogue
    reason = catalogue.reasons.get(reason_id)
    if reason is None:
        abort(404)
    rows = [row for row in catalogue.codes.rows if row.cause == reason_id]
    return render_template(
        "reasons/one.html",
        reason=reason,
        lines=[
            ("What happened", reason.meaning),
            ("Who can fix it", who_can_fix(reason)),
            ("Will sending again help?", reason.again),
            ("What to do now", reason.cure),
        ],
        category=CATEGORIES[reason.category],
        retry=RETRY[reason.retry],
        codes=_by_provider(rows),
        channels=CHANNELS,
        sources=_sources(reason, rows),
    )


CHANNELS = {**CHANNEL_NAMES, "viber": "Viber", "rcs": "RCS", "any": "Any"}
PROVIDERS = {
    "360dialog": "360dialog",
    "8x8": "8x8",
    "aws_sns": "AWS SNS",
    "ringcentral": "RingCentral",
    "smpp": "SMPP",
}
"""Providers whose names are not plain words with capital letters."""


def _by_provider(rows: Iterable[CodeRow]) -> list[tuple[str, list[CodeRow]]]:
    found: dict[str, list[CodeRow]] = defaultdict(list)
    for row in rows:
        found[row.provider].append(row)
    named = ((PROVIDERS.get(name) or name.replace("_", " ").title(), codes) for name, codes in found.items())
    return sorted(named, key=lambda one: one[0].casefold())


def _sources(reason: Reason, rows: Iterable[CodeRow]) -> list[tuple[str, str]]:
    """Where this is from, as (host, address), each page once. Only web addresses become links."""
    addresses = dict.fromkeys([reason.source, *(row.source for row in rows)])
    return [(urlsplit(a).hostname or a, a) for a in addresses if a.startswith(("https://", "http://"))]
