"""The kinds of actions, and the keys that make each action one of its kind. Both are stored: no string may change."""

from __future__ import annotations

SEND, WRITE_PHONE, AUTO_RETRY = "send", "write_phone", "auto_retry"
POLL, RECONCILE, LET_GO = "poll", "reconcile", "let_go"
DISCOVER, TEMPLATES = "discover", "templates"
ASK_ADMIN, BULK = "ask_admin", "bulk"
ALERT, WATCH, TALLY = "alert", "watch", "tally"
TIMELINE, TIMELINE_UPDATE, CONTACT_PROPERTIES = "timeline", "timeline_update", "contact_properties"
CALLBACK, INTERCOM_EVENT = "workflow_callback", "intercom_event"


def action_key(kind: str, *about: str | int) -> str:
    """The key of the action of that kind about one thing, such as a message."""
    return ":".join((kind, *map(str, about)))


def send_key(message_id: str) -> str:
    """The key of the action that sends this message: there can only be one."""
    return action_key(SEND, message_id)
