"""Which fix first: the catalogue's order, unless this install has seen clearly that another works better.

A fix that sends may pass another one only when both were tried often enough here and the cautious estimate of
the one (the lower end of its 95 % interval) still beats the plain rate of the other. Fixes that do not send
keep their places, and nothing is reordered where the catalogue says never, or that an admin must act first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

from canvas.domain.fix import SENDING
from canvas.knowledge.model import Reason

TRIALS = 20  # of a fix for a reason, before its success says anything
Z = 1.96
Scores = Mapping[str, Mapping[str, Sequence[int]]]  # {reason: {fix: [tried, arrived]}}


def ranked(reason: Reason, scores: Scores | None) -> Reason:
    """The reason with its fixes in the order that works here."""
    tried = (scores or {}).get(reason.id)
    if not tried or reason.retry in ("never", "settings"):
        return reason
    return replace(reason, fixes=tuple(_order(reason.fixes, tried)))


def _order(fixes: Sequence[str], tried: Mapping[str, Sequence[int]]) -> list[str]:
    places = [i for i, fix in enumerate(fixes) if fix in SENDING and tried.get(fix, [0])[0] >= TRIALS]
    known = [fixes[i] for i in places]
    # Insertion sort with "clearly better": what is not clearly better stays behind, as the catalogue has it.
    for i in range(1, len(known)):
        j = i
        while j and _clearly_better(tried[known[j]], tried[known[j - 1]]):
            known[j], known[j - 1] = known[j - 1], known[j]
            j -= 1
    found = list(fixes)
    for place, fix in zip(places, known, strict=True):
        found[place] = fix
    return found


def _clearly_better(one: Sequence[int], other: Sequence[int]) -> bool:
    return lower_bound(one[1], one[0]) > other[1] / other[0]


def lower_bound(worked: int, tried: int) -> float:
    """The lower end of the 95 % Wilson score interval of a rate (Wilson, 1927)."""
    if tried == 0:
        return 0.0
    rate, z2 = worked / tried, Z * Z
    middle = rate + z2 / (2 * tried)
    spread = Z * sqrt(rate * (1 - rate) / tried + z2 / (4 * tried * tried))
    return (middle - spread) / (1 + z2 / tried)
