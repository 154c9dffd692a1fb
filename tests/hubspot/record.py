"""What the running app answers to the card, kept as files for the card's own tests.

Run `python -m tests.hubspot.record` after a change of the answers; a test says when they are stale.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canvas.sandbox.people import BY_ID
from tests.hubspot.desk import CONTACT, VOUCHED, HubSpotDesk, query

FOLDER = Path(__file__).parent.parent.parent / "hubspot" / "tests" / "recorded"
MARA = BY_ID["not_on_whatsapp"]
Json = dict[str, Any]


def failed(portal: HubSpotDesk) -> Json:
    portal.send_whatsapp_for(MARA.phone)
    portal.pass_time(15)
    return portal.newest()


def one(portal: HubSpotDesk) -> Json:
    failed(portal)
    return portal.card()


def several(portal: HubSpotDesk) -> Json:
    for person in (
        "recipient_opted_out",
        "landline_or_unreachable",
        "handset_unreachable",
        "recipient_blocklisted",
    ):
        portal.send_for_contact(BY_ID[person].phone)
        portal.pass_time(1)  # so that newest first is certain
    portal.pass_time(15)
    return portal.card()


def sent(portal: HubSpotDesk) -> Json:
    return portal.press(failed(portal), "send_other_channel")


def unsure(portal: HubSpotDesk) -> Json:
    failure = failed(portal)
    portal.octopods.set_fault("cut_after", path="/sms/messages", method="POST")
    return portal.press(failure, "send_other_channel")


def form(portal: HubSpotDesk) -> Json:
    portal.send_for_contact("0046 8 123")
    portal.pass_time(15)
    return portal.card()


def form_error(portal: HubSpotDesk) -> Json:
    return portal.press(form(portal)["failures"][0], "edit_phone", phone="12", choice="other")


def waiting(portal: HubSpotDesk) -> Json:
    portal.send_for_contact(BY_ID["handset_unreachable"].phone)
    portal.pass_time(15)
    failure = portal.newest()
    later = next(fix["id"] for fix in failure["fixes"] if fix["label"].startswith("Send again at"))
    return portal.press(failure, later)


def handled(portal: HubSpotDesk) -> Json:
    return portal.press(failed(portal), "mark_handled")


REFUSED = "131026: Message undeliverable. Recipient is not a WhatsApp user."


def pasted(portal: HubSpotDesk, words: str, **more: Any) -> Json:
    """What the card posts when somebody presses Explain, or with `more`, Attach."""
    values = {"check_text": words, "check_kind": "whatsapp"}
    body = {"messageId": "", "fix": "check", "objectId": CONTACT, "fixToken": "", "values": values, **more}
    path = f"/hubspot/card/fix?{query({'phone': MARA.phone})}"
    document: Json = portal.fetch("POST", path, body).get_json()
    return document


def attached(portal: HubSpotDesk) -> Json:
    token = pasted(portal, REFUSED)["attach"]["fixToken"]
    return pasted(portal, REFUSED, fix="attach", fixToken=token)


def checked_message(portal: HubSpotDesk) -> Json:
    failed(portal)
    return pasted(portal, portal.octopods.sends()[0]["id"])


def not_connected(portal: HubSpotDesk) -> Json:
    other = {**VOUCHED, "portalId": "70001"}
    document: Json = portal.fetch("GET", "/hubspot/card?objectId=901", vouched=other).get_json()
    return document


SCENES: dict[str, Callable[[HubSpotDesk], Json]] = {
    "empty": lambda portal: portal.card(),
    "one": one,
    "several": several,
    "sent": sent,
    "unsure": unsure,
    "form": form,
    "form_error": form_error,
    "waiting": waiting,
    "handled": handled,
    "checked_text": lambda portal: pasted(portal, REFUSED),
    "checked_id": lambda portal: pasted(portal, "6230011"),
    "checked_message": checked_message,
    "checked_nothing": lambda portal: pasted(portal, " "),
    "attached": attached,
    "not_connected": not_connected,
}


def steady(document: Json) -> str:
    """The answer as a file, with what differs from run to run replaced by names in order of appearance."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # How sure the diagnosis is belongs to the catalogue, whose calibration is no change of the answers.
    text = re.sub(r'(?<="confidence": )[\d.]+', "0.9", text)
    # The fake Octopods, whose clock runs, says when a message failed.
    text = re.sub(r'(?<="failedAt": ")[^"]+', "2026-11-23T13:05:02+00:00", text)
    for name, pattern in (
        ("message", r"msg_[0-9a-z]{26}"),
        ("token", r'(?<="fixToken": ")[^"]+'),
        ("link", r"(?<=/m/)[^\"]+"),
        ("request", r'(?<="requestId": ")[0-9a-f]+'),
        ("octopods-request", r"(?<=Request id: )[0-9a-f-]{36}"),
        ("provider-id", r"(?<=Provider's id: )[^\\]+"),
    ):
        found = list(dict.fromkeys(re.findall(pattern, text)))
        for place, value in enumerate(found, start=1):
            text = text.replace(value, f"{name}-{place}")
    return text + "\n"


def main() -> int:
    """Record by running the test that compares, told to write instead."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/hubspot/test_recorded.py"]
    return subprocess.run(command, env={**os.environ, "RECORD": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
