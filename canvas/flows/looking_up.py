"""Explaining a failure text that belongs to no message: pasted by an agent, or asked for through the API."""

from __future__ import annotations

from canvas.domain.wording import plausible, who_can_fix
from canvas.flows.context import Flow
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import UNKNOWN, Evidence


def explain(flow: Flow, text: str) -> tuple[tuple[str, str], ...]:
    """The four lines for a pasted text; what is not known is said to be not known."""
    diagnosis = diagnose(Evidence(text=text))
    reason = flow.catalogue.reasons[diagnosis.reason]
    if reason.id == UNKNOWN and plausible(diagnosis):
        known = [flow.catalogue.reasons[c.reason] for c in plausible(diagnosis)]
        return tuple((f"It could be: {r.title}", r.meaning) for r in known[:4])
    return (
        (reason.title, reason.meaning),
        ("Who can fix it", who_can_fix(reason)),
        ("Will sending again help?", reason.again),
        ("What to do now", reason.cure),
    )
