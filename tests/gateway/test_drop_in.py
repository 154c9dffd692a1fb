"""A customer changes one host name: the same request, the same answer, from whatever they call with."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import httpx
import pytest
import requests

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import Desk
from tests.gateway.records import all_messages, only_message
from tests.hubspot.node import npm

MARA = BY_ID["not_on_whatsapp"]
SMS = {
    "destination_phone": "+353871234567",
    "body": "Hi Mara ☂, see you Tuesday.",
    "unheard_of": [1, {"a": None}],
}
HEADERS = {"X-Octopods-Auth": keys.SMS, "X-Intercom-Contact-Id": "c7", "X-Anything": "private"}
JSON = {**HEADERS, "Content-Type": "application/json"}


def by_requests(url: str, body: bytes) -> tuple[int, bytes]:
    answer = requests.post(url, data=body, headers=JSON, timeout=10)
    return answer.status_code, answer.content


def by_requests_in_chunks(url: str, body: bytes) -> tuple[int, bytes]:
    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    answer = requests.post(url, data=pieces, headers=JSON, timeout=10)
    return answer.status_code, answer.content


def by_httpx(url: str, body: bytes) -> tuple[int, bytes]:
    answer = httpx.post(url, content=body, headers=JSON, timeout=10)
    return answer.status_code, answer.content


def by_curl(url: str, body: bytes) -> tuple[int, bytes]:
    given = [part for name, value in JSON.items() for part in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", "-X", "POST", url, *given, "--data-binary", "@-", "-w", "\n%{http_code}"]
    done = subprocess.run(command, input=body, capture_output=True, check=True, timeout=20)
    answer, _, status = done.stdout.rpartition(b"\n")
    return int(status), answer


FETCH = """
const [url, headers] = [process.argv[1], JSON.parse(process.argv[2])];
let body = ""; for await (const part of process.stdin) body += part;
const answer = await fetch(url, {method: "POST", headers, body});
process.stdout.write(answer.status + "\\n" + await answer.text());
"""


def by_fetch(url: str, body: bytes) -> tuple[int, bytes]:
    npm()
    command = ["node", "--input-type=module", "-e", FETCH, url, json.dumps(JSON)]
    done = subprocess.run(command, input=body, capture_output=True, check=True, timeout=20)
    status, _, answer = done.stdout.partition(b"\n")
    return int(status), answer


CALLERS = [
    by_requests,
    by_requests_in_chunks,
    by_httpx,
    by_curl,
    pytest.param(by_fetch, marks=pytest.mark.node),
]


@pytest.mark.parametrize("call", CALLERS)
def test_a_send_reaches_octopods_byte_for_byte_and_its_answer_comes_back_untouched(
    desk: Desk, live: str, call: Any
) -> None:
    body = json.dumps(SMS, ensure_ascii=False, indent=1).encode()
    status, answer = call(f"{live}/api/v1/sms/messages", body)
    (received,) = desk.octopods.sends()
    assert (status, received["body"]) == (201, SMS)
    assert json.loads(answer) == {
        "request_id": json.loads(answer)["request_id"],
        "message_id": int(received["id"]),
        "channel_message_id": json.loads(answer)["channel_message_id"],
    }
    message = only_message(desk)
    assert (message.octopods_id, message.contact_id, message.to) == (received["id"], "c7", "+353871234567")


def test_headers_meant_for_us_and_unknown_ones_stay_here(desk: Desk, live: str) -> None:
    headers = {
        **JSON,
        "Idempotency-Key": "k1",
        "Cookie": "a=b",
        "Connection": "X-Anything",
        "X-Forwarded-For": "1.2.3.4",
    }
    requests.post(f"{live}/api/v1/sms/messages", json=SMS, headers=headers, timeout=10)
    (received,) = desk.octopods.sends()
    names = {name.lower() for name in received["headers"]}
    ours = {"host", "accept-encoding", "content-length", "connection"}
    assert names - ours <= {"x-octopods-auth", "content-type", "accept", "user-agent"}


@pytest.mark.parametrize(
    "variables",
    [
        ["Mara", "Tuesday"],
        {"body": ["Mara", "Tuesday"]},
        {"header": [], "body": ["Mara", "Tuesday"], "footer": [], "buttons": []},
        {"1": "Mara", "2": "Tuesday"},
    ],
)
def test_every_shape_of_variables_passes_and_is_understood(desk: Desk, variables: Any) -> None:
    desk.connect()
    sent = desk.send_whatsapp("+353871234567", 90001, variables, open_intercom_conversation="yes")
    assert sent.status_code == 201
    assert desk.octopods.sends()[0]["body"]["message_variables"] == variables
    assert "Hi Mara, your visit is on Tuesday." in (only_message(desk).preview or "")


def test_all_three_sends_and_their_options(desk: Desk) -> None:
    desk.connect("whatsapp", "sms", "vbm")
    options: dict[str, Any] = {
        "destination_user_name": "Mara",
        "open_intercom_conversation": 1,
        "intercom_teammate_id": "6001234",
    }
    desk.gateway("/sms/messages", {**SMS, **options}, keys.SMS)
    desk.send_whatsapp(
        "+353871234567", 90003, ["Mara"], header_attachment_url="https://x.example/a.jpg", **options
    )
    body = {"destination_phone": "+353871234567", "message_variables": ["Mara", "Tuesday"]}
    assert desk.gateway("/vbm/templates/70001/messages", body, keys.VBM).status_code == 201
    kept = {m.channel: dict(m.content.options) for m in all_messages(desk)}
    assert kept == {"sms": options, "whatsapp": options, "vbm": {}}


def test_octopods_own_refusal_comes_back_with_its_bytes_and_is_recorded(desk: Desk) -> None:
    desk.connect()
    answer = desk.send_sms("0871234567")
    error = answer.get_json()
    assert (answer.status_code, error["error_code"], error["error"]) == (400, 3, "Invalid Phone number.")
    message = only_message(desk)
    assert (message.status, message.reason, message.failure_raw) == (
        "failed",
        "invalid_phone",
        answer.text,
    )


def test_a_key_that_nobody_connected_is_401_in_octopods_shape(desk: Desk) -> None:
    desk.connect()
    answer = desk.gateway("/sms/messages", SMS, "foreign-key")
    assert answer.status_code == 401
    assert set(answer.get_json()) == {"request_id", "error_code", "error"}
    assert desk.octopods.sends() == []


def test_a_workspace_key_sends_on_channels_nobody_listed(desk: Desk) -> None:
    """Which channels a workspace key opens is for Octopods to say."""
    from canvas.flows import installs

    desk.connect("whatsapp")
    installs.add_channel(desk.flow, "intercom:abcd123", "sms", keys.WORKSPACE, None, None)
    body = {"destination_phone": "+353871234567", "message_variables": ["Mara", "Tuesday"]}
    assert desk.gateway("/vbm/templates/70001/messages", body, keys.WORKSPACE).status_code == 201
    assert desk.send_whatsapp("+353871234567", 90001, ["a", "b"]).status_code == 201
    refused = desk.gateway("/whatsapp/templates/90001/messages", body, keys.WORKSPACE)
    assert (refused.status_code, only_failed(desk)) == (400, "unknown_channel")


def only_failed(desk: Desk) -> str | None:
    return next(m.reason for m in all_messages(desk) if m.status == "failed")
