"""Links to the page of one message: signed, expiring, good for one install."""

from __future__ import annotations

from itsdangerous import BadData

from canvas.domain.message import Message
from canvas.flows.signing import serializer

LIFE_SECONDS = 30 * 24 * 3600


class BadLink(Exception):
    """The link was not made here, was altered, or is too old."""


class MessageLinks:
    """Makes and reads the links `{public_url}/m/{token}`."""

    def __init__(self, secret_key: str, public_url: str) -> None:
        self._serializer = serializer(secret_key, "message-page")
        self._public_url = public_url.rstrip("/")

    def url(self, message: Message) -> str:
        return f"{self._public_url}/m/{self._serializer.dumps([message.install_id, message.id])}"

    def read(self, token: str) -> tuple[int, str]:
        """The install's and the message's id. Raises BadLink."""
        try:
            install_id, message_id = self._serializer.loads(token, max_age=LIFE_SECONDS)
        except (BadData, TypeError, ValueError) as error:
            raise BadLink from error
        return install_id, message_id
