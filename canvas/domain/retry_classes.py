"""The automatic retry by class: which passing reasons an admin switches together, and how long each waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryClass:
    """Reasons that pass in the same way. `setting` holds the minutes to wait before the retry; 0 is never."""

    setting: str
    label: str
    help: str
    reasons: frozenset[str]


CLASSES = (
    RetryClass(
        "auto_trouble",
        "When the provider or the phone network has trouble",
        "An outage, an error it does not explain, or a network that refused the message.",
        frozenset({"provider_outage", "provider_unknown_error", "carrier_rejected"}),
    ),
    RetryClass(
        "auto_reach",
        "When the phone is off or out of reach",
        "Nobody could be reached before the message expired.",
        frozenset({"handset_unreachable", "message_expired"}),
    ),
    RetryClass(
        "auto_limit",
        "When a sending limit was reached",
        "Too many at once, to one person or in a day, or outside permitted hours. Never before the limit allows it.",
        frozenset(
            {
                "rate_limited_api",
                "rate_limited_provider",
                "pair_rate_limited",
                "daily_limit_reached",
                "sending_time_restricted",
            }
        ),
    ),
)
MINUTES = {"0": "Never", "15": "After 15 minutes", "60": "After an hour", "240": "After 4 hours"}
MINUTES |= {"1440": "After a day"}


def class_of(reason: str) -> RetryClass | None:
    """The class of a reason; None for one that is never sent again by itself."""
    return next((each for each in CLASSES if reason in each.reasons), None)
