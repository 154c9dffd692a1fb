"""Watching for one cause that hits many people: looked for after failures, and while one is open."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from canvas.domain import incidents as rules
from canvas.domain.action_kinds import WATCH, action_key
from canvas.domain.dates import when
from canvas.domain.fix import CHANNEL_NAMES
from canvas.flows import alerts
from canvas.flows.breaker import broken
from canvas.flows.context import Flow
from canvas.knowledge.model import Reason
from canvas.store import actions, channels, incidents, installs
from canvas.store.actions import Action
from canvas.store.database import writing
from canvas.store.incidents import Ended, Incident
from canvas.store.installs import Install

EVERY = timedelta(minutes=1)  # while an incident is open
KEY_TROUBLE = {
    "deprecated_api_key": "An API key was replaced, and messages still go out with the old one.",
    "unknown_channel": "Messages go out on a channel that Octopods does not know.",
}


def look_soon(conn: Connection, install_id: int, now: datetime) -> None:
    """Have the worker look for a common cause. Asked for with every failure; looked for once for all of them."""
    actions.restart(conn, install_id, WATCH, action_key(WATCH, install_id), now)


def watch(flow: Flow, action: Action) -> None:
    """The worker's deed: open, follow and close incidents, and say so where the install asked for it."""
    now = flow.clock()
    with writing(flow.engine) as conn:
        if not installs.is_active(conn, action.install_id):
            actions.finish(conn, action, actions.DONE, now)
            return
        recent = incidents.recent(conn, action.install_id)
        _open(conn, flow, action.install_id, recent, now)
        still = _follow(conn, flow, action.install_id, recent, now)
        _key_trouble(conn, flow, action.install_id, recent, now)
        _breakers(conn, flow, action.install_id, now)
        if still:
            actions.repeat(conn, action, now + EVERY)
        else:
            actions.finish(conn, action, actions.DONE, now)
    if still:
        flow.wake(action.id, now + EVERY)
    alerts.wake(flow, action.install_id)


def _open(conn: Connection, flow: Flow, install_id: int, recent: list[Ended], now: datetime) -> None:
    known = {incident.cause for incident in incidents.open_ones(conn, install_id)}
    for cause in rules.opened(recent, flow.catalogue.reasons, now):
        if cause in known or rules.solved_at(cause, recent):
            continue
        hits = [e for e in recent if cause.touches(e) and e.reason == cause.reason]
        found = incidents.open_(conn, install_id, cause, hits[-1], now)
        title, text = words(found, flow.catalogue.reasons[cause.reason])
        alerts.say(conn, install_id, "incident_opened", f"open:{found.id}", title, text, now)


def _follow(conn: Connection, flow: Flow, install_id: int, recent: list[Ended], now: datetime) -> bool:
    """Whether any incident is still open."""
    still = False
    for incident in incidents.open_ones(conn, install_id):
        incidents.spread(conn, install_id, incident.id)
        at = rules.solved_at(incident.cause, recent)
        if at is None:
            still = True
            continue
        incidents.solve(conn, install_id, incident.id, at)
        title, _ = words(incident, flow.catalogue.reasons[incident.cause.reason])
        text = "Messages get through again. Those that failed can be sent again from the history."
        alerts.say(
            conn, install_id, "incident_solved", f"solved:{incident.id}", f"Solved: {title}", text, now
        )
    return still


def _key_trouble(conn: Connection, flow: Flow, install_id: int, recent: list[Ended], now: datetime) -> None:
    """What an admin must mend at once, told once a day for each channel, from the first failure on."""
    for ended in recent:
        if ended.reason in KEY_TROUBLE and now - ended.ended_at <= rules.STALE:
            kind = "key_deprecated" if ended.reason == "deprecated_api_key" else "channel_unknown"
            key = f"{kind}:{ended.channel_id}:{ended.ended_at:%Y-%m-%d}"
            title = flow.catalogue.reasons[ended.reason].title
            name = CHANNEL_NAMES[ended.channel]
            alerts.say(conn, install_id, kind, key, f"{name}: {title}", KEY_TROUBLE[ended.reason], now)


def _breakers(conn: Connection, flow: Flow, install_id: int, now: datetime) -> None:
    for channel in channels.of_install(conn, install_id):
        breaker = broken(conn, flow, install_id, channel.id)
        if breaker is None:
            continue
        title = f"{channel.name}: nothing is tried again by itself"
        why = flow.catalogue.reasons[breaker.reason].title
        text = f"The last messages all failed: {why}. An admin must act first."
        key = f"breaker:{channel.id}:{breaker.since}"
        alerts.say(conn, install_id, "breaker_open", key, title, text, now)


def words(incident: Incident, reason: Reason) -> tuple[str, str]:
    """A title and a sentence about an incident. Nothing of what was sent, and to whom."""
    where = {
        "template": f"Template {incident.cause.template_id}",
        "channel": CHANNEL_NAMES[incident.cause.channel],
        "provider": f"All {CHANNEL_NAMES[incident.cause.channel]} messages",
    }[incident.cause.scope]
    people = "1 person" if incident.people == 1 else f"{incident.people} people"
    return f"{where}: {reason.title}", f"{incident.messages} messages to {people} failed. {reason.cure}"


def close(flow: Flow, install: Install, incident_id: str) -> bool:
    """An admin says it is over."""
    with writing(flow.engine) as conn:
        return incidents.solve(conn, install.id, incident_id, flow.clock())


def since(incident: Incident, tz: str | None) -> str:
    return when(incident.started_at, tz)
