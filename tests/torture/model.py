"""The judge: from the fake's journal, what people were told, and our database, which rule was broken."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.exc import IntegrityError

from canvas.domain.message import Message, Status
from canvas.flows import come_in
from canvas.flows.carry_out import sweep
from canvas.flows.context import Flow
from canvas.store import messages
from canvas.store.database import reading, writing
from canvas.store.tables import actions as action_table
from canvas.store.tables import messages as table
from tests.torture.agents import Told
from tests.torture.world import LIST_CAP, World

AHEAD = 900.0  # seconds: beyond every lease, every skewed clock and every wait of a block
ROUNDS = 40


def settle(world: World, limit: float) -> None:
    """Let a worker that lives later than all the others finish what is due, until nothing is."""
    end = time.monotonic() + limit
    world.octopods.advance(AHEAD)
    for step in range(ROUNDS):
        flow = world.flow(AHEAD + step * 60)
        come_in.abandoned(flow)
        done = sweep(flow, 2000)
        quiet = not done and not _due(flow, sends_only=True)
        flow.engine.dispose()
        if quiet or time.monotonic() > end:
            return


def judge(world: World, told: Told) -> list[str]:
    """Every broken rule in a sentence; none is what we want."""
    flow = world.flow(AHEAD)
    journal = [entry for entry in world.octopods.sends() if entry["method"] == "POST"]
    with reading(flow.engine) as conn:
        rows = [messages.from_row(row) for row in conn.execute(select(table)).mappings()]
    wrong = [
        *_sent_twice(journal),
        *_two_children(rows),
        *_receipts(told, journal),
        *_stored(told, rows),
        *_unsure(rows, journal),
        *_forgotten(flow, rows),
        *_rule_is_there(flow, rows),
    ]
    flow.engine.dispose()
    return wrong


def _phone(entry: dict[str, Any]) -> str:
    return str(entry["body"]["destination_phone"])


def _sent_twice(journal: list[dict[str, Any]]) -> list[str]:
    counted = Counter(_phone(entry) for entry in journal)
    return [
        f"{phone} got {times} messages for one failed one" for phone, times in counted.items() if times > 1
    ]


def _two_children(rows: list[Message]) -> list[str]:
    counted = Counter(row.parent_id for row in rows if row.parent_id)
    return [f"{parent} has {times} children" for parent, times in counted.items() if times > 1]


def _receipts(told: Told, journal: list[dict[str, Any]]) -> list[str]:
    """Every receipt anybody saw names a message that Octopods took, for that person."""
    taken = {(_phone(entry), entry["id"]) for entry in journal}
    shown = {(phone, id_) for phone, ids in told.receipts.items() for id_ in ids}
    shown |= set(told.gateway.items())
    return [f"the receipt {id_} for {phone} is not Octopods'" for phone, id_ in sorted(shown - taken)]


def _stored(told: Told, rows: list[Message]) -> list[str]:
    """What was acknowledged is in the database."""
    fixed = {row.to for row in rows if row.source == "fix"}
    ids = {(row.to, row.octopods_id) for row in rows}
    lost = sorted((set(told.receipts) | told.begun) - fixed)
    wrong = [f"somebody was told that {phone} is being sent to, and nothing is stored" for phone in lost]
    missing = sorted(set(told.gateway.items()) - ids)
    return wrong + [
        f"the gateway answered 201 for {phone}, and {id_} is not stored" for phone, id_ in missing
    ]


def _unsure(rows: list[Message], journal: list[dict[str, Any]]) -> list[str]:
    """What Octopods took is known by its id, or shown as unsure; a WhatsApp one can be looked up and is."""
    by_id = {row.octopods_id: row for row in rows if row.octopods_id}
    wrong = []
    for entry in journal:
        if entry["id"] in by_id:
            continue
        tries = [row for row in rows if row.to == _phone(entry) and row.source in ("fix", "gateway")]
        if not any(row.status is Status.UNSURE for row in tries):
            wrong.append(f"Octopods took {entry['id']} for {_phone(entry)}, and it is shown as {tries}")
        elif entry["path"].startswith("/api/v1/whatsapp") and _listed(entry, journal):
            wrong.append(f"{entry['id']} for {_phone(entry)} is in Octopods' list, and still unsure here")
    return wrong


def _listed(entry: dict[str, Any], journal: list[dict[str, Any]]) -> bool:
    """Whether Octopods' list of that key, which shows the newest hundred, still has it."""
    later = (
        other
        for other in journal
        if other["key"] == entry["key"] and int(other["number"]) > int(entry["number"])
    )
    return sum(str(other["path"]).startswith("/api/v1/whatsapp") for other in later) < LIST_CAP


def _due(flow: Flow, sends_only: bool = False) -> list[str]:
    waiting: ColumnElement[bool] = action_table.c.state.in_(["due", "running"])
    if sends_only:
        waiting &= action_table.c.kind.in_(["send", "reconcile"])
    else:
        waiting &= action_table.c.due_at <= flow.clock() - timedelta(seconds=AHEAD)
    with reading(flow.engine) as conn:
        found = conn.execute(select(action_table.c.key).where(waiting))
        return [str(key) for (key,) in found]


def _forgotten(flow: Flow, rows: list[Message]) -> list[str]:
    wrong = [f"{key} was due and is not done" for key in _due(flow)]
    keys = set(_due(flow, sends_only=True))
    for row in rows:
        if row.status is Status.SENDING:
            wrong.append(f"{row.id} is being sent for ever")
        if row.status is Status.QUEUED and f"send:{row.id}" not in keys:
            wrong.append(f"{row.id} is queued and nothing will send it")
        if row.status is Status.FAILED and row.source == "fix" and not row.failure:
            wrong.append(f"{row.id} failed and its reason is lost")
    return wrong


def _rule_is_there(flow: Flow, rows: list[Message]) -> list[str]:
    """The database itself refuses a second child."""
    child = next((row for row in rows if row.parent_id), None)
    if child is None:
        return ["nothing was sent again: this run proves nothing"]
    twin = messages.to_row(replace(child, id="msg_twin", octopods_id=None, provider_id=None))
    try:
        with writing(flow.engine) as conn:
            conn.execute(table.insert().values(twin))
            conn.execute(text("DELETE FROM messages WHERE id = 'msg_twin'"))
    except IntegrityError:
        return []
    return ["the database takes a second child of one message"]
