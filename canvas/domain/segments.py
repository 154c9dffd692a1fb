"""How many parts an SMS is cut into, so that its cost can be told before it is sent.

Sources: 3GPP TS 23.038, section 6.2.1 (the GSM 7-bit default alphabet and its extension table); TS 23.040,
section 9.2.3.24.1 (the header of concatenated messages, which leaves 153 septets or 67 UCS-2 units a part).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")  # each costs two septets: an escape and the character
MOST_CHARACTERS = 1600  # of one SMS: Octopods, "Sending SMS via API"
GSM_SINGLE, GSM_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Segments:
    """`count` parts (each is billed), `units` of the encoding used, and how many more fit the last part.

    `unusual` holds the characters that force UCS-2 and so more than halve what fits, each once, in order.
    """

    count: int
    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    left: int
    unusual: str = ""

    @property
    def words(self) -> str:
        return "1 SMS part" if self.count == 1 else f"{self.count} SMS parts"


def segments(text: str) -> Segments:
    """The parts of `text`; an empty text is one part, as it would be billed."""
    unusual = "".join(dict.fromkeys(c for c in text if c not in GSM and c not in GSM_EXTENSION))
    if unusual:
        costs = [2 if ord(c) > 0xFFFF else 1 for c in text]
        count, left = _pack(costs, UCS2_SINGLE, UCS2_PART)
        return Segments(count, "UCS-2", sum(costs), left, unusual)
    costs = [2 if c in GSM_EXTENSION else 1 for c in text]
    count, left = _pack(costs, GSM_SINGLE, GSM_PART)
    return Segments(count, "GSM-7", sum(costs), left)


def _pack(costs: list[int], single: int, part: int) -> tuple[int, int]:
    """Parts needed and units left in the last one. A character of two units is never cut in half."""
    if sum(costs) <= single:
        return 1, single - sum(costs)
    return _fill(costs, part)


def _fill(costs: Iterable[int], part: int) -> tuple[int, int]:
    count, left = 1, part
    for cost in costs:
        if cost > left:
            count, left = count + 1, part
        left -= cost
    return count, left
