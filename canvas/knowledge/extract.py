"""Taking a raw reason apart: which sentences it says, and which codes, whatever it is wrapped in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

LONGEST = 20_000
_DEEPEST = 12
_MOST = 200

_CODE_KEYS = {
    "code", "errorcode", "errcode", "err", "errorsubcode", "subcode", "errno", "errornumber",
    "statuscode", "resultcode", "responsecode", "errorno", "errorid", "reasoncode", "failurecode",
    "returncode", "internalcode", "error", "status", "id", "commandstatus", "errorcodename",
    "deliverycode", "result", "networkcode", "groupid", "messagestatus", "retcode", "respcode",
    "reasonid", "ec", "rc", "failure", "smppstatus", "carriererrorcode",
}  # fmt: skip
_PLAIN_KEYS = {
    "message", "msg", "error", "errors", "errormessage", "errmsg", "detail", "details", "description",
    "title", "reason", "text", "status", "statusmessage", "info", "desc", "errordescription",
    "errortext", "failurereason", "response", "errordata", "result", "developermessage", "usermessage",
    "errorusermsg", "errorusertitle", "errorreason", "meta", "data", "messages", "name", "groupname",
    "responsetext", "responsemessage", "cause", "causes", "exception", "statusdescription", "statustext",
    "errorname", "providerresponse", "reasonmessage", "note", "code", "errorcode", "type", "value",
    "payload", "body", "summary", "explanation", "failure", "warning", "warnings", "errorinfo", "hint",
}  # fmt: skip
_ECHOED_KEYS = {
    "to", "from", "url", "uri", "href", "link", "sid", "messageid", "requestid", "fbtraceid", "wamid",
    "timestamp", "time", "date", "createdat", "updatedat", "moreinfo", "docs", "docurl", "phone",
    "recipientid", "traceid", "accountsid", "messagesid", "apiversion", "version", "path", "method",
    "batchid", "campaignid", "destination", "source", "smsid", "msisdn", "originator", "sender",
    "recipient", "callback", "useragent", "transactionid", "displayphonenumber", "file", "phonenumberid",
    "helpurl", "support", "datecreated", "dateupdated", "datesent", "stack", "line", "conversationid",
    "contactid", "channelid", "instanceid", "locale", "language", "lang", "documentationurl",
    "supporturl", "jid", "remotejid", "chatid", "messagingproduct", "groupaction", "action",
}  # fmt: skip
# Under such a key, where no message says more, these names say which field is wrong.
_ERROR_KEYS = {"error", "errors", "errormessages", "validationerrors", "fielderrors"}
_FIELDS = {
    "to",
    "from",
    "phone",
    "destination",
    "sender",
    "recipient",
    "msisdn",
    "source",
    "originator",
    "language",
}
_SAYING_MORE = {"message", "code", "title", "description"}
_RECEIPT = re.compile(r"\bstat:\s?(\w{3,10})(?:\s+err:\s?(\w{1,10}))?(?:\s+text:.*)?", re.I | re.S)
_RECEIPT_HEAD = re.compile(r"\bid:.*", re.I | re.S)
_TAG = re.compile(r"<(?:script|style)\b[^<]{0,2000}</[^<>]{0,20}>|<[^<>]{0,500}>", re.I)
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
_POINT = re.compile(
    r"\\u(00[89a-fA-F][0-9a-fA-F]|0[1-9a-fA-F][0-9a-fA-F]{2}|[1-9a-cA-CeEfF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"
)
_FORM = re.compile(r"^\s*[\w.%\[\]-]{1,60}=[^\s=]*(?:&[\w.%\[\]-]{1,60}=[^\s=]*)+\s*$")
_URL = re.compile(r"https?://[^\s\"'<>)\]]{1,500}")
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_PAIR = re.compile(r"['\"]?(\w{2,40})['\"]?\s*(?:=>|[:=])\s*['\"]([^'\"]{3,300})['\"]")
_LABELLED = re.compile(
    r"(?:\b(?:error|err|status|reason|fault|errno|command_status|err(?:or)?_?(?:no|number)"
    r"|(?:(?:error|err|status|result|response|reason|failure|fault|return|sub)_?)?code)\b|#)"
    r"[\s_\-:=#\"'()\[\]>]{0,6}(?:code|no|number|id|is)?[\s:=#\"'()\[\]>]{0,4}(0x[0-9a-f]{1,8}|-?\d{1,8})\b"
    r"(?!\s*(?:%|characters|bytes|mb|hours))",
    re.I,
)
_DECODER = json.JSONDecoder()
_DIGIT = re.compile(r"\d")
_GRAPH = re.compile(r"\(#(\d{1,7})\)")
_BRACKETED = re.compile(r"[(\[]\s*(?:#|code\s*)?(\d{3,8})\s*[)\]]")
_LEADING = re.compile(r"^\W{0,3}(0x[0-9a-fA-F]{1,8}|\d{1,8})\b[`\s]*(?:[-:|.)\]=]|\s)\s*(?=\D|$)")
_TRAILING = re.compile(r"(?:[:\-(\[]\s*)(\d{4,8})\W{0,3}$")
_NEGATIVE = re.compile(r"\b[Nn]egative (?:bind )?response ([0-9a-fA-F]{8})\b")
_DOCS = re.compile(r"/errors?/(\d{3,8})")


@dataclass(slots=True)
class Reading:
    """What a raw reason says: sentences as they come, and the codes it names."""

    sentences: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    sure_codes: set[str] = field(default_factory=set)

    def say(self, sentence: str) -> None:
        """Keep a sentence, once."""
        if sentence and len(self.sentences) < _MOST and sentence not in self.sentences:
            self.sentences.append(sentence)

    def name(self, code: str, *, sure: bool = True) -> None:
        """Keep a code, once; it is sure where a key or a form of its own says that it is a code."""
        if sure:
            self.sure_codes.add(code)
        if len(self.codes) < _MOST and code not in self.codes:
            self.codes.append(code)


def read(text: str) -> Reading:
    """Sentences and codes of a raw reason. Never raises; a text that is too long is cut."""
    reading = Reading()
    text = text[:LONGEST]
    if '\\"' in text and not text.lstrip().startswith(("{", "[")):
        text = text.replace('\\"', '"')
    take(text, reading, 0)
    return reading


def unescaped(text: str) -> str:
    """The text with what programs print for letters beyond ASCII, such as \\xd8\\xa7 and \\u0627, as those letters."""
    text = _BYTES.sub(lambda run: bytes.fromhex(run[0].replace("\\x", "")).decode(errors="replace"), text)
    return _POINT.sub(lambda point: chr(int(point[1], 16)), text)


def take(text: str, reading: Reading, depth: int) -> None:
    """Read a text by what it looks like: JSON, a form, markup, or words."""
    stripped = text.strip()
    if not stripped or depth > _DEEPEST:
        return
    if "=" in stripped and _FORM.match(stripped):
        take_form(stripped, reading, depth)
        return
    for start in brackets(stripped):
        if (value := parsed_json(stripped[start:])) is not None:
            body, end = value
            take_words(stripped[:start], reading)
            walk(body, "", reading, depth + 1)
            take(stripped[start + end :], reading, depth + 1)
            return
    if "<" in stripped:
        if "%" in stripped or "&" in stripped:
            stripped = html.unescape(stripped)
        stripped = _TAG.sub(" \n ", stripped).strip() or attributes_of(stripped)
    take_words(stripped, reading)


def attributes_of(markup: str) -> str:
    """What markup says that has no words but in its attributes."""
    pairs = [(key, value) for key, value in _PAIR.findall(markup) if letters_of(key) not in _ECHOED_KEYS]
    return " \n ".join(f"{key} {value}" for key, value in pairs)


def brackets(text: str) -> list[int]:
    """Where JSON objects or lists could begin, first places first."""
    spots = {text.find("{"), text.find("[{"), 0 if text[0] == "[" else -1}
    return sorted(spots - {-1})


def parsed_json(text: str) -> tuple[Any, int] | None:
    """The JSON value a text begins with and where it ends, or None."""
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return (value, end) if isinstance(value, dict | list) and value else None


def take_form(text: str, reading: Reading, depth: int) -> None:
    """Read a form-encoded body."""
    fields = {}
    for pair in text.split("&")[:_MOST]:
        key, _, value = pair.partition("=")
        fields[unquote_plus(key)] = unquote_plus(value)
    walk(fields, "", reading, depth + 1)


def walk(value: Any, key: str, reading: Reading, depth: int) -> None:
    """Read a JSON value: codes by their keys, sentences from strings, and flags as words."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        named = {name: letters_of(name) for name in list(value)[:_MOST]}
        fields = letters_of(key) in _ERROR_KEYS and _SAYING_MORE.isdisjoint(named.values())
        for name, letters in named.items():
            echoed = letters in _ECHOED_KEYS and not (fields and letters in _FIELDS)
            if not echoed or isinstance(value[name], dict | list):
                walk(value[name], name, reading, depth + 1)
    elif isinstance(value, list):
        for inner in value[:_MOST]:
            walk(inner, key, reading, depth + 1)
    elif isinstance(value, str):
        walk_text(value, key, reading, depth)
    elif isinstance(value, bool) or value is None:
        reading.say(f"{key} {'true' if value else 'false'}")
    elif letters_of(key) in _CODE_KEYS:
        reading.name(str(value))


@lru_cache(maxsize=1024)
def letters_of(key: str) -> str:
    """A key as the sets above have it, however it is spelled. Remembered, for providers use the same few."""
    return _NOT_LETTERS.sub("", key.lower())


def walk_text(value: str, key: str, reading: Reading, depth: int) -> None:
    """Read one JSON string, which may be a code, another body, or a sentence."""
    plain = letters_of(key)
    if plain in _CODE_KEYS and 0 < len(value) <= 40 and " " not in value.strip():
        reading.name(value.strip())
        if any(char.isalpha() for char in value):
            reading.say(value)
        return
    if not any(char.isalpha() for char in value):
        return
    if plain in _PLAIN_KEYS or (" " in value.strip() and len(value) > 25) or "{" in value:
        take(value, reading, depth + 1)
    else:
        take(f"{key} {value}", reading, depth + 1)


def take_words(text: str, reading: Reading) -> None:
    """Read plain words: the codes labelled as such, and the words without addresses."""
    if not text.strip():
        return
    if "\\" in text:
        text = unescaped(text)
    receipt = _RECEIPT.search(text) if "stat:" in text.lower() else None
    if receipt:
        reading.name(receipt.group(1))
        reading.say(_RECEIPT_HEAD.sub("", text[: receipt.start()]).strip())
        return
    if _DIGIT.search(text):
        for code, sure in codes_in(text):
            reading.name(code, sure=sure)
    reading.say(_URL.sub(" ", text).strip() if "://" in text else text.strip())


def codes_in(text: str) -> Iterator[tuple[str, bool]]:
    """Numbers that the text itself marks as codes, and whether they can hardly be anything else."""
    for answer in _NEGATIVE.finditer(text):
        yield f"0x{answer[1]}", True
    for pattern, sure in ((_GRAPH, True), (_DOCS, True), (_BRACKETED, False), (_LABELLED, False)):
        for match in pattern.finditer(text):
            yield match.group(1), sure
    for pattern in (_LEADING, _TRAILING):
        edge = pattern.search(text)
        if edge:
            yield edge.group(1), False
