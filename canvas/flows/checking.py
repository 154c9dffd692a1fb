"""Asking before sending: what is known here about a send that has not left yet. Only reads, save for the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from canvas.domain import phones
from canvas.domain.message import Content, Message
from canvas.domain.plan import Send
from canvas.domain.preflight import (
    SAME_WITHIN,
    Finding,
    Known,
    Link,
    Planned,
    duplicate,
    outcome_known,
    preflight,
    same_content,
)
from canvas.domain.send_request import refusal
from canvas.domain.templates import Template
from canvas.flows.chores import template_from
from canvas.flows.come_in import LONGEST_NUMBER, content_of
from canvas.flows.context import Flow
from canvas.flows.look import leaves_at
from canvas.store import channels, installs, messages, opt_outs, templates
from canvas.store.channels import Channel
from canvas.store.database import reading
from canvas.store.installs import Install

ABOUT_THE_PERSON = {"number", "region", "line_kind", "recipient", "opt_out", "key"}
LOOK_BACK = 20  # messages to one number, newest first; older ones tell little


def check_request(
    flow: Flow, channel: Channel, request: Mapping[str, Any], template_id: str | None
) -> tuple[Finding, ...]:
    """What is to be said about a send request as a customer's backend would make it."""
    if trouble := refusal(channel.kind, request):
        return (Finding("request", "certain", False, trouble.words),)
    with reading(flow.engine) as conn:
        install = installs.get(conn, channel.install_id)
    assert install is not None  # the foreign key says so
    raw_to = str(request["destination_phone"])[:LONGEST_NUMBER]
    planned = Planned(
        channel.kind, raw_to, content_of(channel.kind, request, template_id), flow.country(install)
    )
    return _findings(flow, install, channel.id, planned, look_behind=True)


def check_fix(flow: Flow, install: Install, todo: Send, failed: Message) -> tuple[Finding, ...]:
    """What is to be said about the send a fix would make for that failed message."""
    planned = Planned(todo.channel, todo.raw_to, todo.content, flow.country(install))
    since = failed.created_at
    return _findings(flow, install, todo.channel_id, planned, look_behind=todo.check_link, since=since)


def check_twin(conn: Connection, flow: Flow, install: Install, todo: Send, failed: Message) -> Finding:
    """Whether what this fix would send has gone to its number since that message failed.

    Asked once more in the transaction that stores the send, with the number held: of two clicks on two failures of
    the same message, the second then meets what the first has stored.
    """
    planned = Planned(todo.channel, todo.raw_to, todo.content, flow.country(install))
    twin = _twin(conn, install, planned, failed.created_at)
    due = leaves_at(conn, twin) if twin else None
    return duplicate(Known(now=flow.clock(), tz=install.tz, twin=twin, twin_due=due))


def check_person(flow: Flow, install: Install, channel: Channel, raw_to: str) -> tuple[Finding, ...]:
    """What is to be said about a person on a channel, whatever is sent to them."""
    planned = Planned(channel.kind, raw_to, Content(), flow.country(install))
    found = _findings(flow, install, channel.id, planned, look_behind=False)
    return tuple(finding for finding in found if finding.id in ABOUT_THE_PERSON)


def _findings(
    flow: Flow,
    install: Install,
    channel_id: int,
    planned: Planned,
    look_behind: bool,
    since: datetime | None = None,
) -> tuple[Finding, ...]:
    since = since or flow.clock() - SAME_WITHIN
    with reading(flow.engine) as conn:
        template, listed_at = _template(conn, install.id, channel_id, planned.content.template_id)
        known = _known(conn, flow, install, channel_id, planned, template, listed_at, since)
    link = _link(flow, planned, template) if look_behind else None
    return preflight(planned, replace(known, link=link))


def _template(
    conn: Connection, install_id: int, channel_id: int, template_id: str | None
) -> tuple[Template | None, datetime | None]:
    """Our copy of the template, and when the list of its channel was last copied."""
    found = templates.get(conn, install_id, channel_id, template_id or "")
    if found:
        return template_from(found[0]), found[1]
    return None, templates.listed_at(conn, install_id, channel_id)


def _known(
    conn: Connection,
    flow: Flow,
    install: Install,
    channel_id: int,
    planned: Planned,
    template: Template | None,
    listed_at: datetime | None,
    since: datetime,
) -> Known:
    now = flow.clock()
    number = phones.normalise(planned.raw_to, planned.region)
    channel = channels.get(conn, install.id, channel_id)
    past = messages.newest_to(conn, install.id, planned.channel, number, LOOK_BACK) if number else []
    last = next((m for m in past if outcome_known(m)), None)
    twin = _twin(conn, install, planned, since)
    reason = flow.catalogue.reasons.get(last.reason or "") if last else None
    return Known(
        now=now,
        tz=install.tz,
        template=template,
        listed_at=listed_at,
        opted_out=opt_outs.exists(conn, install.id, number, flow.sealer),
        blocked_until=channel.blocked_until if channel else None,
        last=last,
        last_reason=reason.title if reason else "",
        twin=twin,
        twin_due=leaves_at(conn, twin) if twin else None,
    )


def _twin(conn: Connection, install: Install, planned: Planned, since: datetime) -> Message | None:
    """The newest to this line that is on its way or there, says the same, and was made since then."""
    number = phones.normalise(planned.raw_to, planned.region)
    if number is None:
        return None
    content = planned.content
    # However many there are: the same words may have gone before all the others.
    alive = messages.alive_to(conn, install.id, planned.channel, number, content.template_id, since)
    twin = next((id_ for id_, one in alive if same_content(one, content)), None)
    return messages.get(conn, install.id, twin) if twin else None


def _link(flow: Flow, planned: Planned, template: Template | None) -> Link | None:
    url = planned.content.header_url
    if not url or (template is not None and not template.needs_media):
        return None
    found = flow.links.check(url, planned.channel, template.header_format if template else "")
    return Link(found.outcome, found.why)
