"""Looking into Octopods' list of WhatsApp messages: those sent from elsewhere, and news of those known.

Octopods lists the newest hundred of a key ("List Sent WhatsApp Messages"); SMS and Viber have no list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from canvas.clients.errors import CallFailed, RateLimited
from canvas.clients.octopods import LIST_LIMIT
from canvas.clients.octopods_answers import StatusReport
from canvas.domain import phones
from canvas.domain.action_kinds import DISCOVER, action_key
from canvas.domain.dates import when
from canvas.domain.ids import new_id
from canvas.domain.message import Actor, Content, Message, Status, follows
from canvas.domain.schedule import next_look
from canvas.flows import outcome, polling, retention
from canvas.flows.come_in import LEFT_ALONE
from canvas.flows.context import Flow
from canvas.flows.keys import hold
from canvas.store import actions, channels, erased, installs, listing, messages
from canvas.store.actions import Action
from canvas.store.channels import Channel
from canvas.store.database import reading, writing
from canvas.store.installs import Install
from canvas.store.listing import Gap, Mark
from canvas.store.sealing import CannotOpen

log = structlog.get_logger()
LOOK_BACK = 20  # messages to one number, newest first


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry of the list with an id, and the time it was sent."""

    report: StatusReport
    id: str
    at: datetime

    @property
    def order(self) -> tuple[datetime, int]:
        """Where it stands in its key's list."""
        return _order(self.id, self.at)


class Undecided(Exception):
    """Whether an entry is a message of ours is not known as long as that one is being sent."""


def keep_looking(flow: Flow) -> int:
    """See to it that every WhatsApp channel's list is looked into; how many were not yet."""
    if not flow.list_every:
        return 0
    now = flow.clock()
    with reading(flow.engine) as conn:
        known = actions.states(conn, DISCOVER)
        missing = [c for c in channels.listed(conn) if action_key(DISCOVER, c.id) not in known]
    for channel in missing:
        key, payload = action_key(DISCOVER, channel.id), {"channel_id": channel.id}
        with writing(flow.engine) as conn:
            actions.ensure(conn, channel.install_id, DISCOVER, key, now, now, payload=payload)
    return len(missing)


def discover(flow: Flow, action: Action) -> None:
    """Look once, within the key's budget, and decide when to look again."""
    turn = _take_turn(flow, action)
    if turn is None:
        return
    channel, secret = turn
    try:
        reports = flow.octopods.recent_whatsapp(secret)
    except CallFailed as error:
        _not_answered(flow, action, channel, error)
        return
    new = take(flow, channel, reports)
    _again(flow, action, flow.clock() + next_look(flow.list_every, new))


def _take_turn(flow: Flow, action: Action) -> tuple[Channel, str] | None:
    now = flow.clock()
    with writing(flow.engine) as conn:
        channel = channels.get(conn, action.install_id, int(action.payload["channel_id"]))
        if channel is None or not flow.list_every or not installs.is_active(conn, action.install_id):
            actions.forget(conn, action)
            return None
        wait = channel.waits(now)
        wait = wait or channels.take_poll_turn(conn, channel.key_hash, now, flow.poll_spacing)
        if wait is None:
            try:
                return channel, flow.sealer.open(channel.key_sealed)
            except CannotOpen:
                wait = now + flow.list_every * 3
        actions.again(conn, action, wait, counted=False)
    flow.wake(action.id, wait)
    return None


def _again(flow: Flow, action: Action, due: datetime) -> None:
    with writing(flow.engine) as conn:
        actions.repeat(conn, action, due)
    flow.wake(action.id, due)


def _not_answered(flow: Flow, action: Action, channel: Channel, error: CallFailed) -> None:
    log.info("discover.failed", action=action.id, error=type(error).__name__, status=error.status)
    if not isinstance(error, RateLimited):
        _again(flow, action, flow.clock() + flow.list_every)
        return
    with writing(flow.engine) as conn:
        hold(conn, action, channel, error.retry_at)
    flow.wake(action.id, error.retry_at)


def take(flow: Flow, channel: Channel, reports: Sequence[StatusReport]) -> int:
    """Write down what a list shows, oldest first; how many messages were new.

    Each message in a transaction of its own, so that nobody waits for a hundred. The mark comes last: whatever
    was cut off before it is looked at again, and what is known already does no harm.
    """
    now = flow.clock()
    shown = [Seen(r, r.message_id, r.begun_at or now) for r in reports if r.message_id]
    # What was sent a moment ago may be our own send whose answer is still on its way here.
    ripe = [entry for entry in shown if now - entry.at >= LEFT_ALONE]
    with reading(flow.engine) as conn:
        known = messages.by_octopods_ids(conn, channel.install_id, "whatsapp", [e.id for e in shown])
        mark = listing.mark_of(conn, channel.install_id, channel.id)
        since = retention.kept_since(flow, _install(conn, channel))
    for entry in reversed(shown):
        message = known.get(entry.id)
        if message and follows(message.status, Status(entry.report.status)):
            _news(flow, message, entry.report, now)
    unknown = [entry for entry in reversed(ripe) if entry.id not in known and entry.at >= since]
    fresh, decided = _taken(flow, channel, unknown, mark, now)
    _put_mark(flow, channel, shown, [entry for entry in ripe if decided(entry)], now)
    for message in fresh:
        outcome.wake_poll(flow, message)
    return len(fresh)


def _taken(
    flow: Flow, channel: Channel, unknown: Sequence[Seen], mark: Mark | None, now: datetime
) -> tuple[list[Message], Callable[[Seen], bool]]:
    """The messages that were new, and whether an entry stands before all that have to be looked at again."""
    fresh: list[Message] = []
    again: list[Seen] = []
    for entry in unknown:
        try:
            made = _unknown(flow, channel, entry, mark, now)
        except Undecided:
            again.append(entry)
        else:
            fresh += [made] if made else []
    first = min((entry.order for entry in again), default=None)
    return fresh, lambda entry: first is None or entry.order < first


def _install(conn: Connection, channel: Channel) -> Install:
    install = installs.get(conn, channel.install_id)
    assert install is not None  # the foreign key says so
    return install


def _put_mark(
    flow: Flow, channel: Channel, shown: Sequence[Seen], ripe: Sequence[Seen], now: datetime
) -> None:
    with writing(flow.engine) as conn:
        installs.locked(conn, channel.install_id)  # as whoever gives it another key does
        current = channels.get(conn, channel.install_id, channel.id)
        if current is None or current.key_hash != channel.key_hash:
            return  # this is no longer its list
        _note_gap(conn, channel, shown, now)
        if ripe:
            newest = max(ripe, key=lambda entry: entry.order)
            listing.put_mark(conn, channel.install_id, channel.id, Mark(newest.id, newest.at))


def _news(flow: Flow, message: Message, report: StatusReport, now: datetime) -> None:
    with writing(flow.engine) as conn:
        held = messages.locked(conn, message.install_id, message.id)
        outcome.reported(conn, flow, held, report, now)


def _unknown(flow: Flow, channel: Channel, entry: Seen, mark: Mark | None, now: datetime) -> Message | None:
    """The new message this entry is; None for one of ours, which may have lacked its id until now, or is gone.

    Raises Undecided.
    """
    with writing(flow.engine) as conn:
        if messages.by_octopods_id(conn, channel.install_id, "whatsapp", entry.id):
            return None  # somebody wrote it down since the list was compared
        number = phones.normalise(entry.report.phone or "", flow.country(_install(conn, channel)))
        nameless = _nameless(conn, channel, entry, number) if number else []
        if any(one.status is Status.SENDING for one in nameless):
            raise Undecided  # its answer tells, or it turns out to be lost; either is soon
        if len(nameless) == 1:
            _name(conn, flow, nameless[0], entry, now)
        # Of several nobody can tell; each stays unsure rather than being told twice.
        if nameless or _is_gone(conn, flow, channel, entry, number, mark):
            return None
        return _made(conn, flow, channel, entry, number, now)


def _is_gone(
    conn: Connection, flow: Flow, channel: Channel, entry: Seen, number: str | None, mark: Mark | None
) -> bool:
    """Whether it was purged or erased: taken in again, without the fix that went with it, it could be sent twice."""
    if mark and entry.order <= _order(mark.newest_id, mark.newest_at):
        return True  # it was taken in before, for the mark is put last
    if erased.ever(conn, channel.install_id, entry.id, flow.sealer):
        return True
    line, at = phones.same_line(number) if number else (), entry.at - polling.CLOCK_SLACK
    return erased.since(conn, channel.install_id, line, at, flow.sealer)


def _nameless(conn: Connection, channel: Channel, entry: Seen, number: str) -> list[Message]:
    """Messages without Octopods' id that this entry may be; none of another channel, whose key has its own list."""
    others = {c.id for c in channels.of_install(conn, channel.install_id)} - {channel.id}
    past = messages.newest_to(conn, channel.install_id, "whatsapp", number, LOOK_BACK)
    nameless = [m for m in past if m.octopods_id is None and m.channel_id not in others]
    return [m for m in nameless if polling.may_be(m, entry.report, entry.at)]


def _name(conn: Connection, flow: Flow, message: Message, entry: Seen, now: datetime) -> None:
    held = messages.locked(conn, message.install_id, message.id)
    if held.octopods_id is not None:
        return  # it was found since
    if held.status is Status.UNSURE:
        polling.mark_found(conn, flow, held, entry.report, now)
    else:
        held = outcome.set_octopods_id(conn, held, entry.id, now)
        outcome.reported(conn, flow, held, entry.report, now)


def _made(
    conn: Connection, flow: Flow, channel: Channel, entry: Seen, number: str | None, now: datetime
) -> Message:
    message_id = new_id("msg", entry.at)
    raw_to = (entry.report.phone or "").replace("\x00", "")[:64]
    message = Message(
        id=message_id,
        install_id=channel.install_id,
        channel="whatsapp",
        channel_id=channel.id,
        status=Status.SENT,
        created_at=entry.at,
        updated_at=now,
        raw_to=raw_to,
        to=number,
        content=Content(),
        preview=(entry.report.text or "").replace("\x00", "") or None,
        source="list",
        sender=Actor("key", channel.key_last4, channel.name),
        octopods_id=entry.id,
        sent_at=entry.at,
        thread_id=message_id,
    )
    messages.add(conn, message)
    message = outcome.reported(conn, flow, message, entry.report, now, at=entry.at)
    outcome.begin_polling(conn, flow, message, now)
    return message


def _note_gap(conn: Connection, channel: Channel, shown: Sequence[Seen], now: datetime) -> None:
    """A full list that does not reach back to where we were has let messages pass unseen."""
    mark = listing.mark_of(conn, channel.install_id, channel.id)
    if mark is None or len(shown) < LIST_LIMIT or any(_reaches(entry, mark) for entry in shown):
        return
    oldest = shown[-1]  # the list is newest first
    first, last = _number(mark.newest_id), _number(oldest.id)
    at_most = last - first - 1 if first is not None and last is not None else None
    gap = Gap(channel.id, mark.newest_at, oldest.at, at_most, now)
    log.warning("list.gap", channel=channel.id, at_most=at_most)
    listing.add_gap(conn, channel.install_id, gap)


def _reaches(entry: Seen, mark: Mark) -> bool:
    """Whether this entry is the marked one, older, or the very next: ids of a key only grow."""
    one, other = _number(entry.id), _number(mark.newest_id)
    return entry.id == mark.newest_id or (one is not None and other is not None and one <= other + 1)


def _order(given: str, at: datetime) -> tuple[datetime, int]:
    """Where an entry stands in a key's list; of one moment, the higher id is the later."""
    return at, _number(given) or 0


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def gaps_of(flow: Flow, install_id: int) -> list[Gap]:
    """What could not be seen, newest first."""
    with reading(flow.engine) as conn:
        return listing.gaps(conn, install_id)


def gap_words(gap: Gap, tz: str | None) -> str:
    """One sentence for people."""
    many = f"Up to {gap.at_most}" if gap.at_most is not None else "An unknown number of"
    return f"{many} messages between {when(gap.from_at, tz)} and {when(gap.to_at, tz)} could not be seen."
