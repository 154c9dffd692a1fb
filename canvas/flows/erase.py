"""Erasing on request: one person, or a whole install, each with its proof. Doing it twice is harmless."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from canvas.domain.message import Actor
from canvas.flows.context import Flow
from canvas.flows.installs import Refused, named
from canvas.store import audit, erasing
from canvas.store.database import reading, writing

NOBODY = (
    "Nobody here has this id or number. Enter a contact's id, or a number in full, such as +353871234567."
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, by table, and what a last search of every table still found: nothing, if all is well."""

    gone: dict[str, int]
    left: dict[str, int]


def person(flow: Flow, public_id: str, contact_id_or_number: str, by: Actor = audit.OPERATOR) -> Erased:
    """Erase one person by contact id or by number. Raises Refused, also where that is nobody's."""
    with writing(flow.engine) as conn:
        tenant = named(conn, public_id)
        who = erasing.meant(conn, tenant.id, contact_id_or_number.strip(), flow.country(tenant))
        gone = forget(conn, flow, tenant.id, who, by)
        if not gone and not erasing.traces(conn, tenant.id, who):
            raise Refused(NOBODY)
    with reading(flow.engine) as conn:
        return Erased(gone, erasing.traces(conn, tenant.id, who))


def contact(conn: Connection, flow: Flow, install_id: int, contact_id: str, by: Actor) -> int:
    """The same inside a transaction, for a vendor's call that asks for it; the number of messages erased."""
    who = erasing.known_as(conn, install_id, contact_id)
    return forget(conn, flow, install_id, who, by).get("messages", 0)


def forget(conn: Connection, flow: Flow, install_id: int, who: erasing.Person, by: Actor) -> dict[str, int]:
    """Erase, and say in the audit trail that it was done, but not to whom."""
    gone = dict(erasing.person(conn, install_id, who, flow.clock(), flow.sealer))
    if gone:
        audit.write(conn, install_id, flow.clock(), by, "contact.erased", after=gone, result="erased")
    return gone


def install(flow: Flow, public_id: str) -> Erased:
    """Erase an install and all that belongs to it, its audit trail included. Raises Refused."""
    with writing(flow.engine) as conn:
        tenant = named(conn, public_id)
        before = erasing.rows(conn, tenant.id)
        erasing.install(conn, tenant.id)
    with reading(flow.engine) as conn:
        return Erased({"installs": 1, **before}, erasing.rows(conn, tenant.id))
