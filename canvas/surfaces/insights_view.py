"""From day tallies to what the insights page shows. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from canvas.domain.dates import MONTHS
from canvas.domain.fix import SENDING
from canvas.knowledge.model import Reason
from canvas.store.insights import Sum
from canvas.surfaces.charts import Bar, Mark, columns

# Of all messages of a day: above the first it is worth a look, above the second something is broken.
WORTH_A_LOOK, BROKEN = 0.03, 0.30
FEW = 20  # messages below which a rate says little
FIX_NAMES = {
    "retry_now": "Send again",
    "retry_later": "Send again, later",
    "reformat_phone": "Correct how the number is written",
    "edit_phone": "Correct the number",
    "send_other_channel": "Send on another channel",
    "choose_template": "Choose another template",
    "supply_variables": "Fill in the values",
    "replace_media_url": "Replace the file link",
    "edit_text": "Change the text",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what, how many, and the share, which may stand out."""

    id: str
    name: str
    failed: int
    total: int
    rate: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class FixRow:
    """What one fix achieved for one reason."""

    reason_id: str
    reason: str
    fix: str
    tried: int
    arrived: int
    rate: str


def percent(part: int, whole: int) -> str:
    """A share as people read it; nothing where there is nothing to share."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def level(failed: int, total: int) -> str:
    """How a failure rate stands to the two thresholds: "", "warning" or "danger"."""
    if total < FEW or failed / total <= WORTH_A_LOOK:
        return ""
    return "danger" if failed / total > BROKEN else "warning"


def days(first: date, last: date, found: Sequence[Sum]) -> list[tuple[date, int, int]]:
    """(day, messages, failed) for every day of the range, also those without messages."""
    by_day = {s.label: s for s in found}
    span = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    sums = ((day, by_day.get(day.isoformat())) for day in span)
    return [(day, s.total if s else 0, s.failed if s else 0) for day, s in sums]


def day_name(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}"


def rate_chart(found: Sequence[tuple[date, int, int]]) -> Markup:
    """The share of failed messages, day by day, with the two thresholds."""
    bars = [
        Bar(
            day_name(day),
            100 * failed / total if total else 0,
            f"{day_name(day)}: {failed} of {total} failed, {percent(failed, total)}",
        )
        for day, total, failed in found
    ]
    marks = (Mark(100 * WORTH_A_LOOK, "3 %: worth a look"), Mark(100 * BROKEN, "30 %: something is broken"))
    return columns("Share of messages that failed, day by day", bars, marks, " %")


def rows(found: Sequence[Sum], names: Mapping[str, str], *, nothing: str) -> list[Row]:
    """The sums with most failures first; `nothing` names those without a label."""
    told = [
        Row(
            s.label,
            names.get(s.label, s.label) or nothing,
            s.failed,
            s.total,
            percent(s.failed, s.total),
            level(s.failed, s.total),
        )
        for s in found
    ]
    return sorted(told, key=lambda row: (-row.failed, row.name))


def fix_rows(found: Sequence[tuple[str, str, int, int]], reasons: Mapping[str, Reason]) -> list[FixRow]:
    """Which fix works for which reason, the reasons with most trials first, their best fix first."""
    trials: dict[str, int] = {}
    for reason, _, tried, _ in found:
        trials[reason] = trials.get(reason, 0) + tried
    told = [
        FixRow(
            reason,
            reasons[reason].title if reason in reasons else reason,
            FIX_NAMES.get(fix, fix),
            tried,
            arrived,
            percent(arrived, tried),
        )
        for reason, fix, tried, arrived in found
        if fix in SENDING and tried
    ]
    return sorted(told, key=lambda r: (-trials[r.reason_id], r.reason_id, -r.arrived / r.tried))


def add_up(found: Sequence[Sum]) -> Sum:
    """Everything together."""
    return Sum(
        "",
        sum(s.total for s in found),
        sum(s.failed for s in found),
        sum(s.first_failed for s in found),
        sum(s.arrived for s in found),
        sum(s.segments for s in found),
    )
