"""What every flow is given: the database, the clients, what we know, the clock, and a way to wake the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from canvas.clients.guard import Guarded
from canvas.clients.hubspot import HubSpot
from canvas.clients.intercom import Intercom
from canvas.clients.links import Links
from canvas.clients.mail import Mail
from canvas.clients.octopods import Octopods
from canvas.clients.webhook import Webhook
from canvas.flows.counters import Counters
from canvas.flows.message_links import MessageLinks
from canvas.knowledge.catalogue import Catalogue
from canvas.store.installs import Install
from canvas.store.sealing import Sealer


def utc_now() -> datetime:
    """The time, to the millisecond, which is what the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class VendorApp:
    """Our app at Intercom or HubSpot, as token calls name it."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """What a flow works with. `wake(action_id, due_at)` may be lost or doubled: the action row is the truth."""

    engine: Engine
    counters: Counters
    catalogue: Catalogue
    sealer: Sealer
    octopods: Octopods
    intercom: Intercom
    hubspot: HubSpot
    links: Links
    message_links: MessageLinks
    wake: Callable[[str, datetime], None]
    clock: Callable[[], datetime] = utc_now
    poll_steps: Sequence[float] = (10, 30, 60, 300, 1800, 3600)
    poll_spacing: timedelta = timedelta(seconds=1)
    list_every: timedelta = timedelta(minutes=5)
    settings_url: str = ""
    intercom_app: VendorApp = field(default_factory=VendorApp)
    hubspot_app: VendorApp = field(default_factory=VendorApp)
    default_region: str = "US"
    webhook: Webhook = field(default_factory=lambda: Webhook(Guarded()))
    mail: Mail = field(default_factory=lambda: Mail("", ""))
    retention_days: int = 90
    erase_after: timedelta = timedelta(days=30)

    def country(self, install: Install) -> str:
        """The region, such as IE, in which this install's numbers without a country code are read."""
        return str(install.settings.get("country") or self.default_region)
