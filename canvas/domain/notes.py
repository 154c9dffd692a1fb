"""A diagnosis as a note for colleagues. Whatever customers or providers wrote is escaped."""

from __future__ import annotations

from html import escape

from canvas.domain.fix import repaired_by_word
from canvas.domain.story import Story

REPAIRED = (
    "Say so in Redeliver's settings, under Channels: “It is repaired”. "
    "The message can then be sent again from the card."
)


def note_html(story: Story) -> str:
    """The internal note that asks an admin for help, in the little HTML that notes accept."""
    rows = [f"<p><b>{escape(story.title)}</b><br>{escape(story.line)}</p>"]
    rows += [f"<p><b>{escape(label)}</b><br>{escape(text)}</p>" for label, text in story.lines]
    if repaired_by_word(story.reason) and not story.context.opted_out:
        rows.append(f"<p><b>When it is put right</b><br>{REPAIRED}</p>")
    if story.said:
        rows.append(f"<p><b>The provider said</b><br>{escape(story.said)}</p>")
    if story.noted:
        rows.append(f"<p><b>Redeliver noted</b><br>{escape(story.noted)}</p>")
    rows.append(f"<p>Message {escape(story.message.octopods_id or 'without an id')} ({story.message.id})</p>")
    return "".join(rows)
