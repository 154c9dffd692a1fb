"""`diagnose`, `catalogue` and `unknown`: what a failure means, and teaching what nobody knew."""

from __future__ import annotations

import sys
from typing import Any

import click
import orjson
from flask.cli import AppGroup

from canvas.cli.common import flow
from canvas.domain.json_text import read_json
from canvas.domain.wording import plausible, who_can_fix
from canvas.flows import diagnosing, installs
from canvas.knowledge import catalogue as knowledge
from canvas.knowledge.check import load_from
from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.documents import diagnosis_document, evidence_from
from canvas.knowledge.model import Evidence
from canvas.knowledge.sources import HOME, CatalogueError

catalogue = AppGroup("catalogue", help="The catalogue of reasons.")
unknown = AppGroup("unknown", help="Failure texts that nobody knows yet.")
MAX_LINE = 16 * 1024 * 1024


@click.command("diagnose")
@click.argument("text", required=False)
@click.option("--channel", type=click.Choice(["whatsapp", "sms", "vbm"]))
@click.option("--provider", help="Whose words these are, such as twilio or meta.")
def diagnose_command(text: str | None, channel: str | None, provider: str | None) -> None:
    """Say what a failure TEXT means; without it, read JSON lines from standard input and answer in JSON lines."""
    if text is not None:
        _tell(Evidence(text=text, channel=channel, provider=provider))
        return
    for line in iter(lambda: sys.stdin.buffer.readline(MAX_LINE), b""):
        if line.strip():
            sys.stdout.buffer.write(orjson.dumps(_answer(line)) + b"\n")
            sys.stdout.buffer.flush()


def _answer(line: bytes) -> dict[str, Any]:
    """One line answered; a line that is no request is told so, and the next one is read."""
    try:
        asked = read_json(line)
    except ValueError as error:
        return {**diagnosis_document(diagnose(Evidence())), "error": f"This line is not JSON: {error}"}
    if not isinstance(asked, dict):
        return {**diagnosis_document(diagnose(Evidence())), "error": "This line is not a JSON object."}
    return diagnosis_document(diagnose(evidence_from(asked)))


def _tell(evidence: Evidence) -> None:
    """The diagnosis for people."""
    found = diagnose(evidence)
    reason = knowledge.load().reasons[found.reason]
    click.secho(reason.title, bold=True)
    rows = [
        ("What happened", reason.meaning),
        ("Who can fix it", who_can_fix(reason)),
        ("Will sending again help?", reason.again),
        ("What to do now", reason.cure),
        ("How sure", f"{found.confidence:.0%}" + (f", from {found.matched!r}" if found.matched else "")),
        ("Fixes", ", ".join(found.fixes) or "none"),
    ]
    for label, words in rows:
        click.echo(f"  {label:<25} {words}")
    others = [c for c in plausible(found) if c.reason != found.reason]
    for candidate in others:
        title = knowledge.load().reasons[candidate.reason].title
        click.echo(
            f"  It could be                {title} ({candidate.confidence:.0%}). {candidate.test}".rstrip()
        )
    click.echo(f"  Reason id                 {reason.id} ({reason.category}, {reason.retry})")


@catalogue.command("check")
def check() -> None:
    """Load the catalogue from its source files as strictly as can be, and run its examples."""
    try:
        found = load_from(HOME)
    except CatalogueError as error:
        raise click.ClickException(str(error)) from error
    examples = sum(len(reason.examples) for reason in found.reasons.values())
    click.echo(f"{len(found.reasons)} reasons and {examples} examples are in order.")


def _install_id(public_id: str) -> int:
    try:
        return installs.known(flow(), public_id).id
    except installs.Refused as refusal:
        raise click.ClickException(str(refusal)) from refusal


@unknown.command("list")
@click.option("--install", "public_id", required=True)
def unknown_list(public_id: str) -> None:
    """The texts nobody knows, most frequent first: id, count, reason given, shape."""
    for row in diagnosing.listed(flow(), _install_id(public_id)):
        click.echo(f"{row.shape_hash}\t{row.count}\t{row.reason or '-'}\t{row.shape}")


@unknown.command("name")
@click.option("--install", "public_id", required=True)
@click.argument("key")
@click.argument("reason")
def unknown_name(public_id: str, key: str, reason: str) -> None:
    """Say that texts of the shape KEY mean REASON, in this install."""
    try:
        changed = diagnosing.name(flow(), _install_id(public_id), key, reason)
    except diagnosing.NoSuch as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Named. {changed} messages read anew.")


@unknown.command("export")
@click.option("--install", "public_id", required=True)
def unknown_export(public_id: str) -> None:
    """What was named here, as JSON lines for the catalogue."""
    for row in diagnosing.contribution(flow(), _install_id(public_id)):
        click.echo(orjson.dumps(row).decode())
