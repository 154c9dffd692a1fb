"""HubSpot workflow actions: retry a contact's last failed message and wait for the real outcome; check first.

HubSpot, "Custom workflow actions": an answer with BLOCK holds the contact until the callback is completed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from canvas.clients.errors import CallFailed
from canvas.domain.action_kinds import CALLBACK
from canvas.domain.choosing import choose
from canvas.domain.fix import CHANNEL_NAMES, Fix
from canvas.domain.fixes import offered
from canvas.domain.message import SETTLED, Actor, Message, Status
from canvas.domain.story import Story
from canvas.flows import checking, chores, outcome
from canvas.flows.context import Flow
from canvas.flows.fix import click
from canvas.flows.fix_tokens import FixToken
from canvas.flows.hubspot_access import calling
from canvas.flows.look import MessageContext, Person, detail
from canvas.store import actions, channels, messages
from canvas.store.actions import Action
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.sealing import CannotOpen

LOOK_AGAIN = timedelta(seconds=15)
GIVE_UP = timedelta(hours=23)  # before HubSpot goes on by itself, after a day
NEVER_SENT = timedelta(minutes=5)
NEWEST = 10
Outputs = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a workflow run is told now: its outputs, or to wait until its callback is completed."""

    outputs: Outputs
    wait: bool = False
    ok: bool = True


def check(flow: Flow, install: Install, channel: str, raw_to: str) -> Outputs:
    """Whether a message to this number would fail: `yes`, `likely`, `no` (one arrived before), or `unknown`."""
    with reading(flow.engine) as conn:
        connected = next((c for c in channels.of_install(conn, install.id) if c.kind == channel), None)
    if connected is None:
        return _forecast("yes", "channel", f"No {CHANNEL_NAMES[channel]} channel is connected.")
    found = checking.check_person(flow, install, connected, raw_to)
    for word, level in (("yes", "certain"), ("likely", "likely")):
        for finding in found:
            if not finding.ok and finding.level == level:
                return _forecast(word, finding.id, finding.text)
    arrived = next((f for f in found if f.id == "recipient"), None)
    if arrived and arrived.level == "likely":
        return _forecast("no", "", arrived.text)
    return _forecast("unknown", "", arrived.text if arrived else "Nothing is known about this number.")


def _forecast(would_fail: str, reason: str, message: str) -> Outputs:
    return {"would_fail": would_fail, "reason": reason, "message": message}


def retry(flow: Flow, install: Install, callback: str, person: Person, wish: str, actor: Actor) -> Answer:
    """Send the contact's last failed message again if that can help. The same `callback` sends once."""
    key = _key(callback)
    with reading(flow.engine) as conn:
        if actions.by_key(conn, install.id, key):
            return Answer({}, wait=True)
        context = MessageContext.read(conn, flow, install, person)
        found, _ = messages.open_for_person(conn, install.id, person.contact_id, person.numbers, NEWEST)
        message = next((one for one in found if one.status is Status.FAILED), None)
        if message is None:
            return Answer(_outputs("nothing_failed", "", "This contact has no failed message."))
        situation = context.situation(conn, message)
        fix = choose(offered(situation), wish, situation.reason)
        story = detail(conn, flow, install, person, message)
    if fix is None:
        return Answer(_outputs("not_possible", story.title, story.lines[-1][1]), ok=False)
    return _send(flow, install, callback, person, message, fix, actor)


def _send(
    flow: Flow, install: Install, callback: str, person: Person, message: Message, fix: Fix, actor: Actor
) -> Answer:
    """Promise the callback first, then send: after a crash in between the run still hears of an outcome."""
    now = flow.clock()
    payload = {"callback": callback}
    try:
        with writing(flow.engine) as conn:
            promise = actions.add(
                conn,
                install.id,
                CALLBACK,
                _key(callback),
                now + LOOK_AGAIN,
                now,
                message_id=message.id,
                payload=payload,
            )
    except actions.Duplicate:
        return Answer({}, wait=True)
    token = FixToken(install.id, message.id, fix.id, fix.target, message.version)
    clicked = click(flow, install, token, None, actor, person)
    flow.wake(promise.id, promise.due_at)
    if clicked.result == "receipt":
        return Answer({}, wait=True)
    with writing(flow.engine) as conn:
        # HubSpot may ask again if our answer is lost; a promise left here would have it wait for nothing.
        actions.withdraw(conn, install.id, _key(callback))
    return Answer(_outputs("not_possible", "", clicked.note or "The message changed meanwhile."), ok=False)


def complete(flow: Flow, action: Action) -> None:
    """Tell the waiting run how it ended, or look again later while nobody knows."""
    install = chores.install_of(flow, action)
    ended = _ended(flow, install, action)
    if ended is None:
        with writing(flow.engine) as conn:
            actions.again(conn, action, flow.clock() + LOOK_AGAIN, counted=False)
        flow.wake(action.id, flow.clock() + LOOK_AGAIN)
        return
    callback = str(action.payload["callback"])
    try:
        calling(
            flow,
            install,
            lambda token: flow.hubspot.complete_callback(token, callback, ended.outputs, ended.ok),
        )
    except (CallFailed, CannotOpen) as error:
        chores.failed(flow, action, error)
    else:
        chores.finish(flow, action, actions.DONE)


def _ended(flow: Flow, install: Install, action: Action) -> Answer | None:
    """The outcome of the message that was sent, once it is final or will never be."""
    age = flow.clock() - action.created_at
    with reading(flow.engine) as conn:
        child = messages.child_of(conn, install.id, action.message_id or "")
        story = detail(conn, flow, install, Person(), child) if child else None
    if child is None or story is None:
        gone = _outputs("not_sent", "", "It was not sent.")
        return Answer(gone, ok=False) if age > NEVER_SENT else None
    final = child.status in SETTLED or child.status is Status.UNSURE
    unreported = child.status is Status.SENT and outcome.unreported(child)
    if not (final or unreported or age > GIVE_UP):
        return None
    return _outcome_of(story, child)


def _outcome_of(story: Story, child: Message) -> Answer:
    failed = child.status is Status.FAILED
    outputs = _outputs(str(child.status), story.title if failed else "", story.text)
    return Answer(outputs, ok=not failed)


def _key(callback: str) -> str:
    return f"callback:{callback[:100]}"


def _outputs(outcome: str, reason: str, message: str) -> Outputs:
    return {"outcome": outcome, "reason": reason, "message": message}
