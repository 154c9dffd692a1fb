"""The key a message must be sent and asked with: the one of its own channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from canvas.domain.message import Message
from canvas.store import channels
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
