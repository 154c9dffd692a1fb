"""The same message shows the same words and the same fixes in Intercom and in HubSpot, for every reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from canvas.domain.ids import new_id
from canvas.domain.message import Content, Message, Status
from canvas.flows import installs, outcome
from canvas.knowledge import catalogue
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import Evidence, Reason
from canvas.sandbox.octopods import keys
from canvas.store import channels, messages
from canvas.store.database import writing
from canvas.surfaces.canvas_kit import plain
from tests.desk import ADMIN, WORKSPACE, Screen
from tests.hubspot.desk import CONTACT, PORTAL, HubSpotDesk

REASONS = sorted(catalogue.load().reasons.values(), key=lambda reason: reason.id)
PHONE = "+46701740611"
SECRETS = {"whatsapp": "other-whatsapp-key", "sms": "other-sms-key", "vbm": "other-vbm-key"}
OURS = {"whatsapp": keys.WHATSAPP, "sms": keys.SMS, "vbm": keys.VBM}


def connect(portal: HubSpotDesk) -> None:
    """A workspace beside the portal, with the same channels under keys of its own."""
    place = {"country": "SE", "timezone": "Europe/Stockholm"}
    installs.connect(portal.flow, "intercom", WORKSPACE, "token", settings=place)
    for public_id, secrets in ((f"intercom:{WORKSPACE}", SECRETS), (f"hubspot:{PORTAL}", OURS)):
        for kind, key in secrets.items():
            portal.octopods.add_key(key, kind)
            installs.add_channel(portal.flow, public_id, kind, key, None, None)
    portal.work()


def fail(portal: HubSpotDesk, public_id: str, evidence: Evidence, now: datetime) -> str:
    """The same message, failed the same way, in one of the installs."""
    channel = evidence.channel or "whatsapp"
    content = Content(text="See you Tuesday.") if channel == "sms" else Content(template_id="90001")
    with writing(portal.flow.engine) as conn:
        install = installs.named(conn, public_id)
        (line,) = [c for c in channels.of_install(conn, install.id) if c.kind == channel]
        message_id = new_id("msg", now)
        message = Message(
            id=message_id,
            install_id=install.id,
            channel=channel,
            channel_id=line.id,
            status=Status.SENT,
            created_at=now,
            updated_at=now,
            raw_to=PHONE,
            to=PHONE,
            content=content,
            preview="See you Tuesday.",
            contact_id=CONTACT,
            octopods_id="6230011",
            thread_id=message_id,
        )
        messages.add(conn, message)
        stored = messages.get(conn, install.id, message_id)
        assert stored
        outcome.failed(conn, portal.flow, stored, evidence, evidence.text, now)
    return message_id


def inbox(portal: HubSpotDesk, message_id: str) -> Screen:
    contact = {"type": "contact", "id": CONTACT, "phone": None}
    person = {"workspace_id": WORKSPACE, "admin": ADMIN, "contact": contact}
    asked = {**person, "component_id": f"open:{message_id}"}
    return Screen(portal.intercom_post("/intercom/submit", asked).get_json(), person)


def shown(screen: Screen) -> str:
    return screen.words.replace("**", "")


def labels(screen: Screen) -> set[str]:
    """The buttons that are fixes, those of the frame left out."""
    buttons = [c["label"] for c in screen.components if c["type"] == "button"]
    return {label for label in buttons if label not in ("Back", "Refresh")}


def evidence_of(reason: Reason) -> Evidence:
    """An example of the reason that is known by itself, on a channel."""
    on_channels = (replace(one, channel=one.channel or "whatsapp") for one in reason.examples)
    return next(one for one in on_channels if diagnose(one).reason == reason.id)


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.id)
def test_both_surfaces_say_and_offer_the_same(portal: HubSpotDesk, reason: Reason) -> None:
    connect(portal)
    evidence, now = evidence_of(reason), portal.clock()
    in_intercom = fail(portal, f"intercom:{WORKSPACE}", evidence, now)
    fail(portal, f"hubspot:{PORTAL}", evidence, now)
    failure: dict[str, Any] = portal.newest()
    screen = inbox(portal, in_intercom)
    assert failure["reason"]["code"] == reason.id
    words = [failure["reason"]["title"], (failure["said"] or {}).get("text", "")]
    words += failure["line"].split(" · ")  # two lines in Intercom
    words += [part for line in failure["lines"] for part in (line["label"], line["text"])]
    words += [fix["why"] for fix in failure["fixes"] if fix["why"]]
    words += [words_of for one in failure["reason"]["candidates"] for words_of in (one["title"], one["test"])]
    words += [failure["pattern"] or "", failure["preview"] or ""]
    missing = [text for text in words if plain(text) not in shown(screen)]
    assert missing == []
    assert {plain(fix["label"]) for fix in failure["fixes"]} == labels(screen)
