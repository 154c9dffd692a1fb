"""Rules of offering that need no app around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from canvas.domain.fix import ChannelState, Fix, Situation
from canvas.domain.fixes import PLAIN_RETRY, offered
from canvas.domain.message import Content, Message, Status
from canvas.domain.plan import SHOWN, FormAgain, Plan, Send, mark, plan
from canvas.domain.preflight import Known, Link, Planned, blocking, preflight
from canvas.domain.templates import Template
from canvas.knowledge.catalogue import load

NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
NUMBER = "+46701740690"


def situation(reason: str, channel: str = "whatsapp", templates: int = 0, **more: object) -> Situation:
    content = Content(template_id="1", variables={"body": ["a"]}) if channel != "sms" else Content(text="Hi")
    message = Message(
        id="msg_1",
        install_id=1,
        channel=channel,
        channel_id=1,
        status=Status.FAILED,
        created_at=NOW,
        updated_at=NOW,
        failed_at=NOW - timedelta(days=2),
        raw_to=NUMBER,
        to=NUMBER,
        content=content,
        preview="Hi",
    )
    known = [Template(str(n), channel, f"template_{n}", "Hello", status="Accepted") for n in range(templates)]
    channels = (
        ChannelState(1, channel, "One"),
        ChannelState(2, "sms" if channel != "sms" else "whatsapp", "Two"),
    )
    values = {"channels": channels, "choices": {1: known}, "settings_url": "https://octopods.example", **more}
    return Situation(message, load().reasons[reason], NOW, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "vbm"])
@pytest.mark.parametrize("reason", list(load().reasons))
def test_a_plain_retry_is_never_offered_where_it_cannot_help(reason: str, channel: str) -> None:
    ids = {fix.id for fix in offered(situation(reason, channel))}
    if load().reasons[reason].retry in ("after_fix", "settings"):
        assert not ids & {"retry_now", "retry_later"}


def test_a_report_that_was_lost_is_no_reason_to_send_again_when_the_channel_works() -> None:
    working = (ChannelState(1, "whatsapp", "One", worked_at=NOW), ChannelState(2, "sms", "Two"))
    ids = {fix.id for fix in offered(situation("webhook_unreachable", channels=working))}
    assert not ids & {"retry_now", "retry_later"}


TAKEN: list[dict[str, Any]] = [
    {"octopods_id": "6230011"},
    {"request_id": "r-1"},
    {"provider_id": "SM1"},
    {"sent_at": NOW - timedelta(days=3)},
]


def shown(reason: str, accepted: bool, traces: dict[str, Any] = TAKEN[0], **since: datetime) -> bool:
    """Whether "Send again" is offered when the channel has this to show since the message failed."""
    channels = (ChannelState(1, "whatsapp", "One", **since), ChannelState(2, "sms", "Two"))
    told = situation(reason, channels=channels)
    told = replace(told, message=replace(told.message, **(traces if accepted else {})))
    return "Send again" in labels(told)


SETTINGS = [r.id for r in load().reasons.values() if r.retry == "settings"]
BY_OTHERS = {
    "unknown_channel",
    "deprecated_api_key",
    "permission_denied",
    "account_suspended",
    "insufficient_balance",
    "spend_limit_reached",
    "channel_misconfigured",
}


@pytest.mark.parametrize("reason", SETTINGS)
def test_what_was_refused_is_repaired_when_another_message_is_taken(reason: str) -> None:
    assert shown(reason, accepted=False, worked_at=NOW) is (reason in BY_OTHERS)


@pytest.mark.parametrize("traces", TAKEN)
@pytest.mark.parametrize("reason", SETTINGS)
def test_what_failed_after_it_was_taken_is_repaired_only_when_another_message_arrives(
    reason: str, traces: dict[str, Any]
) -> None:
    assert not shown(reason, True, traces, worked_at=NOW)
    assert shown(reason, True, traces, delivered_at=NOW) is (reason in BY_OTHERS)
    assert not shown(reason, True, traces, delivered_at=NOW - timedelta(days=3))


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("reason", SETTINGS)
def test_an_admins_word_counts_except_for_templates_and_lost_reports(reason: str, accepted: bool) -> None:
    others = {"template_not_approved", "template_paused", "webhook_unreachable"}
    assert shown(reason, accepted, changed_at=NOW) is (reason not in others)


def labels(s: Situation) -> list[str]:
    return [fix.label for fix in offered(s)]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("SMS", "Send as SMS instead"),
        ("SMS (busy)", "Send by SMS (busy) instead"),
        ("Support", "Send by SMS Support instead"),
    ],
)
def test_a_channel_is_named_where_several_could_send(name: str, label: str) -> None:
    channels = (
        ChannelState(1, "whatsapp", "WhatsApp"),
        ChannelState(2, "sms", name),
        ChannelState(3, "sms", "Another SMS"),
    )
    assert label in labels(situation("not_on_whatsapp", channels=channels))


def test_a_button_says_the_time_of_today_and_the_date_of_another_day() -> None:
    waits = (ChannelState(1, "whatsapp", "One", blocked_until=NOW + timedelta(hours=1)),)
    assert "Send again at 2:05PM UTC" in labels(situation("provider_outage", channels=waits))
    waits = (ChannelState(1, "whatsapp", "One", blocked_until=NOW + timedelta(days=1)),)
    assert "Send again on Nov 24, 2026" in labels(situation("provider_outage", channels=waits))


@pytest.mark.parametrize("kind", ["sms", "whatsapp"])
def test_a_fix_on_another_channel_waits_for_the_key_of_that_channel(kind: str) -> None:
    until = NOW + timedelta(hours=1)
    channels = (ChannelState(1, "vbm", "One"), ChannelState(2, kind, "Two", blocked_until=until))
    known = [Template("7", "whatsapp", "Reminder", "Hello", status="Accepted")]
    s = situation("not_on_viber", "vbm", channels=channels, choices={2: known})
    assert [fix.run_at for fix in offered(s) if fix.id == "send_other_channel"] == [until]


@pytest.mark.parametrize("reason", list(load().reasons))
def test_a_failure_is_final_so_its_status_is_not_asked_again(reason: str) -> None:
    told = situation(reason)
    told = replace(told, message=replace(told.message, octopods_id="6230011"))
    assert "check_status" not in {fix.id for fix in offered(told)}


@pytest.mark.parametrize("reason", list(load().reasons))
def test_nothing_is_sent_to_a_person_who_opted_out_whatever_the_reason(reason: str) -> None:
    assert not [fix for fix in offered(situation(reason, opted_out=True)) if fix.sends and fix.enabled]


@pytest.mark.parametrize("reason", list(load().reasons))
def test_a_message_that_was_sent_again_offers_nothing(reason: str) -> None:
    assert offered(situation(reason, has_child=True)) == ()


@pytest.mark.parametrize("reason", list(load().reasons))
def test_every_failure_can_be_told_to_support_and_marked_as_handled(reason: str) -> None:
    ids = [fix.id for fix in offered(situation(reason))]
    assert ids.count("contact_support") == 1
    assert ids.count("mark_handled") == 1


def test_of_many_templates_some_are_listed_and_any_may_be_named() -> None:
    s = situation("template_paused", templates=30)
    fix = next(fix for fix in offered(s) if fix.id == "choose_template")
    assert len(fix.fields[0].options) == 10
    unknown = plan(s, fix, {"template": "other", "template_name": "nobody"})
    assert isinstance(unknown, FormAgain)
    assert [f.name for f in unknown.fields if f.error] == ["template_name"]
    by_name = {"template": "other", "template_name": "Template_29"}
    form = plan(s, fix, by_name)
    assert isinstance(form, FormAgain)
    named = plan(s, fix, {**by_name, SHOWN: form.shown})
    assert isinstance(named, Send)
    assert named.content.template_id == "29"


def test_a_template_named_beside_another_choice_is_not_passed_over() -> None:
    s = situation("template_paused", templates=30)
    fix = next(fix for fix in offered(s) if fix.id == "choose_template")
    todo = plan(s, fix, {"template": fix.fields[0].value, "template_name": "template_29"})
    assert isinstance(todo, FormAgain)
    assert [f.name for f in todo.fields if f.error] == ["template_name"]


def test_a_template_that_changed_under_its_form_is_shown_before_it_is_sent() -> None:
    def planned(body: str, values: dict[str, str]) -> Plan:
        content = Content(template_id="1", variables={"body": ["Ana", "Monday", "Cork"]})
        choices = {1: [Template("5", "whatsapp", "five", body, status="Accepted")]}
        s = situation("template_paused", choices=choices)
        s = replace(s, message=replace(s.message, content=content))
        return plan(s, next(fix for fix in offered(s) if fix.id == "choose_template"), values)

    form = planned("Hi {{1}}, see you on {{2}}", {"template": "5"})
    assert isinstance(form, FormAgain)
    filled = {f.name: f.value for f in form.fields} | {SHOWN: form.shown}
    changed = planned("Hi {{1}}, see you on {{2}}. You owe {{3}}", filled)
    assert isinstance(changed, FormAgain)
    assert [f.name for f in changed.fields] == ["template", "var_body_0", "var_body_1", "var_body_2"]
    assert isinstance(planned("Hi {{1}}, see you on {{2}}", filled), Send)


@pytest.mark.parametrize("reason", list(load().reasons))
def test_an_sms_has_no_template_to_choose_or_to_fill(reason: str) -> None:
    ids = {fix.id for fix in offered(situation(reason, "sms"))}
    assert not ids & {"choose_template", "supply_variables"}


WAITS = ("marketing_limit_ecosystem", "pair_rate_limited", "daily_limit_reached")


def test_an_earlier_attempts_wait_holds_for_every_send_on_its_kind_of_channel() -> None:
    until = NOW + timedelta(days=1)
    channels = (
        ChannelState(1, "sms", "One"),
        ChannelState(2, "whatsapp", "Two"),
        ChannelState(3, "whatsapp", "Three"),
    )
    choices = {n: [Template("5", "whatsapp", "five", "Hello", status="Accepted")] for n in (2, 3)}
    s = situation("handset_unreachable", "sms", channels=channels, choices=choices, waits={"whatsapp": until})
    found = [fix for fix in offered(s) if fix.sends]
    assert {fix.target: fix.run_at for fix in found} == {1: None, 2: until, 3: until}
    assert "Send by WhatsApp Two instead on Nov 24, 2026" in labels(s)
    for fix in found:
        shown = mark(choices[fix.target][0]) if fix.target in choices else ""
        todo = plan(s, fix, {SHOWN: shown})
        assert isinstance(todo, Send)
        assert todo.run_at == fix.run_at


PHOTO = Template("1", "whatsapp", "photo", "Hi {{1}}", header_format="IMAGE", status="Accepted")
PLAIN = Template("1", "whatsapp", "plain", "Hi {{1}}", status="Accepted")
BROKEN = {
    "rejected": (replace(PLAIN, status="Rejected"), {"body": ["a"]}),
    "switched off": (replace(PLAIN, active=False), {"body": ["a"]}),
    "not listed": (None, {"body": ["a"]}),
    "without values": (PLAIN, {}),
    "too many values": (PLAIN, {"body": ["a", "b"]}),
    "without a link": (PHOTO, {"body": ["a"]}),
    "without either": (PHOTO, None),
}
TYPED = {"phone": "+353871234567", "choice": "other", "url": "https://cdn.example/a.jpg", "text": "Hello"}


def filled(s: Situation, fix: Fix) -> Plan:
    """What the fix leads to when an agent gives all that it asks for."""
    todo = plan(s, fix, {f.name: TYPED.get(f.name, f.value or "x") for f in fix.fields})
    if isinstance(todo, FormAgain):
        todo = plan(s, fix, {SHOWN: todo.shown, **{f.name: f.value or "x" for f in todo.fields}})
    return todo


@pytest.mark.parametrize("broken", list(BROKEN))
@pytest.mark.parametrize("reason", list(load().reasons))
def test_no_button_is_drawn_whose_send_is_certain_to_be_refused(reason: str, broken: str) -> None:
    template, values = BROKEN[broken]
    good = Template("2", "whatsapp", "good", "Hi {{1}}", status="Accepted")
    s = situation(reason, template=template, listed_at=NOW, choices={1: [good, *filter(None, [template])]})
    s = replace(s, message=replace(s.message, content=Content(template_id="1", variables=values)))
    for fix in offered(s):
        if not fix.sends or not fix.enabled:
            continue
        todo = filled(s, fix)
        assert isinstance(todo, Send), fix.id
        sent = {"1": template, "2": good}.get(todo.content.template_id or "")
        known = Known(NOW, template=sent, listed_at=NOW, link=Link("ok") if todo.check_link else None)
        found = preflight(Planned(todo.channel, todo.raw_to, todo.content, "IE"), known)
        assert blocking(found) is None, fix.id


@pytest.mark.parametrize("text", ["Hi", "x" * 5000])
@pytest.mark.parametrize("reason", list(load().reasons))
def test_no_text_is_sent_again_that_is_certain_to_be_refused(reason: str, text: str) -> None:
    s = situation(reason, "sms")
    s = replace(s, message=replace(s.message, content=Content(text=text), preview=text))
    again = [fix for fix in offered(s) if fix.id in PLAIN_RETRY and fix.enabled]
    retries = bool(PLAIN_RETRY & set(load().reasons[reason].fixes)) and reason != "recipient_opted_out"
    assert bool(again) is (text == "Hi" and retries)
