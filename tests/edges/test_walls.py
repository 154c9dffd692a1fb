"""The walls between tenants, over every route there is: an id of another tenant is an unknown id.

A new route is tried by itself where its ids stand in its path; one that takes ids elsewhere must be added to
BODIES, and one that takes none to NO_IDS, or these tests fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from canvas.config import load
from canvas.domain.message import Message
from canvas.factory import build_flow, create_app
from canvas.surfaces.guard import hub_signature
from tests.desk import SECRET
from tests.edges.tenants import MISSING, Tenant, World, incident_of, shape_of, token_of

GUARDS = {"intercom", "hubspot", "key", "session", "admin", "bulk", "link", "bearer", "twilio", "whatsapp"}
# Whoever may see these sees the same: nothing of any tenant.
OPEN = {
    "/",
    "/healthz",
    "/readyz",
    "/reasons",
    "/reasons/<reason_id>",
    "/static/<path:filename>",
    "/intercom/install",
    "/intercom/callback",
    "/hubspot/install",
    "/hubspot/callback",
}
NO_IDS = {
    "/metrics",
    "/logout",
    "/api/v1/diagnose",
    "/api/v1/check",
    "/api/v1/sms/messages",
    "/api/v1/whatsapp/templates",
    "/api/v1/vbm/templates",
    "/settings",
    "/settings/channels",
    "/settings/export",
    "/insights",
    "/settings/alerts",
    "/settings/alerts/test",
    "/settings/unknown/contribution.jsonl",
    "/intercom/health",  # these two name a workspace that Intercom vouches for, and nothing in it
    "/intercom/uninstall",
    "/settings/audit",
    "/settings/audit.csv",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked about: somebody else's message, contact and channel, or none that exist."""

    message: Message
    octopods_id: str
    contact: str
    channel_id: int
    job_id: str
    install: str


Probe = Callable[[World, Tenant, Target], TestResponse]


def theirs(tenant: Tenant) -> Target:
    return Target(
        tenant.message,
        tenant.message.octopods_id or "",
        tenant.contact,
        tenant.channel_id,
        tenant.job_id,
        tenant.install.public_id,
    )


def nobodys(tenant: Tenant) -> Target:
    return Target(
        replace(tenant.message, id=MISSING),
        "999999999",
        "contact-of-nobody",
        999999,
        "job_" + "0" * 26,
        "intercom:nobody1",
    )


def submit(component: Callable[[World, Target], str]) -> Probe:
    return lambda w, me, t: w.canvas(
        me, "/intercom/submit", t.contact, component_id=component(w, t), input_values={"text": "x"}
    )


def _click(world: World, mine: Tenant, target: Target) -> TestResponse:
    fix = {
        "messageId": target.message.id,
        "fix": "retry_now",
        "objectId": target.contact,
        "fixToken": f".{token_of(world, target.message)}",
    }
    return world.card(mine, "POST", "/hubspot/card/fix", fix)


def _workflow(action: str) -> Probe:
    def probe(world: World, mine: Tenant, target: Target) -> TestResponse:
        run = {
            "callbackId": f"ap-{target.message.id}",
            "origin": {"portalId": mine.external_id},
            "object": {"objectId": target.contact, "properties": {}},
        }
        return world.desk.workflow(action, run)

    return probe


def _webhook(world: World, mine: Tenant, target: Target) -> TestResponse:
    kinds = ("contact.deletion", "contact.privacyDeletion", "contact.merge")
    return world.desk.webhook(
        [
            {"portalId": mine.external_id, "subscriptionType": kind, "objectId": target.contact}
            for kind in kinds
        ]
    )


def _notification(world: World, mine: Tenant, target: Target) -> TestResponse:
    note = {
        "app_id": mine.external_id,
        "id": f"notif_{target.contact}",
        "topic": "contact.deleted",
        "data": {"item": {"id": target.contact}},
    }
    body = json.dumps(note).encode()
    signed = {"X-Hub-Signature": hub_signature(SECRET, body)}
    answer = world.desk.client.post("/intercom/webhooks", data=body, headers=signed)
    world.desk.work()
    return answer


BODIES: dict[str, list[Probe]] = {
    "/intercom/initialize": [lambda w, me, t: w.canvas(me, "/intercom/initialize", t.contact)],
    "/intercom/submit": [
        submit(lambda w, t: f"open:{t.message.id}"),
        submit(lambda w, t: f"support:{t.message.id}"),
        submit(lambda w, t: "all:0"),
        *[submit(lambda w, t, verb=verb: f"{verb}:{token_of(w, t.message)}") for verb in ("fix", "do", "go")],  # type: ignore[misc]
    ],
    "/intercom/webhooks": [_notification],
    "/hubspot/card": [
        lambda w, me, t: w.card(me, "GET", f"/hubspot/card?objectId={t.contact}&objectTypeId=0-1")
    ],
    "/hubspot/card/fix": [_click],
    "/hubspot/workflow/retry": [_workflow("retry")],
    "/hubspot/workflow/check": [_workflow("check")],
    "/hubspot/webhooks": [_webhook],
    "/api/v1/track": [
        lambda w, me, t: w.api(me, "POST", "/api/v1/track", {"message_id": t.octopods_id, "status": "failed"})
    ],
    "/api/v1/whatsapp/messages": [
        lambda w, me, t: w.api(me, "GET", f"/api/v1/whatsapp/messages?limit=5&message_id={t.octopods_id}")
    ],
    "/history": [
        lambda w, me, t: w.visit(me, "GET", f"/history?q={t.message.id}"),
        lambda w, me, t: w.visit(me, "GET", f"/history?contact={t.contact}&channel_id={t.channel_id}"),
    ],
    "/history/bulk": [
        lambda w, me, t: w.visit(me, "GET", f"/history/bulk?q={t.message.id}"),
        lambda w, me, t: w.visit(me, "POST", "/history/bulk", choice="nothing", q=t.message.id),
    ],
    "/settings/unknown": [
        lambda w, me, t: w.visit(me, "GET", "/settings/unknown"),
        lambda w, me, t: w.visit(
            me, "POST", "/settings/unknown", shape=shape_of(t.install), reason="not_on_whatsapp"
        ),
    ],
    "/settings/team": [
        lambda w, me, t: w.visit(me, "POST", "/settings/team", person=t.contact, deed="admin")
    ],
    "/settings/erase": [
        lambda w, me, t: w.visit(me, "POST", "/settings/erase", whom=t.contact, for_good="yes")
    ],
    "/history.csv": [lambda w, me, t: w.visit(me, "GET", f"/history.csv?q={t.message.id}")],
}
IN_PATHS: dict[str, Callable[[World, Tenant, Target], str]] = {
    # Templates are Octopods' and asked with the caller's own key; no tenant of ours owns one.
    "template_id": lambda w, me, t: "999999",
    "job_id": lambda w, me, t: t.job_id,
    "incident_id": lambda w, me, t: incident_of(t.install),
    "token": lambda w, me, t: w.desk.flow.message_links.token(replace(t.message, install_id=me.install.id)),
    "channel_id": lambda w, me, t: str(t.channel_id),
    "install": lambda w, me, t: t.install,
}


def _path(rule: Rule, world: World, mine: Tenant, target: Target) -> str:
    path = rule.rule
    for name in rule.arguments:
        if name == "message_id":
            value = target.octopods_id if path.startswith("/api/") else target.message.id
        else:
            assert name in IN_PATHS, f"{rule.rule}: say in IN_PATHS what {name} is"
            value = IN_PATHS[name](world, mine, target)
        path = re.sub(rf"<(?:\w+:)?{name}>", value, path)
    return path


def _generic(rule: Rule, method: str, guard: str) -> Probe:
    """A probe for a route whose ids stand in its path."""
    if guard == "key":
        body = {"destination_phone": "+46701740699"} if method == "POST" else None
        return lambda w, me, t: w.api(me, method, _path(rule, w, me, t), body)
    return lambda w, me, t: w.visit(
        me, method, _path(rule, w, me, t), token=token_of(w, t.message), fix=token_of(w, t.message)
    )


def an_app() -> Flask:
    config = load({"DATABASE_URL": "sqlite:///instance/never-opened.db"})
    return create_app(config, build_flow(config, lambda action_id, due_at: None))


RULES = sorted(an_app().url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))
GUARD_OF = {rule.endpoint: getattr(an_app().view_functions[rule.endpoint], "guard", None) for rule in RULES}
WALLED = [rule for rule in RULES if rule.rule not in OPEN | NO_IDS]


def probes(rule: Rule) -> list[Probe]:
    if rule.rule in BODIES:
        return BODIES[rule.rule]
    assert rule.arguments, f"{rule.rule}: add what it takes to BODIES, or the route to NO_IDS"
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return [_generic(rule, method, str(GUARD_OF[rule.endpoint])) for method in methods]


def heard(response: TestResponse, target: Target) -> tuple[int, str]:
    """The answer without what differs between any two answers: the ids asked about, our new ids, request ids."""
    words = response.get_data(as_text=True)
    own = (
        target.message.id,
        target.octopods_id,
        target.contact,
        target.job_id,
        target.install,
        response.headers["X-Request-Id"],
    )
    words = re.sub(r"msg_[0-9a-z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "~", words)
    for value in own:
        words = words.replace(value, "~")
    words = re.sub(r"[\w-]{20,}\.[\w-]{6}\.[\w-]{27,43}", "~", words)  # signed tokens
    words = re.sub(r"channel \d+", "channel ~", words)
    return response.status_code, re.sub(r'"message_id":"?\d+"?|value="[0-9a-f]{64}"', "~", words)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.endpoint}")
def test_every_route_is_guarded_or_on_the_short_list_of_open_ones(rule: Rule) -> None:
    guard = GUARD_OF[rule.endpoint]
    if rule.rule in OPEN:
        assert guard == "open" or rule.endpoint == "static"
    else:
        assert guard in GUARDS


def test_a_foreign_id_is_an_unknown_id_on_every_route_and_changes_nothing(world: World) -> None:
    before = world.stored()
    for rule in WALLED:
        platform = "hubspot" if rule.rule.startswith("/hubspot") else "intercom"
        mine, foreign = world.mine[platform], world.theirs[platform]
        for probe in probes(rule):
            asked, unknown = theirs(foreign), nobodys(foreign)
            answer = probe(world, mine, asked)
            assert heard(answer, asked) == heard(probe(world, mine, unknown), unknown), rule.rule
            assert "Words of " + foreign.external_id not in answer.text, rule.rule
            assert answer.status_code < 500, rule.rule
    assert world.stored() == before


def test_one_s_own_ids_are_answered_so_that_the_walls_are_not_just_shut_doors(world: World) -> None:
    mine = world.mine["intercom"]
    target = theirs(mine)
    assert "Number cannot get messages" in world.canvas(mine, "/intercom/initialize", mine.contact).text
    opened = submit(lambda w, t: f"open:{t.message.id}")(world, mine, target)
    assert "not here any more" not in opened.text
    assert world.api(mine, "GET", f"/api/v1/sms/messages/{target.octopods_id}").status_code == 200
    assert world.visit(mine, "GET", f"/history/{target.message.id}").status_code == 200
    assert (
        world.visit(mine, "GET", f"/m/{world.desk.flow.message_links.token(mine.message)}").status_code == 200
    )
    portal = world.mine["hubspot"]
    card = world.card(portal, "GET", f"/hubspot/card?objectId={portal.contact}&objectTypeId=0-1")
    assert len(card.get_json()["failures"]) == 1


@pytest.mark.parametrize("path", ["/history", "/history.csv", "/logout", "/history/x", "/history/x/fix"])
def test_pages_need_a_session_and_forms_their_token(world: World, path: str) -> None:
    method = "POST" if path.endswith(("/fix", "/logout")) else "GET"
    stranger = world.app.test_client().open(path, method=method, base_url="https://redeliver.example.com")
    assert stranger.status_code == 401
    if method == "POST":
        mine = world.mine["intercom"]
        assert world.visit(mine, "POST", path, csrf_token="forged").status_code == 403
