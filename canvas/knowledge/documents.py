"""Evidence and diagnosis as JSON: the same document for the command, the API and the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from canvas.knowledge.model import Diagnosis, Evidence


def evidence_from(document: Mapping[str, Any]) -> Evidence:
    """Evidence from `{"text", "channel"?, "provider"?, "code"?, "http_status"?}`; what has a wrong type is left out."""
    status = document.get("http_status")
    return Evidence(
        text=document["text"] if isinstance(document.get("text"), str) else "",
        channel=_word(document.get("channel")),
        provider=_word(document.get("provider")),
        code=_word(document.get("code")),
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
        "candidates": [asdict(candidate) for candidate in diagnosis.candidates],
        "fixes": list(diagnosis.fixes),
        "matched": diagnosis.matched,
    }
