"""The examples of docs/api.md are what is answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from tests.desk import Desk

PAGE = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text()
EXAMPLES: list[dict[str, Any]] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S)]
TO = "+353871234567"


def example(member: str) -> dict[str, Any]:
    return next(one for one in EXAMPLES if member in one)


def test_an_error(desk: Desk) -> None:
    desk.connect()
    answer = desk.send_sms("0871 23").get_json()
    assert {**answer, "request_id": example("error")["request_id"]} == example("error")


def test_a_diagnosis(desk: Desk) -> None:
    desk.connect()
    sent = desk.send_whatsapp(BY_ID["not_on_whatsapp"].phone, variables=["Mara", "Tuesday"]).get_json()
    desk.pass_time(5)
    path = f"/api/v1/whatsapp/messages/{sent['message_id']}"
    answer = desk.client.get(path, headers={"X-Octopods-Auth": keys.WHATSAPP}).get_json()
    assert answer["diagnosis"] == example("confidence")


def test_a_check(desk: Desk) -> None:
    desk.connect()
    body = {
        "channel": "whatsapp",
        "template_id": 90001,
        "destination_phone": TO,
        "message_variables": ["Mara"],
    }
    answer = desk.gateway("/check", body, keys.WHATSAPP).get_json()
    shown = example("verdict")
    assert answer["verdict"] == shown["verdict"]
    assert [found for found in answer["findings"] if found in shown["findings"]] == shown["findings"]


def test_a_message_that_was_registered(desk: Desk) -> None:
    desk.connect()
    shown = example("created_at")
    told = {name: shown[name] for name in ("channel", "message_id", "destination_phone", "contact_id")}
    answer = desk.gateway("/track", told, keys.SMS)
    fresh = {name: answer.get_json()[name] for name in ("id", "created_at")}
    assert (answer.status_code, answer.get_json()) == (201, {**shown, **fresh})


def test_what_is_null_was_not_given(desk: Desk) -> None:
    desk.connect()
    told = {"channel": None, "message_id": 6230011, "contact_id": None, "template_id": None, "status": None}
    answer = desk.gateway("/track", told, keys.SMS)
    assert (answer.status_code, answer.get_json()["channel"]) == (201, "sms")
