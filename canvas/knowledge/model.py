"""The vocabulary of knowing: what came back, what it means, and how sure we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Category = Literal["recipient", "channel", "template", "provider", "unknown"]
Retry = Literal["transient", "after_fix", "settings", "never", "unknown"]
Curer = Literal["agent", "admin", "recipient", "provider"]
Channel = Literal["whatsapp", "sms", "vbm"]

UNKNOWN = "unknown"
OPTED_OUT = "recipient_opted_out"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came back about one failed message, verbatim.

    `text` is the raw reason: a sentence, a body, or a log line. `code` is the provider's own code as text,
    only when it was given apart from the text. A code is never looked up without knowing whose it is.
    """

    text: str = ""
    channel: str | None = None
    provider: str | None = None
    code: str | None = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the catalogue: why such things happen, who can cure it, and what to do.

    `fixes` are fix ids, best first (contracts: the one-click actions of the help article's causes).
    `title` fits a card's header; `meaning`, `cure` and `again` are one plain sentence each. `tell` is a cheap way to
    tell this reason from those it is easily taken for, "" where there is none. `only_on` are the channels on which it
    can happen; none means all.
    """

    id: str
    title: str
    meaning: str
    cure: str
    again: str
    who: Curer
    category: Category
    retry: Retry
    fixes: tuple[str, ...]
    wait_seconds: int
    source: str
    customer_words: str
    examples: tuple[Evidence, ...] = ()
    tell: str = ""
    only_on: tuple[str, ...] = ()


class Candidate(NamedTuple):
    """One possible reason, with the part of the evidence that speaks for it and how to tell it apart."""

    reason: str
    confidence: float
    matched: str
    test: str = ""


class Diagnosis(NamedTuple):
    """A message's evidence joined to its reason, or to several candidates, or to `unknown`.

    `confidence` is between 0 and 1 and calibrated. `matched` is the piece of the evidence that decided,
    verbatim, or "" for unknown. `candidates` is best first and holds the reason itself when it is known.
    """

    reason: str
    category: Category
    retry: Retry
    confidence: float
    matched: str
    candidates: tuple[Candidate, ...] = ()
    fixes: tuple[str, ...] = ()
    provider: str | None = None
    code: str | None = None
