"""Reading plain words: delivery receipts, numbers marked as codes, and what is left without addresses and traces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from canvas.knowledge.reading import Reading

_RECEIPT = re.compile(r"\bstat:\s?(\w{3,10})(?:[\s,;]+err(?:or)?:\s?(-?\w{1,10}))?", re.I)
_ECHO = re.compile(r"\btext\s?:", re.I)
_RECEIPT_HEAD = re.compile(r"\bid:.*", re.I | re.S)
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
_POINT = re.compile(
    r"\\u(00[89a-fA-F][0-9a-fA-F]|0[1-9a-fA-F][0-9a-fA-F]{2}|[1-9a-cA-CeEfF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"
)
_URL = re.compile(r"https?://[^\s\"'<>)\]]{1,500}")
# Where a program stood when it failed, as JavaScript, Java, Python and PHP print it; it says nothing of why.
_FRAME = re.compile(
    r"\bat (?:async |new )?(?:[\w.$<>\[\]-]{1,100} (?:\[as [\w.$]{1,60}\] )?)?"
    r"\((?:[^()\s]{0,300}[/\\.][^()\s]{0,300}:\d{1,7}(?::\d{1,7})?|native|<anonymous>)\)"
    r"|\bat (?:async )?(?:file://)?/[^\s()]{1,300}:\d{1,7}:\d{1,7}"
    r"|\bat [\w.$<>]{3,200}\((?:[\w.$]{1,100}:\d{1,7}|Native Method|Unknown Source)\)"
    r"|(?P<indent>^[ \t]{0,40})File \"[^\"\n]{1,300}\", line \d{1,7}, in \S{1,100}"
    r"(?:\n(?P=indent)[ \t]{1,40}[^\n]{0,300}(?=\n))?"
    r"|#\d{1,3} /[^\s()]{1,300}\(\d{1,7}\): [^\s()]{1,200}\([^()\n]{0,300}\)",
    re.M,
)
# The scan for a first letter, in either case, is what makes it fast; the word and its place are looked at behind it.
_LABELLED = re.compile(
    r"[#cCeEfFrRsS](?:(?<=#)|(?:(?<=\b.)|(?<=[a-z]E))(?i:"
    r"(?<=e)rr(?:or)?(?:_?(?:code|no|number))?"
    r"|(?<=s)(?:tatus(?:_?code)?|ub_?code)"
    r"|(?<=r)(?:eason(?:_?code)?|e(?:sult|sponse|turn)_?code)"
    r"|(?<=f)(?:ault(?:_?code)?|ailure_?code)"
    r"|(?<=c)(?:ode|ommand_status))\b)"
    r"(?i:[\s_\-:=#|\"'()\[\]>]{0,6}(?:code|no|number|id|is)?[\s:=#\"'()\[\]>]{0,4}(0x[0-9a-f]{1,8}|-?\d{1,8})\b"
    r"(?!\s*(?:%|characters|bytes|mb|hours)))"
)
_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"\w")
_LEADING = re.compile(r"^\W{0,3}(0x[0-9a-fA-F]{1,8}|\d{1,8})\b[`\s]*(?:[-:|.)\]=]|\s)\s*(?=\D|$)")
_TRAILING = re.compile(r"(?:[:\-(\[_]\s*)(\d{4,8})\W{0,3}$")
# How texts mark a number as a code: the expression, what must stand in the text, whether it can hardly be anything
# else, and what to put before the number.
_MARKED = (
    (re.compile(r"\b[Nn]egative (?:bind )?response ([0-9a-fA-F]{8})\b"), "egative ", True, "0x"),
    (re.compile(r"\b\w+_resp: 0x[0-9a-f]{8} 0x8[0-9a-f]{7} (0x[0-9a-f]{8})\b"), "_resp: 0x", True, ""),
    (re.compile(r"\((\d{1,4})\) \w+_resp\b"), "_resp", True, ""),
    (re.compile(r"\bNACK/(0x[0-9a-fA-F]{1,8}|\d{1,5})/"), "NACK/", True, ""),
    (re.compile(r"\bCM[ES](?: E(?:RROR|rror))?:? (\d{1,3})\b"), "CM", True, ""),
    (re.compile(r"\bcode (0x[0-9a-fA-F]{8})\b"), "code 0x", True, ""),
    (re.compile(r"\(#(\d{1,7})\)"), "(#", True, ""),
    (re.compile(r"\berror code:? (?!4\d\d\b|5\d\d\b)(\d{1,8}):"), "error code", True, ""),
    (re.compile(r"/errors?/(\d{3,8})"), "/error", True, ""),
    (re.compile(r"[(\[]\s*(?:#|code\s*)?(\d{3,8})\s*[)\]]"), "", False, ""),
    (_LABELLED, "", False, ""),
)


def take_words(text: str, reading: Reading) -> None:
    """Read plain words: the codes labelled as such, and the words without addresses."""
    if "\\" in text:
        text = unescaped(text)
    receipt = _RECEIPT.search(text) if "stat:" in text.lower() else None
    if receipt:
        take_receipt(text, receipt, reading)
        return
    if _DIGIT.search(text):
        for code, sure in codes_in(text):
            reading.name(code, sure=sure)
    say(_URL.sub(" ", text) if "://" in text else text, reading)


def take_receipt(text: str, receipt: re.Match[str], reading: Reading) -> None:
    """Read an SMPP delivery receipt: its state, and what others wrote before and behind it (SMPP 3.4, Appendix B)."""
    reading.name(receipt[1])
    reading.receipt_error = reading.receipt_error or receipt[2] or ""
    say(_RECEIPT_HEAD.sub("", text[: receipt.start()]), reading)
    say(_ECHO.split(text[receipt.end() :], maxsplit=1)[0], reading)


def say(words: str, reading: Reading) -> None:
    """Keep what has letters or digits."""
    words = words.strip()
    if _WORDS.search(words):
        reading.say(words)


def without_frames(text: str) -> str:
    """The text without the places in a program it tells, unless it tells nothing else."""
    if "at " not in text and "File " not in text and "#" not in text:
        return text
    rest = _FRAME.sub("", text)
    return rest if _WORDS.search(rest) else text


def codes_in(text: str) -> Iterator[tuple[str, bool]]:
    """Numbers that the text itself marks as codes, and whether they can hardly be anything else."""
    for pattern, mark, sure, prefix in _MARKED:
        if mark in text:
            for match in pattern.finditer(text):
                yield prefix + match[1], sure
    for pattern in (_LEADING, _TRAILING):
        edge = pattern.search(text)
        if edge:
            yield edge[1], False


def unescaped(text: str) -> str:
    """The text with what programs print for letters beyond ASCII, such as \\xd8\\xa7 and \\u0627, as those letters."""
    text = _BYTES.sub(lambda run: bytes.fromhex(run[0].replace("\\x", "")).decode(errors="replace"), text)
    return _POINT.sub(lambda point: chr(int(point[1], 16)), text)
