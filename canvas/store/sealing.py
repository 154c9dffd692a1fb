"""Secrets at rest: tokens and keys are sealed, and a key is looked up by a keyed hash, never by itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotOpen(Exception):
    """A sealed secret cannot be opened with any of the configured keys."""


class Sealer:
    """Seals with the newest key and opens with any; `fingerprint` finds an API key without storing it."""

    def __init__(self, encryption_keys: Sequence[str], hash_key: str) -> None:
        fernets = [Fernet(key.encode()) for key in encryption_keys]
        self._newest, self._fernet = fernets[0], MultiFernet(fernets)
        self._hash_key = hashlib.sha256(b"redeliver fingerprint " + hash_key.encode()).digest()

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret. Raises CannotOpen when its key is gone or the row was altered."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise CannotOpen("The key it was sealed with is not among ENCRYPTION_KEYS.") from error

    def is_newest(self, sealed: str) -> bool:
        """Whether it is sealed with the newest key already."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """The same secret under the newest key. Raises CannotOpen."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise CannotOpen("The key it was sealed with is not among ENCRYPTION_KEYS.") from error

    def fingerprint(self, api_key: str) -> str:
        return hmac.new(self._hash_key, api_key.encode(), hashlib.sha256).hexdigest()
