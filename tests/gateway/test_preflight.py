"""Asking before sending: what is certain, what is likely, and what nobody can know."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from canvas.domain.message import Content
from canvas.domain.preflight import same_content
from canvas.sandbox.octopods import keys
from canvas.sandbox.people import BY_ID
from canvas.store.database import writing
from canvas.store.tables import templates
from tests.desk import Desk
from tests.gateway.records import all_messages

TO = "+353871234567"
MARA = BY_ID["not_on_whatsapp"]
KEYS = {"whatsapp": keys.WHATSAPP, "sms": keys.SMS, "vbm": keys.VBM}


class Checked:
    """One answer of `/check`, read by finding."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.verdict = body["verdict"]
        self.findings = {f["id"]: f for f in body["findings"]}

    def __getitem__(self, name: str) -> tuple[str, bool]:
        return self.findings[name]["level"], self.findings[name]["ok"]


def check(desk: Desk, channel: str, **body: Any) -> Checked:
    answer = desk.gateway("/check", {"channel": channel, "destination_phone": TO, **body}, KEYS[channel])
    assert answer.status_code == 200, answer.text
    return Checked(answer.get_json())


def template(desk: Desk, number: int, variables: Any = None, **body: Any) -> Checked:
    return check(desk, "whatsapp", template_id=number, message_variables=variables, **body)


def test_a_good_send_has_no_trouble_and_says_what_cannot_be_known(desk: Desk) -> None:
    desk.connect()
    found = template(desk, 90001, ["Mara", "Tuesday"])
    assert found.verdict == "no_trouble_found"
    assert found["number"] == found["template"] == found["variables"] == found["window"] == ("certain", True)
    assert found["recipient"] == found["opt_out"] == ("cannot_know", True)
    assert found["line_kind"] == ("likely", True)


def test_nothing_is_sent_and_nothing_is_stored(desk: Desk) -> None:
    desk.connect()
    before = len(desk.octopods.log())
    template(desk, 90001, ["Mara", "Tuesday"])
    path = "/whatsapp/templates/90001/messages?check=1"
    answer = desk.gateway(path, {"destination_phone": TO, "message_variables": ["Mara"]}, keys.WHATSAPP)
    assert Checked(answer.get_json()).verdict == "would_fail"
    assert len(desk.octopods.log()) == before
    assert all_messages(desk) == []


@pytest.mark.parametrize("query", ["CHECK=1", "check=TRUE", "Check=on", "check=yes", "check=0&check=1"])
def test_however_a_check_is_asked_for_nothing_is_sent(desk: Desk, query: str) -> None:
    desk.connect()
    answer = desk.gateway(f"/sms/messages?{query}", {"destination_phone": TO, "body": "Hi"}, keys.SMS)
    assert Checked(answer.get_json()).verdict == "no_trouble_found"
    assert desk.octopods.sends() == []


@pytest.mark.parametrize("query", ["check", "check=", "check=y", "CHECK=maybe", "check=1&check=2"])
def test_a_check_that_cannot_be_read_is_refused_and_sends_nothing(desk: Desk, query: str) -> None:
    desk.connect()
    answer = desk.gateway(f"/sms/messages?{query}", {"destination_phone": TO, "body": "Hi"}, keys.SMS)
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 1)
    assert "check must be true or false" in answer.get_json()["error"]
    assert desk.octopods.sends() == []
    assert all_messages(desk) == []


@pytest.mark.parametrize("query", ["check=0", "check=false", "check=No", "check=off"])
def test_a_check_that_is_not_wanted_sends(desk: Desk, query: str) -> None:
    desk.connect()
    answer = desk.gateway(f"/sms/messages?{query}", {"destination_phone": TO, "body": "Hi"}, keys.SMS)
    assert (answer.status_code, len(desk.octopods.sends())) == (201, 1)


@pytest.mark.parametrize(
    ("body", "finding", "fix"),
    [
        ({"destination_phone": "087 123 4567", "body": "Hi"}, "number", "reformat_phone"),
        ({"destination_phone": "12", "body": "Hi"}, "number", "edit_phone"),
        ({"body": "x" * 1601}, "text", "edit_text"),
        ({"template_id": 99999}, "template", "choose_template"),
        ({"template_id": 90011, "message_variables": ["a"]}, "template", "choose_template"),
        ({"template_id": 90001, "message_variables": ["Mara"]}, "variables", "supply_variables"),
        ({"template_id": 90001, "message_variables": ["Mara", " "]}, "variables", "supply_variables"),
        ({"template_id": 90001, "message_variables": ["a", "b", "c"]}, "variables", "supply_variables"),
        ({"template_id": 90002, "message_variables": ["a", "b", "c", "d"]}, "variables", "supply_variables"),
        ({"template_id": 90003, "message_variables": ["a"]}, "header_media", "replace_media_url"),
        (
            {
                "template_id": 90003,
                "message_variables": ["a"],
                "header_attachment_url": "http://10.0.0.1/a.png",
            },
            "header_media",
            "replace_media_url",
        ),
    ],
)
def test_certain_trouble_is_named_with_the_fix_that_helps(
    desk: Desk, body: dict[str, Any], finding: str, fix: str
) -> None:
    desk.connect()
    found = check(desk, "whatsapp" if "template_id" in body else "sms", **body)
    assert (found.verdict, found[finding]) == ("would_fail", ("certain", False))
    assert found.findings[finding]["fix"] == fix
    assert [f["id"] for f in found.findings.values() if not f["ok"]] == [finding]


def test_values_by_section_satisfy_a_template_with_places_outside_its_text(desk: Desk) -> None:
    desk.connect()
    given = {"header": ["7"], "body": ["Mara", "7"], "footer": [], "buttons": ["7"]}
    assert template(desk, 90002, given)["variables"] == ("certain", True)


def test_a_landline_and_a_bare_placeholder_are_likely_trouble(desk: Desk) -> None:
    desk.connect()
    found = check(desk, "sms", destination_phone="+35312345678", body="Hi {{name}}")
    assert found.verdict == "at_risk"
    assert found["line_kind"] == found["text"] == ("likely", False)


def test_what_happened_to_this_number_before_is_remembered(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(MARA.phone, 90001, ["Mara", "Tuesday"])
    desk.send_sms(TO)
    desk.pass_time(15)
    failed = template(desk, 90001, ["Mara", "Tuesday"], destination_phone=MARA.phone)
    assert failed["recipient"] == ("likely", False)
    assert "Not on WhatsApp" in failed.findings["recipient"]["text"]
    assert check(desk, "sms", body="Else")["recipient"] == ("likely", True)


def test_the_same_message_a_moment_ago_is_likely_one_too_many(desk: Desk) -> None:
    desk.connect()
    desk.send_whatsapp(TO, 90001, ["Mara", "Tuesday"])
    again = {"header": [], "body": ["Mara", "Tuesday"], "footer": [], "buttons": []}
    assert template(desk, 90001, again)["duplicate"] == ("likely", False)
    assert template(desk, 90001, ["Mara", "Friday"])["duplicate"] == ("certain", True)
    desk.pass_time(601)
    assert template(desk, 90001, again)["duplicate"] == ("certain", True)


def test_the_same_message_of_yesterday_evening_is_told_with_its_day(desk: Desk) -> None:
    desk.connect(timezone="UTC")
    desk.pass_time(10 * 3600 + 50 * 60)  # to 11:55PM
    desk.send_sms("+46701740690", "Hi Mara.")
    desk.pass_time(8 * 60)
    body = {"destination_phone": "+46701740690", "body": "Hi Mara.", "channel": "sms"}
    findings = desk.gateway("/check", body, keys.SMS).get_json()["findings"]
    words = next(finding["text"] for finding in findings if finding["id"] == "duplicate")
    assert words == "The same message went to this number on Nov 23, 2026 at 11:55PM."


def test_a_person_who_asked_not_to_be_messaged_is_certain_trouble_on_every_channel(desk: Desk) -> None:
    desk.connect()
    pia = BY_ID["recipient_opted_out"]
    desk.send_sms(pia.phone)
    desk.pass_time(15)
    found = template(desk, 90001, ["a", "b"], destination_phone=pia.phone)
    assert (found.verdict, found["opt_out"]) == ("would_fail", ("certain", False))


def test_a_blocked_key_is_told_with_its_time(desk: Desk) -> None:
    desk.connect()
    desk.octopods.set_fault("rate_limited", path="/sms/messages", method="POST", seconds=600)
    desk.send_sms(TO)
    found = check(desk, "sms", body="Else")
    assert found["key"] == ("certain", False)
    assert "1:15PM" in found.findings["key"]["text"]


def test_an_old_copy_of_the_templates_is_only_likely_and_none_is_not_known(desk: Desk) -> None:
    desk.connect("whatsapp")
    desk.clock.advance(3600)
    assert template(desk, 90011, ["a"])["template"] == ("likely", False)
    assert check(desk, "whatsapp", template_id=90011)["template"] == ("likely", False)


def test_a_body_octopods_would_refuse_is_told_as_such(desk: Desk) -> None:
    desk.connect()
    found = check(desk, "sms", body="")
    assert (found.verdict, found["request"]) == ("would_fail", ("certain", False))
    assert desk.gateway("/check", [], keys.SMS).status_code == 400
    assert desk.gateway("/check", {"channel": ["sms"], "destination_phone": TO}, keys.SMS).status_code == 400


def test_a_fix_that_would_certainly_fail_is_not_sent(desk: Desk) -> None:
    """The same engine stands before every fix: here the template was rejected since the card was drawn."""
    desk.connect()
    desk.send_whatsapp(BY_ID["provider_outage"].phone, 90001, ["Ella", "Tuesday"])
    desk.pass_time(15)
    desk.clock.advance(100)
    drawn = desk.initialize()
    with writing(desk.flow.engine) as conn:
        values = {"data": {"id": "90001", "channel": "whatsapp", "name": "visit", "status": "Rejected"}}
        conn.execute(update(templates).where(templates.c.template_id == "90001").values(values))
    shown = desk.click(drawn, "Send again")
    assert "Send again" not in desk.initialize().buttons
    assert "Template visit cannot be sent: it is rejected." in shown.words
    assert len(desk.octopods.sends()) == 1


def test_the_same_content_in_another_shape_is_the_same() -> None:
    listed = Content(template_id="1", variables=["a", "b"])
    assert same_content(listed, Content(template_id="1", variables={"1": "a", "2": "b"}))
    assert not same_content(listed, Content(template_id="1", variables=["a"]))
    assert not same_content(listed, Content(template_id="2", variables=["a", "b"]))
