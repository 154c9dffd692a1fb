"""The gateway's GET requests: forwarded to Octopods as they came, and the statuses in the answers are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from canvas.clients.documents import json_or_none
from canvas.clients.http import Answer
from canvas.clients.octopods_answers import StatusReport, read_list, read_status
from canvas.clients.waiting import retry_at
from canvas.domain.message import Message, Status, follows
from canvas.flows import outcome
from canvas.flows.context import Flow
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.evidence import from_failure_reason
from canvas.knowledge.model import Diagnosis, Evidence
from canvas.store import channels, messages
from canvas.store.channels import Channel
from canvas.store.database import reading, writing

log = structlog.get_logger()


def ask(flow: Flow, channel: Channel, path: str, headers: Mapping[str, str]) -> Answer:
    """Octopods' answer to a question. Raises NotReached or BrokenAnswer."""
    answer = flow.octopods.forward("GET", path, headers, b"")
    if answer.status == 429:
        now = flow.clock()
        until = retry_at(answer.headers, answer.text, now)
        try:
            with writing(flow.engine) as conn:
                channels.block(conn, channel.key_hash, until)
        except SQLAlchemyError:
            log.exception(
                "ask.block_not_written"
            )  # the customer still gets the answer that asks them to wait
    return answer


def record_and_diagnose(flow: Flow, channel: Channel, answer: Answer) -> tuple[Any, list[Diagnosis | None]]:
    """The document of a good answer, and for each message in it the diagnosis, in order; None where it did not fail.

    A status document counts as one message. What is new about a message known here is stored.
    """
    document = json_or_none(answer) if answer.status == 200 else None
    items = read_list(document, "messages")
    found = [read_status(item) for item in (items if items is not None else [document])]
    return document, [_diagnosed(flow, channel, report) if report else None for report in found]


def _diagnosed(flow: Flow, channel: Channel, report: StatusReport) -> Diagnosis | None:
    try:
        message = _taken(flow, channel, report)
    except SQLAlchemyError:
        log.exception("ask.not_written")
        message = None
    if message and message.status is Status.FAILED:
        return message.diagnosis
    if report.status != Status.FAILED:
        return None
    evidence = from_failure_reason(report.failure_reason, channel.kind)
    return diagnose(evidence or Evidence(channel=channel.kind))


def _taken(flow: Flow, channel: Channel, report: StatusReport) -> Message | None:
    """The message this report is about, brought up to date; None for one that is not known here."""
    if report.message_id is None:
        return None
    with reading(flow.engine) as conn:
        known = messages.by_octopods_id(conn, channel.install_id, channel.kind, report.message_id)
    if known is None or not follows(known.status, Status(report.status)):
        return known
    with writing(flow.engine) as conn:
        held = messages.locked(conn, known.install_id, known.id)
        return outcome.reported(conn, flow, held, report, flow.clock())


def viber(flow: Flow, channel: Channel, given: str) -> Message | None:
    """The Viber message of that Octopods id, request id, or id of ours; a foreign one is an unknown one."""
    with reading(flow.engine) as conn:
        return messages.by_any_id(conn, channel.install_id, "vbm", given)
