"""From stories to the card's JSON (docs/hubspot.md). Pure functions: no decision is taken here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from canvas.domain.dates import clock
from canvas.domain.fix import Field, Fix
from canvas.domain.message import Message, Status
from canvas.domain.story import Story
from canvas.domain.wording import channel_name, number
from canvas.flows import manual
from canvas.flows.deeds import Clicked
from canvas.flows.fix_tokens import UNDO, Tokens
from canvas.flows.look import Look
from canvas.flows.manual import Checked
from canvas.flows.message_links import MessageLinks

Json = dict[str, Any]
CHECK, ATTACH = "check", "attach"  # what the card can do besides the fixes of a message


class CardView:
    """Draws for one request: with the signer of fix tokens and the maker of links to the message page."""

    def __init__(self, tokens: Tokens, links: MessageLinks) -> None:
        self.tokens = tokens
        self.links = links

    def card(self, look: Look, contact: Json, tz: str | None, request_id: str) -> Json:
        return {
            "ok": True,
            "generatedAt": look.generated_at.isoformat(),
            "asOf": clock(look.generated_at, tz),
            "requestId": request_id,
            "contact": contact,
            "total": look.total,
            "failures": [self.failure(story) for story in look.stories],
            "notice": _notice(look),
            "check": check_form(),
        }

    def failure(self, story: Story, clicked: Clicked | None = None) -> Json:
        """One message; with `clicked`, the form of the clicked fix is drawn as it stands now."""
        message = story.message
        return {
            "messageId": message.id,
            "channel": message.channel,
            "channelName": channel_name(message.channel),
            "to": number(message),
            "sentAt": _iso(message.sent_at),
            "failedAt": _iso(message.failed_at),
            "when": story.line.partition(" · ")[2],
            "line": story.line,
            "version": message.version,
            "status": {"label": story.label, "variant": story.variant},
            "reason": _reason(story),
            "lines": [{"label": label, "text": text} for label, text in story.lines],
            "pattern": story.pattern,
            "said": {"by": story.speaker, "text": story.said, "code": story.code} if story.said else None,
            "noted": story.noted,
            "attempts": [{"when": a.when, "text": a.text, "state": a.state} for a in story.attempts],
            "preview": next((fix.says for fix in story.fixes if fix.enabled and fix.says), None),
            "todo": _todo(story),
            "detailUrl": self.links.url(message),
            "fixes": [*self._undo(story), *(self._fix(story, fix, clicked) for fix in story.fixes)],
        }

    def _undo(self, story: Story) -> list[Json]:
        if not story.undoable:
            return []
        return [_button(UNDO, "one_click", "Undo", self.tokens.sign(story.message, UNDO))]

    def _fix(self, story: Story, fix: Fix, clicked: Clicked | None) -> Json:
        fields, submit, shown = fix.fields, fix.submit, ""
        if clicked and clicked.fix and (clicked.fix.id, clicked.fix.target) == (fix.id, fix.target):
            fields, submit, shown = clicked.fields, clicked.fix.submit, clicked.shown
        token = self.tokens.sign(story.message, fix.id, fix.target, shown)
        choice = any(field.name == "choice" for field in fields)
        return _button(fix.id, fix.kind, fix.label, token) | {
            "main": fix is _best(story),
            "sends": fix.sends,
            "disabled": not fix.enabled,
            "why": fix.why,
            "url": fix.url,
            "copyText": story.support if fix.kind == "copy" else None,
            "fields": [_field(f, required=not choice and f.name != "template_name") for f in fields],
            "submitLabel": submit or "Send",
        }


def _notice(look: Look) -> Json | None:
    """Who may fix, for a reader who may not."""
    refusal = next((story.refusal for story in look.stories if story.refusal), None)
    return {"title": "You can look, not fix", "text": refusal, "variant": "info"} if refusal else None


def _best(story: Story) -> Fix | None:
    """The fix to do first."""
    return next((fix for fix in story.fixes if fix.mends), None)


def _todo(story: Story) -> str | None:
    """What to do now, where no button does it."""
    failed = story.message.status is Status.FAILED and not story.message.handled_at
    return story.lines[-1][1] if failed and story.lines and _best(story) is None else None


def _button(fix_id: str, kind: str, label: str, token: str) -> Json:
    return {
        "id": fix_id,
        "label": label,
        "kind": kind,
        "main": False,
        "sends": False,
        "disabled": False,
        "why": None,
        "confirm": None,
        "url": None,
        "copyText": None,
        "fixToken": token,
        "fields": [],
        "submitLabel": label,
    }


def _field(field: Field, required: bool) -> Json:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "value": field.value,
        "before": field.before,
        "options": [{"label": option.label, "value": option.value} for option in field.options],
        "placeholder": field.placeholder or None,
        "required": required and field.type != "select",
        "error": field.error,
        "help": field.help,
    }


def _reason(story: Story) -> Json:
    diagnosis = story.message.diagnosis
    return {
        "code": diagnosis.reason if diagnosis else None,
        "title": story.title,
        "text": story.text,
        "category": diagnosis.category if diagnosis else None,
        "retry": diagnosis.retry if diagnosis else None,
        "confidence": diagnosis.confidence if diagnosis else None,
        "candidates": [{"code": c, "title": title, "test": test} for c, title, test in story.candidates],
    }


def receipt(clicked: Clicked, story: Story, failure: Json, refresh: bool) -> Json:
    """What became of a click that did something."""
    handled = story.message.handled_at is not None
    return {
        "ok": True,
        "state": "done" if handled else str(story.message.status),
        "message": clicked.note or story.text,
        "refresh": "properties" if refresh else None,
        "duplicate": clicked.duplicate,
        "failure": failure,
    }


def next_form(failure: Json | None) -> Json:
    return {
        "ok": True,
        "state": "form",
        "message": "",
        "refresh": None,
        "duplicate": False,
        "failure": failure,
    }


def check_form() -> Json:
    """Check a message, as a fix that is about no message yet."""
    return _button(CHECK, "form", manual.TITLE, "") | {
        "fields": [_field(manual.PASTED, required=True)],
        "submitLabel": manual.EXPLAIN,
    }


def checked(found: Checked, failure: Json | None) -> Json:
    """What was pasted: its message or its meaning, and the button that ties it to the person."""
    return next_form(failure) | {
        "state": "checked",
        "lines": [{"label": label, "text": text} for label, text in found.lines],
        "attach": _attach(found) if found.attachable else None,
    }


def _attach(found: Checked) -> Json:
    fields = [_field(field, required=False) for field in found.sent_by]
    kind = "form" if fields else "one_click"
    return _button(ATTACH, kind, manual.ATTACH, found.nonce) | {"fields": fields}


def attached(message: Message, failure: Json) -> Json:
    """The receipt for a message that now is this person's, as far as it is known to whom it went."""
    words = manual.ATTACHED if message.raw_to or message.failure else manual.ASKED_WHOSE
    return next_form(failure) | {"state": str(message.status), "message": words}


def refusal(code: str, message: str, field: str | None = None, failure: Json | None = None) -> Json:
    return {
        "ok": False,
        "error": {"code": code, "field": field, "message": message},
        "failure": failure,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
