"""Taking a raw reason apart: which sentences it says, and which codes, whatever it is wrapped in."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

from canvas.knowledge.loose import first_object
from canvas.knowledge.memo import Memo
from canvas.knowledge.plain import take_words, without_frames
from canvas.knowledge.reading import MOST, Reading
from canvas.knowledge.tokens import HTTP_STATUSES, unescape

LONGEST = 20_000
_DEEPEST = 24

_CODE_KEYS = {
    "code", "errorcode", "errcode", "err", "errorsubcode", "subcode", "errno", "errornumber",
    "statuscode", "resultcode", "responsecode", "errorno", "errorid", "reasoncode", "failurecode",
    "returncode", "internalcode", "error", "status", "id", "commandstatus", "errorcodename",
    "deliverycode", "result", "networkcode", "groupid", "messagestatus", "retcode", "respcode",
    "reasonid", "ec", "rc", "failure", "smppstatus", "carriererrorcode", "deliveryerrorcode",
}  # fmt: skip
# Under such a key a number may be the provider's code, or what a web server thought of the request.
_STATUS_KEYS = {"status", "statuscode"}
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
_TAG = re.compile(r"<(?:script|style)\b[^<]{0,2000}</[^<>]{0,20}>|<[^<>]{0,500}>", re.I)
_FORM = re.compile(r"^\s*[\w.%\[\]-]{1,60}=[^\s=]*(?:&[\w.%\[\]-]{1,60}=[^\s=]*)+\s*$")
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_PAIR = re.compile(r"['\"]?(\w{2,40})['\"]?\s*(?:=>|[:=])\s*['\"]([^'\"]{3,300})['\"]")
_DECODER = json.JSONDecoder()


def read(text: str) -> Reading:
    """Sentences and codes of a raw reason. Never raises; a text that is too long is cut."""
    reading = Reading()
    text = text[:LONGEST]
    if '\\"' in text and not text.lstrip().startswith(("{", "[")):
        text = text.replace('\\"', '"')
    take(text, reading, 0)
    return reading


def take(text: str, reading: Reading, depth: int) -> None:
    """Read a text by what it looks like: an object, a form, markup, or words."""
    stripped = text.strip()
    if not stripped or depth > _DEEPEST:
        return
    if "=" in stripped and _FORM.match(stripped):
        take_form(stripped, reading, depth)
        return
    if ("{" in stripped or "[" in stripped) and (found := first_json(stripped) or first_object(stripped)):
        start, body, end = found
        take_words(without_frames(stripped[:start]), reading)
        walk(body, "", reading, depth + 1)
        take(stripped[end:], reading, depth + 1)
        return
    stripped = without_frames(stripped)
    if "<" in stripped:
        if "%" in stripped or "&" in stripped:
            stripped = unescape(stripped)
        stripped = _TAG.sub(" \n ", stripped).strip() or attributes_of(stripped)
    take_words(stripped, reading)


def attributes_of(markup: str) -> str:
    """What markup says that has no words but in its attributes."""
    pairs = [(key, value) for key, value in _PAIR.findall(markup) if letters_of(key) not in _ECHOED_KEYS]
    return " \n ".join(f"{key} {value}" for key, value in pairs)


def first_json(text: str) -> tuple[int, Any, int] | None:
    """Where the first JSON object or list begins, what it holds, and where it ends; None where there is none."""
    spots = {text.find("{"), text.find("[{"), 0 if text[0] == "[" else -1}
    for start in sorted(spots - {-1}):
        try:
            value, length = _DECODER.raw_decode(text[start:])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list) and value:
            return start, value, start + length
    return None


def take_form(text: str, reading: Reading, depth: int) -> None:
    """Read a form-encoded body."""
    fields = {}
    for pair in text.split("&")[:MOST]:
        key, _, value = pair.partition("=")
        fields[unquote_plus(key)] = unquote_plus(value)
    walk(fields, "", reading, depth + 1)


def walk(value: Any, key: str, reading: Reading, depth: int) -> None:
    """Read a JSON value: codes by their keys, sentences from strings, and flags as words."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        named = {name: letters_of(name) for name in list(value)[:MOST]}
        fields = letters_of(key) in _ERROR_KEYS and _SAYING_MORE.isdisjoint(named.values())
        for name, letters in named.items():
            echoed = letters in _ECHOED_KEYS and not (fields and letters in _FIELDS)
            if not echoed or isinstance(value[name], dict | list):
                walk(value[name], name, reading, depth + 1)
    elif isinstance(value, list):
        for inner in value[:MOST]:
            walk(inner, key, reading, depth + 1)
    elif isinstance(value, str):
        walk_text(value, key, reading, depth)
    elif isinstance(value, bool) or value is None:
        reading.say(f"{key} {'true' if value else 'false'}")
    elif letters_of(key) in _CODE_KEYS:
        reading.name(str(value), sure=not (letters_of(key) in _STATUS_KEYS and str(value) in HTTP_STATUSES))


_letters: Memo[str] = Memo(lambda key: _NOT_LETTERS.sub("", key.lower()))


def letters_of(key: str) -> str:
    """A key as the sets above have it, however it is spelled. Remembered, for providers use the same few."""
    return _letters[key]


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
