"""One failed message as an entry on a contact's timeline. Whatever customers or providers wrote is escaped."""

from __future__ import annotations

from html import escape

from canvas.domain.message import Status
from canvas.domain.story import Story
from canvas.domain.wording import channel_name

MAX_TOLD = 2000


def reference(thread_id: str) -> str:
    """The word by which the entry of a message is found again."""
    return thread_id


def entry_html(root: Story, latest: Story, url: str) -> str:
    """What failed, why, what to do, and what became of it. `root` failed first, `latest` is its newest attempt."""
    headline = f"{channel_name(root.message.channel)} message failed: {root.title}"
    rows = [f"<p><b>{escape(headline)}</b><br>{escape(root.line)}</p>"]
    rows.append(f"<p>{escape(root.text)}</p>")
    rows += [f"<p><b>{escape(state)}</b></p>" for state in _what_became(root, latest)]
    if root.told:
        rows.append(f"<p>{escape(root.told[:MAX_TOLD])}</p>")
    rows.append(f'<p><a href="{escape(url)}">Open the message</a></p>')
    rows.append(f"<p>Reference {escape(reference(root.message.thread_id))}</p>")
    return "".join(rows)


def _what_became(root: Story, latest: Story) -> list[str]:
    """The advice while nothing was done; then what was done instead."""
    if latest.message.id != root.message.id:
        return [_resent(latest)]
    if root.message.handled_at:
        by = root.message.handled_by
        return [f"Marked as handled by {by.name}." if by and by.name else "Marked as handled."]
    return [text for label, text in root.lines if label == "What to do now"]


def _resent(latest: Story) -> str:
    sender = latest.message.sender
    who = f" (by {sender.name})" if sender and sender.name else ""
    if latest.message.status is Status.FAILED:
        return f"Sent again{who}, and it failed: {latest.title}."
    return f"{latest.text}{who}"


def properties_of(story: Story) -> dict[str, str]:
    """The same facts for a branded timeline event."""
    advice = next((text for label, text in story.lines if label == "What to do now"), "")
    return {
        "channel": story.message.channel,
        "reason": story.title,
        "text": story.text,
        "advice": advice,
    }
