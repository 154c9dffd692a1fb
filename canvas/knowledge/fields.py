"""What the names of the fields in providers' bodies tell: which hold a code, which a sentence, and which neither."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import HTTP_STATUSES

MOST: Final = 200

_CODES = {
    "code", "errorcode", "errcode", "err", "errorsubcode", "subcode", "errno", "errornumber",
    "statuscode", "resultcode", "responsecode", "errorno", "errorid", "reasoncode", "failurecode",
    "returncode", "internalcode", "error", "status", "id", "commandstatus", "errorcodename",
    "deliverycode", "result", "networkcode", "messagestatus", "retcode", "respcode",
    "reasonid", "ec", "rc", "failure", "smppstatus", "statustrace", "resultsignature",
}  # fmt: skip
# What providers put before these words says whose code it is: exo_status_code, DetailedStatusCode, statusErrorCode.
_CODE_ENDS = ("errorcode", "statuscode")
# Under such a name a number may be the provider's code, or what a web server thought of the request.
_STATUS_ENDS = ("status", "statuscode")
# So a request was received; beside an error this says nothing.
_RECEIVED = {"200", "201", "202", "204"}
# It names the group of the code that stands beside it, and is one only where no other is.
_GROUP = "groupid"
_SENTENCES = {
    "message", "msg", "error", "errors", "errormessage", "errmsg", "detail", "details", "description",
    "title", "reason", "text", "status", "statusmessage", "info", "desc", "errordescription",
    "errortext", "failurereason", "response", "errordata", "result", "developermessage", "usermessage",
    "errorusermsg", "errorusertitle", "errorreason", "meta", "data", "messages", "name", "groupname",
    "responsetext", "responsemessage", "cause", "causes", "exception", "statusdescription", "statustext",
    "errorname", "providerresponse", "reasonmessage", "note", "code", "errorcode", "type", "value",
    "payload", "body", "summary", "explanation", "failure", "warning", "warnings", "errorinfo", "hint",
}  # fmt: skip
# Sentences of the provider, whatever stands before: deliveryStatusDetails, messageStatusDescription, statusReason.
_SENTENCE_ENDS = ("description", "message", "details", "reason", "title")
_ECHOED = {
    "to", "from", "url", "uri", "href", "link", "sid", "messageid", "requestid", "fbtraceid", "wamid",
    "timestamp", "time", "date", "createdat", "updatedat", "moreinfo", "docs", "docurl", "phone",
    "recipientid", "traceid", "accountsid", "messagesid", "apiversion", "version", "path", "method",
    "batchid", "campaignid", "destination", "source", "smsid", "msisdn", "originator", "sender",
    "recipient", "callback", "useragent", "transactionid", "displayphonenumber", "file", "phonenumberid",
    "helpurl", "support", "datecreated", "dateupdated", "datesent", "stack", "line", "conversationid",
    "contactid", "channelid", "instanceid", "locale", "language", "lang", "documentationurl",
    "supporturl", "jid", "remotejid", "chatid", "messagingproduct", "groupaction", "action",
    "object", "field", "topic", "sourceaddr", "destinationaddr", "srcaddr", "destaddr", "infourl",
}  # fmt: skip
# Names of what is meant, and when it was, whatever stands before: SmsSid, MessageUUID.
_ECHOED_ENDS = ("sid", "uuid", "timestamp", "datetime")
# What the message was, and not why it failed; one word there says nothing.
_DESCRIBING = {
    "phonenumber", "umid", "clientmessageid", "clientbatchid", "subaccountid", "namespace",
    "country", "currency", "encoding", "channel", "direction", "priority", "readstatus", "availability",
    "contenttype", "creationtime", "lastmodifiedtime", "messageuuid", "clientref", "apikey", "instance",
    "scts", "nonce", "sig", "bulkid", "callbackdata", "sentat", "doneat", "recordtype", "linetype",
    "applicationid", "carriername", "owner", "tag", "at", "appid", "acceptedtime", "eventtime",
    "projectid", "messagetype", "messagedirection", "campaignclass",
    "level", "loglevel", "payloadtype", "operationname",
}  # fmt: skip
# Flags of a person who opted out; one that is not set says nothing.
_OPT_OUTS = ("optedout", "optout", "unsubscribed")
_NOT_SET = {"false", "no", "0", "none", ""}
# So WhatsApp's on-premises API answers that a number (the input) has no WhatsApp.
_CONTACT = re.compile(r"\+?[\d ().-]{6,30}")
_NO_CONTACT, _CONTACT_STATUS = "invalid", "WhatsApp contact status"
# In an object that says from whom to whom, these are what was sent.
_SENT = {"text", "body", "subject", "content"}
_PARTIES = {"to", "from"}
# Under such a name, where no message says more, these say which field is wrong.
_ERRORS = {"error", "errors", "errormessages", "validationerrors", "fielderrors"}
_WRONG = {"to", "from", "phone", "destination", "sender", "recipient"}
_WRONG |= {"msisdn", "source", "originator", "language"}
_SAYING_MORE = {"message", "code", "title", "description"}
# What tells of a party's failure where an object stands for it; all else there says who it is.
_OF_A_PARTY = (_CODES | _SENTENCES | _ERRORS | {_GROUP}) - {"name", "id", "type"}
_NOT_LETTERS = re.compile(r"[^a-z0-9]")

_letters: Memo[str] = Memo(lambda name: _NOT_LETTERS.sub("", name.lower()))


def letters_of(name: str) -> str:
    """A name as the sets above have it, however it is spelled. Remembered, for providers use the same few."""
    return _letters[name]


def holds_code(letters: str) -> bool:
    """Whether what stands under this name is a code."""
    return letters in _CODES or letters == _GROUP or letters.endswith(_CODE_ENDS)


def holds_sentence(letters: str) -> bool:
    """Whether the words under this name are a sentence that needs no name before it."""
    return letters in _SENTENCES or letters.endswith(_SENTENCE_ENDS)


def is_surely_code(letters: str, number: str) -> bool:
    """Whether a number under a code's name can hardly be what a web server thought of the request."""
    return not (letters.endswith(_STATUS_ENDS) and (number in HTTP_STATUSES or number in _RECEIVED))


def is_echoed(letters: str) -> bool:
    """Whether this name stands for something that was told to the provider, or where and when it was."""
    return letters in _ECHOED or letters.endswith(_ECHOED_ENDS)


def telling_fields(parent: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an object that may say why, given the name the object has itself."""
    named = {name: letters_of(name) for name in list(body)[:MOST]}
    here, above = set(named.values()), letters_of(parent)
    wrong = _WRONG if above in _ERRORS and _SAYING_MORE.isdisjoint(here) else frozenset()
    skipped = (_SENT if here >= _PARTIES else set()) | ({_GROUP} if "id" in here else set())
    for name, letters in named.items():
        value = body[name]
        if letters in skipped or (above in _PARTIES and letters not in _OF_A_PARTY):
            continue
        if (
            isinstance(value, dict | list)
            or letters in wrong
            or not says_nothing(letters, value, bool(wrong))
        ):
            yield (_CONTACT_STATUS if letters == "status" and is_no_contact(body) else name), value


def is_no_contact(body: Mapping[str, Any]) -> bool:
    """Whether an object says of a number that it is no contact."""
    return body.get("status") == _NO_CONTACT and bool(_CONTACT.fullmatch(str(body.get("input"))))


def says_nothing(letters: str, value: Any, wrong: bool) -> bool:
    """Whether a field only repeats or describes what was sent, or is a flag not set.

    Where fields are wrong, a described one is named.
    """
    if is_echoed(letters) or (letters.endswith(_OPT_OUTS) and str(value).strip().lower() in _NOT_SET):
        return True
    return letters in _DESCRIBING and not wrong and " " not in str(value).strip()
