"""What the sandbox's people talk about: the words in the conversation and the message that was sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A small story. `{first}` is the person's first name; `said` alternates person, teammate, person."""

    title: str
    said: tuple[str, ...]
    sms: str
    whatsapp: int
    whatsapp_values: tuple[str, ...]
    vbm: int
    vbm_values: tuple[str, ...]
    header: str = ""


TOPICS = {
    "visit": Topic(
        "Visit reminder",
        (
            "Hi, is my appointment still on? I thought I would get a reminder.",
            "Hi {first}! Yes, Tuesday at 10:30AM. Let me look at what happened to the reminder.",
            "Thanks. I only look at my phone, not at email.",
        ),
        "Hi {first}, your visit is on Tuesday at 10:30AM. Reply if you need another time.",
        90001,
        ("{first}", "Tuesday at 10:30AM"),
        70001,
        ("{first}", "Tuesday at 10:30AM"),
    ),
    "order": Topic(
        "Order update",
        (
            "Where is my order? It should have been here by now.",
            "Hello {first}, it left our warehouse this morning. You should have had a message from us.",
            "Nothing arrived on my phone.",
        ),
        "Hi {first}, order 8841 is on its way and arrives on Thursday.",
        90002,
        ("{first}", "8841"),
        70001,
        ("{first}", "Thursday"),
    ),
    "code": Topic(
        "Login code",
        (
            "I am waiting for the login code. It does not come.",
            "Sorry about that, {first}. I am checking the message now.",
        ),
        "Your login code is 402 771. It is good for ten minutes.",
        90006,
        (),
        70003,
        (),
    ),
    "parcel": Topic(
        "Parcel photo",
        (
            "The courier said the parcel is at my door, but I do not see it.",
            "We take a photo at delivery, {first}. I will check that it reached you.",
        ),
        "Hi {first}, your parcel was left at the front door.",
        90003,
        ("{first}",),
        70002,
        ("{first}",),
        "https://cdn.example.com/parcels/8841.jpg",
    ),
    "invoice": Topic(
        "Invoice",
        (
            "Could you send me the invoice for October again?",
            "Of course, {first}. It goes to your phone as a PDF.",
            "I still do not have it.",
        ),
        "Hi {first}, your October invoice is ready in your account.",
        90004,
        ("{first}", "October"),
        70001,
        ("{first}", "Friday"),
        "https://cdn.example.com/invoices/2026-10.pdf",
    ),
    "offer": Topic(
        "Autumn offer",
        (
            "A friend got an offer from you. Can I have it too?",
            "Hi {first}! It went to everybody on the list. Let me see why yours did not arrive.",
        ),
        "Hi {first}, 20% off everything until Sunday. Tell us STOP to hear no more.",
        90007,
        ("{first}", "20%"),
        70004,
        ("{first}", "20%"),
    ),
}
