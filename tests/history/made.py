"""Messages made straight into the store, as many as a test needs, spread over every filter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Content, Message, Status
from canvas.knowledge.catalogue import Catalogue
from canvas.knowledge.model import Diagnosis, Evidence
from canvas.store.messages import to_row
from canvas.store.tables import messages

REASONS = ("not_on_whatsapp", "recipient_opted_out", "insufficient_balance", "template_paused")
DAY = timedelta(days=1)


def diagnosed(catalogue: Catalogue, reason_id: str) -> Diagnosis:
    reason = catalogue.reasons[reason_id]
    return Diagnosis(reason.id, reason.category, reason.retry, 1.0, "", fixes=reason.fixes)


def message(install_id: int, at: datetime, **values: Any) -> Message:
    """A delivered SMS of this install, other than `values` say."""
    made: dict[str, Any] = {
        "channel": "sms",
        "status": Status.DELIVERED,
        "raw_to": "+353871234567",
        "to": "+353871234567",
        "content": Content(text="Hi Mara, see you Tuesday."),
        "preview": "Hi Mara, see you Tuesday.",
        "sent_at": at,
        **values,
    }
    id_ = values.get("id") or new_id("msg", at)
    return Message(id=id_, install_id=install_id, created_at=at, updated_at=at, thread_id=id_, **made)


def failed(catalogue: Catalogue, install_id: int, at: datetime, reason: str, **values: Any) -> Message:
    evidence = Evidence(text=f"{reason}: word for word", channel=values.get("channel", "sms"))
    made = {"diagnosis": diagnosed(catalogue, reason), "failure": evidence, "failure_raw": evidence.text}
    return message(
        install_id, at, **{"status": Status.FAILED, "failed_at": at, "open": True, **made, **values}
    )


def many(catalogue: Catalogue, install_id: int, start: datetime, count: int) -> Iterator[Message]:
    """`count` messages a second apart: three channels, one in twelve failed, people and templates in turn."""
    for i in range(count):
        at = start + timedelta(seconds=i)
        number = f"+35387{1000000 + i * 7919 % 8999999}"
        channel = ("whatsapp", "sms", "whatsapp", "vbm")[i % 4]
        values: dict[str, Any] = {
            "channel": channel,
            "channel_id": 1 + i % 3,
            "to": number,
            "raw_to": number,
            "octopods_id": str(6000000 + i),
            "contact_id": f"c{i % 5000}",
            "preview": f"Hello {i}, your parcel {'is delayed' if i % 10 else 'has arrived'}.",
            "sender": Actor("key", f"{i % 3:04}", "Main"),
        }
        if channel != "sms":
            values["content"] = Content(template_id=str(90001 + i % 7), variables=["Mara"])
        if i % 12 == 0:
            yield failed(catalogue, install_id, at, REASONS[i // 12 % 4], **values)
        else:
            yield message(
                install_id, at, status=(Status.DELIVERED, Status.READ, Status.SENT)[i % 3], **values
            )


def store(conn: Connection, made: Iterator[Message] | list[Message], batch: int = 2000) -> None:
    rows = []
    for m in made:
        rows.append(to_row(m))
        if len(rows) == batch:
            conn.execute(insert(messages), rows)
            rows = []
    if rows:
        conn.execute(insert(messages), rows)
