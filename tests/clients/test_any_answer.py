"""Whatever JSON a vendor answers with, a verb gives a result or one of our errors, and never a false receipt."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.clients.errors import CallFailed, RateLimited
from canvas.clients.http import Answer, Http
from canvas.clients.hubspot import HubSpot
from canvas.clients.intercom import Intercom
from canvas.clients.octopods import Octopods, Outgoing

PHONE = "+353871234567"
NAMES = [
    "message_id",
    "request_id",
    "status",
    "message_status",
    "channel_message_id",
    "failure_reason",
    "error",
    "error_code",
    "message",
    "errors",
    "messages",
    "template_id",
    "template_body",
    "template_components",
    "type",
    "text",
    "format",
    "buttons",
    "url",
    "message_status_url",
    "id",
    "phone",
    "app",
    "id_code",
    "region",
    "data",
    "conversation_parts",
    "body",
    "part_type",
    "code",
    "access_token",
    "expires_in",
    "hub_id",
    "properties",
    "results",
    "category",
    "policyName",
    "context",
    "requiredGranularScopes",
    "fullyQualifiedName",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
)
JSON = st.recursive(
    LEAVES
    | st.sampled_from(["FAILED", "Property values were not valid: [1]", "/messages/7", "BODY", "buttons"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
VERBS: dict[str, Callable[[Http], object]] = {
    "send": lambda http: Octopods(http, "http://o").send("k", Outgoing("sms", PHONE, text="x")),
    "status": lambda http: Octopods(http, "http://o").message_status("k", "sms", "7"),
    "list": lambda http: Octopods(http, "http://o").recent_whatsapp("k"),
    "templates": lambda http: Octopods(http, "http://o").whatsapp_templates("k"),
    "me": lambda http: Intercom(http).me("t"),
    "code": lambda http: Intercom(http).exchange_code("i", "s", "c"),
    "contact": lambda http: Intercom(http).set_phone("t", "US", "1", PHONE),
    "search": lambda http: Intercom(http).search_contacts_by_phone("t", "US", PHONE),
    "note": lambda http: Intercom(http).has_note("t", "US", "1", "x"),
    "grant": lambda http: HubSpot(http).refresh("i", "s", "r"),
    "record": lambda http: HubSpot(http).set_phone("t", "1", PHONE),
    "records": lambda http: HubSpot(http).search_contacts_by_phone("t", PHONE),
    "entry": lambda http: HubSpot(http).write_activity("t", "1", "vbm", "x", datetime.now(UTC)),
    "found": lambda http: HubSpot(http).find_activity("t", "vbm", "x"),
    "event": lambda http: HubSpot(http).event_type("t", "s", "p"),
}


class Saying(Http):
    """A sender that is answered at once, with what it was made with."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def send(self, *args: Any, **options: Any) -> Answer:
        return self._answer


def outcome(verb: str, answer: Answer) -> CallFailed | None:
    try:
        VERBS[verb](Saying(answer))
    except CallFailed as failure:
        return failure
    return None


@pytest.mark.parametrize("verb", VERBS)
@given(document=JSON, status=st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 423, 429, 500]))
def test_any_answer_is_a_result_or_one_of_our_errors(verb: str, document: Any, status: int) -> None:
    failure = outcome(verb, Answer(status, {}, orjson.dumps(document)))
    if failure is None:
        assert 200 <= status < 300 or verb == "list"
    else:
        assert failure.message.strip()
        assert isinstance(failure, RateLimited) == (failure.retry_at is not None)


@given(document=JSON)
def test_a_receipt_names_an_id_that_stood_in_the_answer(document: Any) -> None:
    http = Saying(Answer(201, {}, orjson.dumps(document)))
    try:
        sent = Octopods(http, "http://o").send("k", Outgoing("sms", PHONE, text="x"))
    except CallFailed:
        return
    known = str(document.get("message_id")).strip(), str(document.get("message_status_url"))
    assert sent.message_id or sent.request_id
    assert sent.message_id is None or sent.message_id == known[0] or known[1].endswith(sent.message_id)
