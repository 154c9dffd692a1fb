"""Could the provider fetch this header file? Looks before a message is sent, and says how sure it is."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin

from canvas.clients.errors import BrokenAnswer, CallFailed, Refused
from canvas.clients.guard import Guarded
from canvas.clients.http import Answer

MOST_REDIRECTS = 3
BUDGET_SECONDS = 4.0  # all redirects together: with the wait for a send, a screen is still drawn in eight
FIRST_BYTES = 1024
MB = 1024 * 1024

# Meta, "WhatsApp Cloud API: supported media types": what a header may hold, and how large it may be.
_DOCUMENTS = frozenset(
    {
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "text/plain",
    }
)
RULES: dict[tuple[str, str], tuple[frozenset[str], int | None, str]] = {
    ("whatsapp", "IMAGE"): (frozenset({"image/jpeg", "image/png"}), 5 * MB, "a JPEG or PNG image"),
    ("whatsapp", "VIDEO"): (frozenset({"video/mp4", "video/3gpp"}), 16 * MB, "an MP4 or 3GPP video"),
    ("whatsapp", "DOCUMENT"): (_DOCUMENTS, 100 * MB, "a PDF, Word, Excel, PowerPoint or text file"),
    # Octopods, "Sending VBM Messages via API": the approved aspect ratio counts too; a link does not tell it.
    ("vbm", "IMAGE"): (frozenset({"image/jpeg", "image/png"}), None, "a JPEG or PNG image"),
}
_SAME_TYPE = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_TELLS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})
_GONE = frozenset({404, 410})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RANGE = re.compile(r"bytes\s+\d+-\d+/(\d{1,15})$")


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """`ok`; `refused`, for certain; or `cannot_know`, which blocks nothing. `size` is in bytes, if told."""

    outcome: Literal["ok", "refused", "cannot_know"]
    why: str = ""
    content_type: str = ""
    size: int | None = None


class Links:
    """Looks behind links, through the guard given."""

    def __init__(self, guarded: Guarded | None = None, *, allow_private: bool = False) -> None:
        self._guarded = guarded or Guarded(allow_private=allow_private)

    def check(self, url: str, channel: str = "", header_format: str = "") -> LinkCheck:
        """Whether the file behind `url` suits a header of that format on that channel. Never raises.

        Without a known channel and format any file will do.
        """
        try:
            answer = _fetch(url.strip(), self._guarded)
        except Refused as refusal:
            return LinkCheck("refused", refusal.message)
        except CallFailed as failure:
            return LinkCheck("cannot_know", failure.message)
        return _check_answer(answer, channel, header_format)


def _check_answer(answer: Answer, channel: str, header_format: str) -> LinkCheck:
    if answer.status in _GONE:
        return LinkCheck("refused", f"Nothing is behind this link (the host answers {answer.status}).")
    if not 200 <= answer.status < 300:
        return LinkCheck("cannot_know", f"The host answers {answer.status} here; it may not elsewhere.")
    return _judge(answer, channel, header_format)


def _judge(answer: Answer, channel: str, header_format: str) -> LinkCheck:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    kind, size = _SAME_TYPE.get(kind, kind), _size(answer)
    rule = RULES.get((channel, header_format.upper()))
    if size == 0:
        return LinkCheck("refused", "The file behind this link is empty.", kind, size)
    if rule is None:
        return LinkCheck("ok", "", kind, size)
    types, limit, words = rule
    if kind in _TELLS_NOTHING:
        return LinkCheck("cannot_know", f"The host does not say whether this is {words}.", kind, size)
    if kind not in types:
        return LinkCheck("refused", f"The header must be {words}; this link is {kind}.", kind, size)
    if limit is not None and size is not None and size > limit:
        why = f"The file has {size / MB:.1f} MB; at most {limit // MB} MB are allowed."
        return LinkCheck("refused", why, kind, size)
    return LinkCheck("ok", "", kind, size)


def _fetch(url: str, guarded: Guarded) -> Answer:
    """The last answer after redirects. Raises Refused for one redirect too many."""
    end = time.monotonic() + BUDGET_SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        answer = _look(url, guarded, end)
        target = answer.headers.get("Location") if answer.status in _REDIRECTS else None
        if not target:
            return answer
        url = urljoin(url, target)
    raise Refused(f"This link redirects more than {MOST_REDIRECTS} times.")


def _look(url: str, guarded: Guarded, end: float) -> Answer:
    """HEAD, and the first bytes as well where HEAD is not answered or tells too little."""
    head = None
    with suppress(BrokenAnswer):
        head = guarded.send("HEAD", url, headers={"Accept": "*/*"}, within=end - time.monotonic())
    if head and (head.status in _REDIRECTS or _tells_all(head)):
        return head
    headers = {"Accept": "*/*", "Range": f"bytes=0-{FIRST_BYTES - 1}"}
    left = end - time.monotonic()
    return guarded.send("GET", url, headers=headers, max_bytes=FIRST_BYTES, cut=True, within=left)


def _tells_all(head: Answer) -> bool:
    return head.status == 200 and bool(head.headers.get("Content-Type") and _size(head))


def _size(answer: Answer) -> int | None:
    whole = _RANGE.match(answer.headers.get("Content-Range", ""))
    if whole:
        return int(whole[1])
    length = answer.headers.get("Content-Length", "")
    known = answer.status != 206 and length.isascii() and length.isdigit() and len(length) < 16
    return int(length) if known else None
