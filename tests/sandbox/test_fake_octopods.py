"""The fake Octopods behaves as Octopods' help center documents, over real HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from canvas.sandbox.octopods import keys
from canvas.sandbox.people import PEOPLE, Person
from tests.fakes import OctopodsFake

NOBODY = "+46701740699"


def call(
    fake: OctopodsFake, method: str, path: str, key: str, body: Any = None, **headers: str
) -> requests.Response:
    headers = {"X-Octopods-Auth": key, **headers}
    return requests.request(method, f"{fake.url}/api/v1/{path}", json=body, headers=headers, timeout=5)


def send_sms(fake: OctopodsFake, key: str = keys.SMS, **fields: Any) -> requests.Response:
    return call(fake, "POST", "sms/messages", key, {"destination_phone": NOBODY, "body": "Hello", **fields})


def send_whatsapp(
    fake: OctopodsFake, template: int, key: str = keys.WHATSAPP, **fields: Any
) -> requests.Response:
    body = {"destination_phone": NOBODY, **fields}
    return call(fake, "POST", f"whatsapp/templates/{template}/messages", key, body)


def test_a_message_is_taken_and_arrives_as_time_passes(fake_octopods: OctopodsFake) -> None:
    taken = send_sms(fake_octopods)
    assert taken.status_code == 201
    number = taken.json()["message_id"]
    seen = []
    for seconds in (0, 3):
        fake_octopods.advance(seconds)
        seen.append(call(fake_octopods, "GET", f"sms/messages/{number}", keys.SMS).json()["status"])
    assert seen == ["SENT", "DELIVERED"]


VISIT = {"header": [], "body": ["Mara", "Tuesday"], "footer": [], "buttons": []}
REFUSALS = [
    ("sms/messages", {"body": "Hi"}, 1, "Phone number is missing."),
    ("sms/messages", {"body": "Hi", "destination_phone": "0171 39200 12"}, 3, "Invalid Phone number."),
    ("sms/messages", {"body": " ", "destination_phone": NOBODY}, 2, "Message body is empty."),
    ("sms/messages", {"destination_phone": NOBODY}, 1, "You must supply body in your request payload."),
    ("whatsapp/templates/1/messages", {"destination_phone": NOBODY}, 3, "Message Template does not exist."),
    (
        "whatsapp/templates/90011/messages",
        {"destination_phone": NOBODY},
        3,
        "Template does not exist or is not approved",
    ),
    (
        "whatsapp/templates/90001/messages",
        {"destination_phone": NOBODY, "message_variables": ["Mara"]},
        4,
        "The number of variables you supplied does not match the template.",
    ),
    (
        "whatsapp/templates/90003/messages",
        {"destination_phone": NOBODY, "message_variables": {"1": "Mara"}, "header_attachment_url": "https://x.example/a.exe"},
        8,
        "Invalid header media URL.",
    ),
    (
        "vbm/templates/70002/messages",
        {"destination_phone": NOBODY, "message_variables": {"body": ["Mara"]}},
        1,
        "You must supply header_image_url in your request payload.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "code", "text"), REFUSALS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_wrong_request_is_refused_with_the_code_of_its_family(
    fake_octopods: OctopodsFake, path: str, body: dict[str, Any], code: int, text: str
) -> None:
    key = {"sms": keys.SMS, "whatsapp": keys.WHATSAPP, "vbm": keys.VBM}[path.split("/")[0]]
    answer = call(fake_octopods, "POST", path, key, body)
    assert (answer.status_code, answer.json()["error_code"], answer.json()["error"]) == (400, code, text)
    assert fake_octopods.sends() == []


def test_values_outside_the_body_need_the_sectioned_object(fake_octopods: OctopodsFake) -> None:
    sectioned = {"header": ["8841"], "body": ["Mara", "8841"], "footer": [], "buttons": ["8841"]}
    assert (
        send_whatsapp(fake_octopods, 90002, message_variables=["a", "b", "c", "d"]).json()["error_code"] == 9
    )
    assert send_whatsapp(fake_octopods, 90002, message_variables=sectioned).status_code == 201


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        ("nobody-knows-it", 401, "Missing or invalid API key."),
        (
            keys.OLD_WHATSAPP,
            400,
            "Deprecated API Key. Please go to your Octopods App, and get your new API Key",
        ),
        (keys.SMS, 400, "Your origin sending Channel / Number is unknown to us."),
    ],
)
def test_a_key_opens_its_own_channel_while_it_is_valid(
    fake_octopods: OctopodsFake, key: str, status: int, text: str
) -> None:
    answer = send_whatsapp(fake_octopods, 90001, key, message_variables=VISIT)
    assert (answer.status_code, answer.json()["error"]) == (status, text)


@pytest.mark.parametrize(
    "person", [p for p in PEOPLE if p.at in {"send", "delivery", "silence"}], ids=lambda p: p.id
)
def test_each_person_meets_their_own_trouble(fake_octopods: OctopodsFake, person: Person) -> None:
    fake_octopods.shapes(vbm_status=True)
    answer = send_to(fake_octopods, person)
    if person.at == "send":
        assert answer.status_code == 400
        assert person.text in answer.json()["error"]
        return
    fake_octopods.advance(3)
    key = {"sms": keys.SMS, "whatsapp": keys.WHATSAPP, "vbm": keys.VBM}[person.channel]
    found = call(fake_octopods, "GET", f"{person.channel}/messages/{answer.json()['message_id']}", key).json()
    assert found["status"] == ("UNKNOWN" if person.at == "silence" else "FAILED")
    assert person.text in str(found.get("failure_reason", ""))


def send_to(fake: OctopodsFake, person: Person, **fields: Any) -> requests.Response:
    if person.channel == "sms":
        return send_sms(fake, destination_phone=person.phone, **fields)
    if person.channel == "whatsapp":
        return send_whatsapp(fake, 90006, destination_phone=person.phone, **fields)
    body = {"destination_phone": person.phone, **fields}
    return call(fake, "POST", "vbm/templates/70003/messages", keys.VBM, body)


def test_the_same_text_fails_again_and_another_text_arrives(fake_octopods: OctopodsFake) -> None:
    person = next(person for person in PEOPLE if person.id == "carrier_filtered")
    sent = [
        send_to(fake_octopods, person, body=text).json()["message_id"] for text in ("Buy!", "Buy!", "Hello")
    ]
    fake_octopods.advance(3)
    found = [
        call(fake_octopods, "GET", f"sms/messages/{number}", keys.SMS).json()["status"] for number in sent
    ]
    assert found == ["FAILED", "FAILED", "DELIVERED"]


def test_an_admin_can_repair_the_settings(fake_octopods: OctopodsFake) -> None:
    person = next(person for person in PEOPLE if person.id == "region_not_enabled")
    assert send_to(fake_octopods, person).status_code == 400
    fake_octopods.cure(person.id)
    assert send_to(fake_octopods, person).status_code == 201


def test_the_list_holds_this_keys_messages_newest_first_and_is_an_error_when_empty(
    fake_octopods: OctopodsFake,
) -> None:
    fake_octopods.add_key("another", "whatsapp")
    assert call(fake_octopods, "GET", "whatsapp/messages", keys.WHATSAPP).status_code == 400
    mine = [send_whatsapp(fake_octopods, 90006).json()["message_id"] for _ in range(2)]
    send_whatsapp(fake_octopods, 90006, "another")
    listed = call(fake_octopods, "GET", "whatsapp/messages?limit=500", keys.WHATSAPP).json()["messages"]
    assert [item["message_id"] for item in listed] == mine[::-1]
    fake_octopods.shapes(listing="guide")
    bare = call(fake_octopods, "GET", "whatsapp/messages", keys.WHATSAPP).json()
    assert [item["message_status"]["channel_message_id"] for item in bare] == mine[::-1]


def test_a_blocked_key_is_refused_until_its_time_and_others_are_not(fake_octopods: OctopodsFake) -> None:
    fake_octopods.block_key(keys.SMS, 60)
    blocked = send_sms(fake_octopods)
    assert blocked.status_code == 429
    assert "T" in blocked.json()["retry_at"]
    assert send_whatsapp(fake_octopods, 90006).status_code == 201
    fake_octopods.advance(61)
    assert send_sms(fake_octopods).status_code == 201


def test_a_connection_cut_after_accepting_leaves_one_send_and_no_answer(fake_octopods: OctopodsFake) -> None:
    fake_octopods.set_fault("cut_after", path="/sms/")
    with pytest.raises(requests.ConnectionError):
        send_sms(fake_octopods)
    (entry,) = fake_octopods.log()
    assert (entry["accepted"], entry["answered"], entry["fault"]) == (True, False, "cut_after")


def test_a_connection_cut_before_accepting_leaves_no_send(fake_octopods: OctopodsFake) -> None:
    with pytest.raises(requests.ConnectionError):
        call(fake_octopods, "POST", "sms/messages", keys.SMS, {}, **{"X-Sandbox-Fault": "cut_before"})
    assert fake_octopods.sends() == []
    assert len(fake_octopods.log()) == 1


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        ("down", 503, False),
        ("html", 502, False),
        ("error_200", 200, False),
        ("empty", 201, True),
        ("rate_limited", 429, False),
    ],
)
def test_a_fault_spoils_the_next_answer_only(
    fake_octopods: OctopodsFake, kind: str, status: int, accepted: bool
) -> None:
    fake_octopods.set_fault(kind, path="/sms/", seconds=0)
    assert send_sms(fake_octopods).status_code == status
    assert bool(fake_octopods.sends()) is accepted
    assert send_sms(fake_octopods).status_code == 201


def test_the_journal_counts_every_send_of_a_crowd(fake_octopods: OctopodsFake) -> None:
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: send_sms(fake_octopods), range(40)))
    ids = {answer.json()["message_id"] for answer in answers}
    assert len(ids) == 40
    assert {int(entry["id"]) for entry in fake_octopods.sends()} == ids


def test_templates_can_be_filtered_and_viber_lists_accepted_ones_only(fake_octopods: OctopodsFake) -> None:
    def names(path: str, key: str) -> list[str]:
        return [item["template_name"] for item in call(fake_octopods, "GET", path, key).json()]

    assert names("whatsapp/templates?status=rejected", keys.WHATSAPP) == ["spring_offer"]
    assert names("whatsapp/templates?status=accepted&lang=pt", keys.WHATSAPP) == ["pedido_enviado"]
    assert (
        call(fake_octopods, "GET", "whatsapp/templates?status=nope", keys.WHATSAPP).json()["error_code"] == 10
    )
    assert "viber_reminder" in names("vbm/templates", keys.VBM)
