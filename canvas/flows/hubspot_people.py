"""HubSpot tells of records merged, deleted, or to be forgotten. All may come twice, late, and out of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, exc

from canvas.flows import erase
from canvas.flows.context import Flow
from canvas.flows.hubspot_access import HUBSPOT
from canvas.store import audit, installs, people
from canvas.store.database import writing
from canvas.store.installs import Install

log = structlog.get_logger()
MERGED, DELETED, FORGOTTEN = "merge", "deletion", "privacyDeletion"


def hear(flow: Flow, events: Iterable[Mapping[str, Any]]) -> int:
    """Do what these events ask for, each by itself; the number of messages concerned.

    One that cannot be done is raised when the others are: HubSpot then tells all of them again.
    """
    touched, troubles = 0, []
    for event in events:
        try:
            with writing(flow.engine) as conn:
                install = installs.find(conn, "hubspot", str(event.get("portalId"))[:64])
                touched += _heard(conn, flow, install, event) if install else 0
        except (exc.OperationalError, exc.TimeoutError):
            raise  # the database itself: the others would wait as long for it
        except Exception as error:
            log.exception("hubspot.event_broke", kind=event.get("subscriptionType"))
            troubles.append(error)
    if troubles:
        raise troubles[0]
    return touched


def _heard(conn: Connection, flow: Flow, install: Install, event: Mapping[str, Any]) -> int:
    kind = str(event.get("subscriptionType") or event.get("eventType")).rpartition(".")[2]
    contact = _id(event.get("objectId"))
    if kind == MERGED:
        touched = _merged(conn, install, event)
    elif kind == DELETED and contact:
        touched = people.unlink(conn, install.id, contact)
    elif kind == FORGOTTEN and contact:
        touched = erase.contact(conn, flow, install.id, contact, HUBSPOT)
    else:
        return 0
    if touched and kind != FORGOTTEN:
        audit.write(conn, install.id, flow.clock(), HUBSPOT, f"contact.{kind}", result=str(touched))
    if touched:
        log.info("hubspot.contact", kind=kind, install=install.public_id, messages=touched)
    return touched


def _merged(conn: Connection, install: Install, event: Mapping[str, Any]) -> int:
    """Move to the surviving record, which may be one of the merged or a new one."""
    survivor = _id(event.get("newObjectId")) or _id(event.get("primaryObjectId"))
    given = event.get("mergedObjectIds")
    merged = [found for one in (given if isinstance(given, list) else []) if (found := _id(one))]
    lost = [one for one in (*merged, _id(event.get("primaryObjectId"))) if one and one != survivor]
    return people.move(conn, install.id, lost, survivor) if survivor and lost else 0


def _id(value: Any) -> str | None:
    return str(value)[:64] if isinstance(value, int | str) and not isinstance(value, bool) and value else None
