"""The fake workspace's templates, of every component kind and in every status.

Octopods API reference, "List WhatsApp Templates" and "List Viber Templates". The shape of buttons and of
media headers is not documented there; these follow what Meta's templates look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Section = Literal["header", "body", "footer", "buttons"]
PLACEHOLDER = re.compile(r"\{\{\s*\d+\s*\}\}")
CREATED = "2026-03-01T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Template:
    """One template. `media` is the header's format when it is not text; `status` is Octopods' own word."""

    id: int
    name: str
    channel: Literal["whatsapp", "vbm"]
    body: str
    header: str = ""
    media: Literal["", "IMAGE", "VIDEO", "DOCUMENT"] = ""
    footer: str = ""
    url: str = ""
    status: str = "Accepted"
    lang: str = "en_US"
    active: bool = True

    @property
    def sendable(self) -> bool:
        return self.status == "Accepted" and self.active

    def places(self) -> dict[Section, int]:
        """How many values each section asks for."""
        texts: dict[Section, str] = {
            "header": self.header,
            "body": self.body,
            "footer": self.footer,
            "buttons": self.url,
        }
        return {section: len(PLACEHOLDER.findall(text)) for section, text in texts.items()}

    def as_json(self, phone: str) -> dict[str, Any]:
        item = {
            "created_at": CREATED,
            "template_id": self.id,
            "template_name": self.name,
            "template_body": self.body,
            "template_components": self._components(),
            "account_phone_number": phone,
        }
        return item if self.channel == "vbm" else {**item, "template_status": self.status}

    def _components(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        if self.header or self.media:
            text = {"text": self.header} if self.header else {}
            parts.append({"type": "HEADER", "format": self.media or "TEXT", **text})
        parts.append({"type": "BODY", "text": self.body})
        if self.footer:
            parts.append({"type": "FOOTER", "text": self.footer})
        if self.url:
            buttons = [{"type": "URL", "text": "Open", "url": self.url}]
            parts.append({"type": "BUTTONS", "buttons": buttons})
        return parts


TEMPLATES = (
    Template(
        90001,
        "visit_reminder_v2",
        "whatsapp",
        "Hi {{1}}, your visit is on {{2}}.",
        "Reminder",
        footer="Thanks",
    ),
    Template(
        90002,
        "order_update",
        "whatsapp",
        "Hi {{1}}, your order {{2}} is on its way.",
        "Order {{1}}",
        url="https://shop.example.com/orders/{{1}}",
    ),
    Template(90003, "parcel_photo", "whatsapp", "Hi {{1}}, your parcel is at the door.", media="IMAGE"),
    Template(90004, "invoice_ready", "whatsapp", "Hi {{1}}, your {{2}} invoice.", media="DOCUMENT"),
    Template(90005, "how_to_video", "whatsapp", "Hi {{1}}, here is how it works.", media="VIDEO"),
    Template(90006, "we_have_news", "whatsapp", "We have news for you. Reply to read it."),
    Template(
        90007, "autumn_offer", "whatsapp", "Hi {{1}}, {{2}} off until Sunday.", footer="Reply STOP to opt out"
    ),
    Template(90008, "pedido_enviado", "whatsapp", "Olá {{1}}, o pedido {{2}} foi enviado.", lang="pt_BR"),
    Template(90011, "spring_offer", "whatsapp", "Hi {{1}}, spring is here.", status="Rejected"),
    Template(90012, "winter_offer", "whatsapp", "Hi {{1}}, winter is here.", status="Pending"),
    Template(90013, "summer_offer", "whatsapp", "Hi {{1}}, summer is here.", status="Under review"),
    Template(90014, "visit_reminder", "whatsapp", "Hi {{1}}.", status="Needs modification"),
    Template(90015, "old_reminder", "whatsapp", "Hi {{1}}.", status="Deleted"),
    Template(90016, "switched_off", "whatsapp", "Hi {{1}}, we moved.", active=False),
    Template(70001, "viber_reminder", "vbm", "Hi {{1}}, we see you on {{2}}."),
    Template(
        70002,
        "viber_parcel_photo",
        "vbm",
        "Hi {{1}}, your parcel is at the door.",
        media="IMAGE",
        url="https://shop.example.com/parcels",
    ),
    Template(70003, "viber_news", "vbm", "We have news for you."),
    Template(
        70004, "viber_offer", "vbm", "Hi {{1}}, {{2}} off until Sunday.", url="https://shop.example.com/offer"
    ),
)
BY_ID = {template.id: template for template in TEMPLATES}

LANGUAGES = {
    "en": {"en", "en_GB", "en_US"},
    "zh": {"zh_CN", "zh_HK", "zh_TW"},
    "pt": {"pt_BR", "pt_PT"},
    "es": {"es", "es_AR", "es_ES", "es_MX"},
}
STATUSES = {"pending", "under_review", "needs_modification", "rejected", "accepted", "deleted"}


def find(channel: str, status: str | None, active: str | None, lang: str | None) -> list[Template]:
    """Templates of a channel that pass every filter given; Viber lists accepted ones only."""
    wanted = "accepted" if channel == "vbm" else status
    return [
        template
        for template in TEMPLATES
        if template.channel == channel
        and (wanted is None or template.status.lower().replace(" ", "_") == wanted)
        and (active is None or template.active == (active == "true"))
        and (lang is None or template.lang in LANGUAGES.get(lang, {lang}))
    ]
