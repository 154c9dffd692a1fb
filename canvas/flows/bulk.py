"""Many fixes at once: a dry run that is kept as a draft, then one message after the other through the same click.

An item is the message as it was at the dry run. Whoever changed it meanwhile is respected: it is skipped, and
says why. A job that was cut off goes on at the next item, and an item done twice meets the first receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection

from canvas.domain.action_kinds import BULK, action_key, send_key
from canvas.domain.fix import Fix, Situation, may_have_arrived
from canvas.domain.fixes import PLAIN_RETRY, offered, stopped
from canvas.domain.message import Actor, Message, Status
from canvas.flows import fix as fixing
from canvas.flows.breaker import broken
from canvas.flows.context import Flow
from canvas.flows.fix_tokens import FixToken
from canvas.flows.look import MessageContext, Person, person_of
from canvas.store import actions, audit, bulk, channels, history, installs, messages
from canvas.store.actions import Action
from canvas.store.bulk import Item, Job
from canvas.store.database import reading, writing
from canvas.store.history import Filter
from canvas.store.installs import Install

log = structlog.get_logger()
MOST = 1_000  # messages in one job: about a quarter of an hour of sends
SPACING = timedelta(seconds=1)  # between two sends of a job on one channel
ITEM_TRIES = (
    6  # of one message that breaks something here: about five minutes, then the job goes on without it
)
CHOICES = {
    "best": "The best one-click fix of each",
    "retry": "Send again, unchanged",
    "other_channel": "Send on another channel",
    "handled": "Mark as handled, send nothing",
}
KINDS = {
    "retry": PLAIN_RETRY,
    "other_channel": {"send_other_channel"},
    "handled": {"mark_handled"},
}


class NotNow(Exception):
    """The job cannot be started or stopped now; the message says why."""


def draft(
    flow: Flow, install: Install, f: Filter, asked: dict[str, str], choice: str, actor: Actor
) -> tuple[str, bool]:
    """Make the dry run of all failed messages that fit; the job's id, and whether more fit than one job takes."""
    only = f if f.state else replace(f, state="failed")
    with reading(flow.engine) as conn:
        found = history.walk(conn, install.id, only, None, MOST + 1)
        context = MessageContext.read(conn, flow, install, Person())
        items = _items(conn, context, found[:MOST], choice)
    with writing(flow.engine) as conn:
        job_id = bulk.add(conn, install.id, choice, asked, actor, items, flow.clock())
    return job_id, len(found) > MOST


def _items(conn: Connection, context: MessageContext, found: Sequence[Message], choice: str) -> list[Item]:
    items, seen = [], set()
    for message in found:
        about = replace(context, person=person_of(message))
        fix, why = choose(about.situation(conn, message), choice)
        says = message.preview or repr(message.content)  # a template that was not listed yet has no preview
        same = (message.to or message.raw_to, message.channel, says)
        if fix and fix.sends and same in seen:
            fix, why = None, "The same message to the same number is in this job already."
        seen.add(same)
        state = bulk.WAITING if fix else bulk.SKIPPED
        target = fix.target if fix else None
        items.append(Item(message.id, message.version, state, fix.id if fix else None, target, why))
    return items


def choose(situation: Situation, choice: str) -> tuple[Fix | None, str | None]:
    """The fix this message gets in a job, or why it gets none."""
    fixes = offered(situation)
    if may_have_arrived(situation.reason):
        return None, "It may have arrived: ask the person first, then send it from its own page."
    wanted = [f for f in fixes if (f.id in KINDS[choice] if choice in KINDS else f.sends)]
    ready = next((f for f in wanted if f.enabled and f.kind == "one_click"), None)
    return (ready, None) if ready else (None, _why_not(situation, fixes, wanted))


def _why_not(s: Situation, fixes: Sequence[Fix], wanted: Sequence[Fix]) -> str:
    if s.message.status is not Status.FAILED:
        return "It has not failed, or nobody knows whether it did."
    if s.has_child:
        return "It was sent again already."
    if not fixes:
        return "Somebody dealt with it already."
    if stopped(s):
        return "This person asked not to be messaged."
    if any(f.enabled for f in wanted):
        return "It needs something filled in first, so it is fixed on its own page."
    disabled = next((f.why for f in wanted if f.why), None)
    return disabled or f"Sending it again this way does not help: {s.reason.title}."


def start(flow: Flow, install: Install, job_id: str, actor: Actor) -> None:
    """Let the worker begin. Raises NotNow when it was started before."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        values = {"state": bulk.RUNNING, "started_at": now, "actor": _as_row(actor)}
        if not bulk.change(conn, install.id, job_id, [bulk.DRAFT], **values):
            raise NotNow("This job was started already.")
        key, payload = action_key(BULK, job_id), {"job": job_id}
        action = actions.add(conn, install.id, BULK, key, now, now, payload=payload, actor=actor)
        audit.write(conn, install.id, now, actor, "bulk.start", job_id)
    flow.wake(action.id, now)


def _as_row(actor: Actor) -> dict[str, str | None]:
    return {"kind": actor.kind, "id": actor.id, "name": actor.name}


def stop(flow: Flow, install: Install, job_id: str, actor: Actor) -> None:
    """Take no further message. What was sent stays sent. Raises NotNow when it is not running."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        note = f"Stopped by {actor.name}." if actor.name else "Stopped."
        if not bulk.change(
            conn, install.id, job_id, [bulk.RUNNING], state=bulk.STOPPED, note=note, finished_at=now
        ):
            raise NotNow("This job is not running.")
        audit.write(conn, install.id, now, actor, "bulk.stop", job_id)


def carry_on(flow: Flow, action: Action) -> None:
    """The worker's deed: do the next item, then come back for the one after it."""
    job_id = str(action.payload["job"])
    with reading(flow.engine) as conn:
        install = installs.get(conn, action.install_id)
        job = bulk.get(conn, action.install_id, job_id)
        item = bulk.next_item(conn, job_id) if job and job.state == bulk.RUNNING else None
        wait, trouble = _obstacle(conn, flow, job, item) if job and item else (None, None)
    if install is None or job is None or item is None or trouble:
        _end(flow, action, job, trouble)
        return
    if wait is None and action.tries > ITEM_TRIES:
        _give_up(flow, install, job, item)
    elif wait is None:
        _do(flow, install, job, item)
    due = wait or flow.clock() + SPACING
    with writing(flow.engine) as conn:
        actions.repeat(conn, action, due)
    flow.wake(action.id, due)


def _obstacle(conn: Connection, flow: Flow, job: Job, item: Item) -> tuple[datetime | None, str | None]:
    """Until when the channel of this item waits, or why the job must not go on at all."""
    if item.target is None:
        return None, None
    breaker = broken(conn, flow, job.install_id, item.target)
    if breaker:
        title = flow.catalogue.reasons[breaker.reason].title
        return None, f"Stopped by itself: the channel keeps failing ({title}). Mend it, then make a new job."
    channel = channels.get(conn, job.install_id, item.target)
    return channel.waits(flow.clock()) if channel else None, None


def _end(flow: Flow, action: Action, job: Job | None, trouble: str | None) -> None:
    now = flow.clock()
    with writing(flow.engine) as conn:
        if job:
            state = bulk.STOPPED if trouble else bulk.DONE
            bulk.change(
                conn, job.install_id, job.id, [bulk.RUNNING], state=state, note=trouble, finished_at=now
            )
        actions.finish(conn, action, actions.DONE, now)


def _do(flow: Flow, install: Install, job: Job, item: Item) -> None:
    with reading(flow.engine) as conn:
        message = messages.get(conn, install.id, item.message_id)
    if message is None:
        _settle(flow, job, item, bulk.SKIPPED, "The message was removed meanwhile.")
        return
    if item.state == bulk.WAITING:
        _settle(flow, job, item, bulk.TRYING, None)
    token = FixToken(install.id, item.message_id, item.fix_id or "", item.target, item.version)
    slot = _slot(flow, job, item)
    clicked = fixing.click(
        flow, install, token, None, job.actor, person_of(message), patience=0, not_before=slot
    )
    child = clicked.message if clicked.message and clicked.message.id != item.message_id else None
    if clicked.result != "receipt":
        _settle(flow, job, item, bulk.SKIPPED, clicked.note or "It changed meanwhile.")
    elif clicked.duplicate and not _ours(job, item, child):
        _settle(flow, job, item, bulk.SKIPPED, "Somebody dealt with it meanwhile.")
    else:
        _settle(flow, job, item, bulk.SENT, None, child)


def _give_up(flow: Flow, install: Install, job: Job, item: Item) -> None:
    """Leave a message that breaks each time; what may have been stored for it before it broke is told."""
    log.error("bulk.item_given_up", job=job.id, message=item.message_id)
    with reading(flow.engine) as conn:
        child = messages.child_of(conn, install.id, item.message_id)
    if _ours(job, item, child):
        _settle(flow, job, item, bulk.SENT, None, child)
    else:
        _settle(
            flow,
            job,
            item,
            bulk.FAILED,
            "Something here broke each time it was tried, so this job left it alone.",
        )


def _ours(job: Job, item: Item, child: Message | None) -> bool:
    """Whether a send met again is this job's own, from just before it was cut off."""
    return item.state == bulk.TRYING and child is not None and child.sender == job.actor


def _slot(flow: Flow, job: Job, item: Item) -> datetime:
    """The next free second on this item's channel: sends put off to one moment must not leave in one burst."""
    last = job.spread.get(str(item.target))
    after = datetime.fromtimestamp(last / 1000, UTC) + SPACING if last else flow.clock()
    return max(flow.clock(), after)


def _settle(
    flow: Flow, job: Job, item: Item, state: str, why: str | None, child: Message | None = None
) -> None:
    with writing(flow.engine) as conn:
        bulk.settle(conn, job.id, item.message_id, state=state, why=why, child_id=child.id if child else None)
        due = _put_off_to(conn, job, child)
        if due:
            spread = {**job.spread, str(item.target): round(due.timestamp() * 1000)}
            bulk.change(conn, job.install_id, job.id, [bulk.RUNNING, bulk.STOPPED], spread=spread)


def _put_off_to(conn: Connection, job: Job, child: Message | None) -> datetime | None:
    if child is None:
        return None
    action = actions.by_key(conn, job.install_id, send_key(child.id))
    return action.due_at if action and action.state == actions.DUE else None
