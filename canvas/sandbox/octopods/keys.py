"""The fake's API keys. Octopods API reference, "API Key Authentication"."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["valid", "deprecated", "offline"]
KINDS = ("whatsapp", "sms", "vbm", "workspace")

WHATSAPP = "sandbox-whatsapp-1111"
SMS = "sandbox-sms-2222"
VBM = "sandbox-vbm-3333"
WORKSPACE = "sandbox-workspace-4444"
OLD_WHATSAPP = "sandbox-whatsapp-old-5555"
OFFLINE_SMS = "sandbox-sms-offline-6666"
BUSY_WHATSAPP = "sandbox-whatsapp-busy-7777"


OF_FLAW = {"old_key": OLD_WHATSAPP, "busy_key": BUSY_WHATSAPP, "offline_key": OFFLINE_SMS}
"""The key a person's message is sent with, when the key itself is the trouble."""


def of_hubspot(key: str) -> str:
    """The same key of the workspace that belongs to HubSpot: a workspace is Intercom's or HubSpot's."""
    return key.replace("sandbox-", "sandbox-hubspot-", 1)


@dataclass(slots=True)
class Key:
    """`offline`: the key is right, but its channel is not connected. `phone` is the sending number."""

    value: str
    kind: str
    state: State = "valid"
    phone: str = "+4631390600"
    blocked_until: datetime | None = None

    def opens(self, channel: str) -> bool:
        """A workspace key opens every channel but WhatsApp."""
        return self.kind == channel or (self.kind == "workspace" and channel != "whatsapp")


def fresh() -> list[Key]:
    """The keys of both workspaces."""
    keys = _of_intercom()
    return keys + [replace(key, value=of_hubspot(key.value)) for key in keys]


def _of_intercom() -> list[Key]:
    return [
        Key(WHATSAPP, "whatsapp"),
        Key(SMS, "sms"),
        Key(VBM, "vbm"),
        Key(WORKSPACE, "workspace"),
        Key(OLD_WHATSAPP, "whatsapp", "deprecated"),
        Key(OFFLINE_SMS, "sms", "offline"),
        Key(BUSY_WHATSAPP, "whatsapp"),
    ]


class KeyRing:
    """The keys Octopods knows, and until when each is blocked. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._keys = {key.value: key for key in fresh()}

    def put(self, key: Key) -> None:
        with self._lock:
            self._keys[key.value] = key

    def get(self, value: str) -> Key | None:
        with self._lock:
            return self._keys.get(value)

    def block(self, value: str, until: datetime) -> None:
        """From now on every call with this key is answered 429, until the time given."""
        with self._lock:
            if value in self._keys:
                self._keys[value].blocked_until = until

    def block_for(self, value: str, seconds: float, now: datetime) -> None:
        self.block(value, now + timedelta(seconds=seconds))

    def mend(self, value: str) -> None:
        """An admin has reconnected the channel, in both workspaces."""
        with self._lock:
            for key in (self._keys[value], self._keys[of_hubspot(value)]):
                key.state, key.blocked_until = "valid", None

    def blocked_until(self, value: str, now: datetime) -> datetime | None:
        with self._lock:
            key = self._keys.get(value)
            return key.blocked_until if key and key.blocked_until and key.blocked_until > now else None
