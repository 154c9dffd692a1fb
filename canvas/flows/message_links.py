"""Links to the page of one message: signed, expiring, good for one message of one install."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData

from canvas.domain.message import Message
from canvas.flows.signing import serializer

LIFE = timedelta(days=7)
LOOK_ONLY = "look"


class BadLink(Exception):
    """The link was not made here, or was altered."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link names. One that is too old still says what it was about, to people who sign in."""

    install_id: int
    message_id: str
    until: datetime
    look_only: bool = False


class MessageLinks:
    """Makes and reads the links `{public_url}/m/{token}`."""

    def __init__(self, secret_key: str, public_url: str, clock: Callable[[], datetime]) -> None:
        self._serializer = serializer(secret_key, "message-page")
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    def token(self, message: Message, look_only: bool = False) -> str:
        """`look_only` is for a link that leaves the house, such as one in a report to support."""
        issued = int(self._clock().timestamp())
        return self._serializer.dumps(
            [message.install_id, message.id, issued, *([LOOK_ONLY] if look_only else [])]
        )

    def url(self, message: Message, look_only: bool = False) -> str:
        return f"{self._public_url}/m/{self.token(message, look_only)}"

    def read(self, token: str) -> Link:
        """Raises BadLink."""
        try:
            install_id, message_id, issued, *marks = self._serializer.loads(token)
        except (BadData, TypeError, ValueError) as error:
            raise BadLink from error
        return Link(install_id, message_id, datetime.fromtimestamp(issued, UTC) + LIFE, LOOK_ONLY in marks)

    def expired(self, link: Link) -> bool:
        return self._clock() > link.until
