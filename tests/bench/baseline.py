"""The same sample against the error table of an existing library, pywa (WhatsApp Cloud API).

pywa knows an error by its number. It is credited generously: any number in the text that pywa has a class for counts as
found, and counts as right when that documented number stands for a reason that is right. Everything else is unknown.
"""

from __future__ import annotations

import re

from pywa.errors import WhatsAppError

from canvas.knowledge.catalogue import load
from canvas.knowledge.model import UNKNOWN
from tests.bench.accuracy import Judged, judged, lines
from tests.bench.rows import Row

NUMBER = re.compile(r"\d{1,7}")


def codes_of(error: type[WhatsAppError]) -> set[int]:
    """Every number pywa has a class for, from a class downwards."""
    own = set(error.__error_codes__ or ())
    return own.union(*(codes_of(child) for child in error.__subclasses__()))


def reason_by_pywa(text: str, known: set[int]) -> str:
    """The reason behind the first number in the text that pywa knows."""
    for match in NUMBER.finditer(text):
        if int(match.group()) in known:
            documented = load().codes.look_up("meta", match.group(), "whatsapp")
            if documented:
                return documented[0].cause
    return UNKNOWN


def right(answers: list[Judged]) -> int:
    """How many lines pywa's table gets right."""
    known = codes_of(WhatsAppError)
    return sum(reason_by_pywa(one.evidence.text, known) in one.right for one in answers)


def rows() -> list[Row]:
    """Our figure beside pywa's, on all of the sample and on its WhatsApp lines."""
    answers = judged(lines("reasons_sample.jsonl"))
    whatsapp = [one for one in answers if one.evidence.channel == "whatsapp"]
    found = []
    for name, some in (("sample", answers), ("its WhatsApp lines", whatsapp)):
        ours, theirs = sum(one.is_right for one in some), right(some)
        figure = f"{ours / len(some):.1%} to {theirs / len(some):.1%}"
        found.append(Row(f"right reason beside pywa, {name}", figure, "more", ours > theirs))
    return found
