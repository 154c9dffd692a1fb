"""The key a message must be sent and asked with: the one of its own channel. And what a 429 on it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from canvas.domain.message import Message
from canvas.store import actions, channels
from canvas.store.actions import Action
from canvas.store.channels import Channel
from canvas.store.sealing import CannotOpen, Sealer


@dataclass(frozen=True, slots=True)
class Key:
    """An opened API key and the channel it belongs to. The secret never shows in a repr."""

    channel: Channel
    secret: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        return self.channel.key_hash


class NoKey(Exception):
    """There is no usable key for this message; the message says why, in words an agent understands."""


def key_of(conn: Connection, sealer: Sealer, message: Message) -> Key:
    """The key to send `message` with and to ask for its status. Raises NoKey."""
    channel = None
    if message.channel_id is not None:
        channel = channels.get(conn, message.install_id, message.channel_id)
    if channel is None:
        raise NoKey("Your origin sending Channel / Number is unknown to us.")
    try:
        return Key(channel, sealer.open(channel.key_sealed))
    except CannotOpen as error:
        raise NoKey("Deprecated API key.") from error


def hold(conn: Connection, action: Action, channel: Channel, until: datetime) -> bool:
    """Octopods said 429, so nothing happened: the key waits, for every process and surface, and the action with it.

    This try does not count. False when the action's lease was lost meanwhile. The caller wakes the action then, once
    this is committed.
    """
    channels.block(conn, channel.key_hash, until)
    return actions.again(conn, action, until, counted=False)
