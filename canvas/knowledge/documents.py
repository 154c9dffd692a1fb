"""Evidence and diagnosis as JSON: the same document for the command, the API and the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canvas.knowledge.evidence import from_failure_reason
from canvas.knowledge.model import Diagnosis, Evidence


def evidence_from(document: Mapping[str, Any]) -> Evidence:
    """Evidence from `{"text", "channel"?, "provider"?, "code"?, "http_status"?}`; what has a wrong type is left out.

    `text` may be a `failure_reason` in either of Octopods' shapes; what is told beside it goes before it.
    """
    status, said = document.get("http_status"), document.get("text")
    channel = _word(document.get("channel"))
    read = from_failure_reason(said if isinstance(said, str | Mapping) else None, channel) or Evidence()
    return Evidence(
        text=read.text,
        channel=channel,
        provider=_word(document.get("provider")) or read.provider,
        code=_word(document.get("code")) or read.code,
        http_status=status if isinstance(status, int) and not isinstance(status, bool) else None,
    )


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip()[:64] or None


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON."""
    return {
        "reason": diagnosis.reason,
        "category": diagnosis.category,
        "retry": diagnosis.retry,
        "confidence": diagnosis.confidence,
        "candidates": [candidate._asdict() for candidate in diagnosis.candidates],
        "fixes": list(diagnosis.fixes),
        "matched": diagnosis.matched,
    }
