"""What a button carries: a signed token that names one fix of one message of one install."""

from __future__ import annotations

from dataclasses import dataclass

from itsdangerous import BadData

from canvas.domain.message import Message
from canvas.flows.signing import serializer

TOKEN_SECONDS = 24 * 3600
UNDO = "undo"  # in place of a fix: take the send back


@dataclass(frozen=True, slots=True)
class FixToken:
    """What a button stands for: this fix of this message of this install, as the message was when drawn.

    `shown` is the template whose fields the form around it shows, once one was chosen, and what it said then.
    """

    install_id: int
    message_id: str
    fix_id: str
    target: int | None
    version: int
    shown: str = ""


class BadToken(Exception):
    """The token was not made here, was altered, or is too old."""


class Tokens:
    """Signs and reads fix tokens."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = serializer(secret_key, "fix")

    def sign(self, message: Message, fix_id: str, target: int | None = None, shown: str = "") -> str:
        more = [shown] if shown else []
        return self._serializer.dumps(
            [message.install_id, message.id, fix_id, target, message.version, *more]
        )

    def read(self, token: str) -> FixToken:
        """Raises BadToken."""
        try:
            return FixToken(*self._serializer.loads(token, max_age=TOKEN_SECONDS))
        except (BadData, TypeError, ValueError) as error:
            raise BadToken from error
