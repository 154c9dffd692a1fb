"""Settings: one table says name, parser, default and meaning; nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DEV_SECRET = "development-only-secret"  # noqa: S105 - refused in production, see `load`  # nosec B105
DEV_ENCRYPTION_KEY = "ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE="
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class BadSetting(Exception):
    """A setting is missing or makes no sense; the message says which, and what it should be."""


def _text(value: str) -> str:
    return value.strip()


def _url(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fit = False
    if not fit or parts.query or parts.fragment:
        raise ValueError("it must be an http(s) address without query, such as https://example.com")
    return value.strip().rstrip("/")


def _url_or_nothing(value: str) -> str:
    return _url(value) if value.strip() else ""


def _origin(value: str) -> str:
    url = _url(value)
    if urlsplit(url).path:
        raise ValueError("it must be scheme and host alone, such as https://app.octopods.io")
    return url


def _database(value: str) -> str:
    value = value.strip()
    if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("it must start with sqlite:/// or postgresql://")
    try:
        name = make_url(value).database
    except (ArgumentError, ValueError):  # such as a port that is no number
        raise ValueError("it must be sqlite:///path or postgresql://user:password@host:port/name") from None
    if value.startswith("sqlite:") and name in (None, "", ":memory:"):
        raise ValueError("it must name a file, such as sqlite:///instance/redeliver.db")
    return value


def _mail_server(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        fit = not value.strip() or (parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0)
    except ValueError:
        fit = False
    if not fit:
        raise ValueError(
            "it must be smtp:// or smtps://user:password@host:port, with / # ? written as %2F %23 %3F"
        )
    return value.strip()


def _fernet_keys(value: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if not keys:
        raise ValueError("it must hold at least one Fernet key")
    for key in keys:
        try:
            Fernet(key.encode())
        except ValueError as error:
            raise ValueError("each key must be 32 bytes in URL-safe base64") from error
    return keys


def _number(kind: type[int] | type[float], least: float, most: float, words: str) -> Callable[[str], Any]:
    """A parser of numbers from `least` to `most`; `words` say which those are."""

    def parse(value: str) -> int | float:
        try:
            number = kind(value)
        except ValueError:
            raise ValueError(f"it must be {words}") from None
        if not least <= number <= most:
            raise ValueError(f"it must be {words}")
        return number

    return parse


_CENTURY = 36_525  # days
_LONGEST = 1e7  # seconds
_whole = _number(int, 0, inf, "a whole number, 0 or more")
_days_or_none = _number(int, 0, _CENTURY, f"a whole number of days, from 0 to {_CENTURY}")
_days = _number(int, 1, _CENTURY, f"a whole number of days, from 1 to {_CENTURY}")
_port = _number(int, 1, 65535, "a whole number from 1 to 65535")
_seconds = _number(float, 0, _LONGEST, f"a number of seconds, from 0 to {_LONGEST:.0f}")
# Zero would break calls that never left, and take them for sent.
_connect_seconds = _number(float, 1, 15, "1 to 15 seconds")
# Both together stay below the lease of an action (schedule.LEASE), so that nobody takes over a call under way.
_read_seconds = _number(float, 1, 100, "1 to 100 seconds")


def _steps(value: str) -> tuple[float, ...]:
    try:
        steps = tuple(float(step) for step in value.split(","))
    except ValueError:
        steps = ()
    if not steps or not all(0 < step <= _LONGEST for step in steps):
        raise ValueError(f"it must be seconds, comma-separated, each above zero and at most {_LONGEST:.0f}")
    return steps


def _level(value: str) -> str:
    if value.strip().upper() not in LEVELS:
        raise ValueError(f"it must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
    return value.strip().upper()


def _region(value: str) -> str:
    if value.upper() not in SUPPORTED_REGIONS:
        raise ValueError("it must be the two letters of a country, such as IE")
    return value.upper()


def _yes(value: str) -> bool:
    if value.lower() not in ("0", "1", "true", "false", "yes", "no", ""):
        raise ValueError("it must be yes or no")
    return value.lower() in ("1", "true", "yes")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `secret` ones are never printed; `needed` ones must be given in production."""

    name: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False
    needed: bool = False


SETTINGS = (
    Setting("PRODUCTION", _yes, "", "yes: refuse to start with missing or default secrets."),
    Setting("PORT", _port, "8080", "The port the web process listens on."),
    Setting("PUBLIC_URL", _url, "http://127.0.0.1:8080", "Our own address, as others reach us.", needed=True),
    Setting(
        "SECRET_KEY", _text, DEV_SECRET, "Signs links, sessions and fix tokens.", secret=True, needed=True
    ),
    Setting(
        "ENCRYPTION_KEYS",
        _fernet_keys,
        DEV_ENCRYPTION_KEY,
        "Fernet keys that seal tokens and keys, newest first.",
        secret=True,
        needed=True,
    ),
    Setting(
        "DATABASE_URL", _database, "sqlite:///instance/redeliver.db", "Where everything is kept.", secret=True
    ),
    Setting("OCTOPODS_URL", _origin, "https://app.octopods.io", "Octopods: scheme and host, no path."),
    Setting(
        "OCTOPODS_SETTINGS_URL", _url, "https://app.octopods.io/settings/channels", "Octopods' settings page."
    ),
    Setting("INTERCOM_CLIENT_ID", _text, "", "The Intercom app's client id."),
    Setting(
        "INTERCOM_CLIENT_SECRET",
        _text,
        "",
        "The Intercom app's client secret; it signs requests.",
        secret=True,
    ),
    Setting(
        "INTERCOM_URL", _url_or_nothing, "", "Intercom's API address; empty means by the workspace's region."
    ),
    Setting(
        "INTERCOM_AUTHORIZE_URL",
        _url_or_nothing,
        "",
        "Where admins allow access; empty means Intercom's page of the workspace's region.",
    ),
    Setting("HUBSPOT_APP_ID", _text, "", "The HubSpot app's id."),
    Setting("HUBSPOT_CLIENT_ID", _text, "", "The HubSpot app's client id."),
    Setting(
        "HUBSPOT_CLIENT_SECRET",
        _text,
        "",
        "The HubSpot app's client secret; two, comma-separated, in rotation.",
        secret=True,
    ),
    Setting("HUBSPOT_URL", _url, "https://api.hubapi.com", "HubSpot's API address."),
    Setting(
        "HUBSPOT_AUTHORIZE_URL",
        _url,
        "https://app.hubspot.com/oauth/authorize",
        "Where people allow access to HubSpot.",
    ),
    Setting(
        "HUBSPOT_SCOPES",
        _text,
        "oauth crm.objects.contacts.read crm.objects.contacts.write tickets automation",
        "What HubSpot is asked to allow; exactly the required scopes of the uploaded app.",
    ),
    Setting(
        "HUBSPOT_OPTIONAL_SCOPES",
        _text,
        "crm.schemas.contacts.read crm.schemas.contacts.write",
        "What HubSpot is asked to allow where the account can; the app's optional scopes.",
    ),
    Setting("DEFAULT_REGION", _region, "US", "The country numbers without a code are read in, by default."),
    Setting("RETENTION_DAYS", _days, "90", "Days after which messages are removed."),
    Setting(
        "ERASE_AFTER_DAYS",
        _days_or_none,
        "30",
        "Days after a workspace left until everything of it is erased.",
    ),
    Setting(
        "POLL_SCHEDULE",
        _steps,
        "10,30,60,300,1800,3600",
        "Seconds between status questions; the last repeats.",
    ),
    Setting("POLL_SPACING", _seconds, "1", "Seconds at least between two status questions on one key."),
    Setting(
        "LIST_EVERY",
        _seconds,
        "300",
        "Seconds between looks into Octopods' list of WhatsApp messages; 0: never.",
    ),
    Setting(
        "CONNECT_TIMEOUT", _connect_seconds, "5", "Seconds to wait for a connection to a vendor, 1 to 15."
    ),
    Setting("READ_TIMEOUT", _read_seconds, "30", "Seconds to wait for Octopods' answer to a send, 1 to 100."),
    Setting(
        "ALLOW_PRIVATE_LINKS", _yes, "", "yes: media links may point into private networks (sandbox only)."
    ),
    Setting("RATE_PER_INSTALL", _whole, "12000", "API calls a minute of one install; 0 is no limit."),
    Setting("RATE_PER_ADDRESS", _whole, "600", "Page views and refused calls a minute of one address."),
    Setting(
        "TRUSTED_PROXIES", _whole, "0", "Proxies of yours before the app whose X-Forwarded-* is believed."
    ),
    Setting(
        "SESSION_IDLE_MINUTES", _whole, "60", "Minutes without a click after which people sign in again."
    ),
    Setting(
        "SMTP_URL",
        _mail_server,
        "",
        "Mail server for alerts, smtp://user:password@host:587; the password goes out over TLS only.",
        secret=True,
    ),
    Setting("MAIL_FROM", _text, "", "The address that alerts by mail come from."),
    Setting("LOG_LEVEL", _level, "INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL."),
    Setting("METRICS_TOKEN", _text, "", "Bearer token for /metrics; empty closes it.", secret=True),
)


class Config:
    """The parsed settings: `config["PORT"]`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __repr__(self) -> str:
        return f"Config({', '.join(self._values)})"  # names only: values hold secrets


def written(value: Any) -> str:
    """A parsed value in the form its parser reads."""
    if isinstance(value, tuple):
        return ",".join(written(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def load(environment: Mapping[str, str] | None = None) -> Config:
    """Read the settings.

    Raises BadSetting with one sentence for all that is wrong.
    """
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.parse(source.get(setting.name, setting.default))
        except ValueError as error:
            wrong.append(f"{setting.name}: {error}")
    if values.get("PRODUCTION"):
        wrong += _unfit_for_production(source)
    if wrong:
        raise BadSetting("; ".join(wrong))
    return Config(values)


def _unfit_for_production(source: Mapping[str, str]) -> list[str]:
    wrong = [
        f"{s.name}: it must be set in production"
        for s in SETTINGS
        if s.needed and source.get(s.name, s.default) == s.default
    ]
    secret = _text(source.get("SECRET_KEY", DEV_SECRET))
    if len(secret) < 32 and secret != DEV_SECRET:
        wrong.append("SECRET_KEY: it must have at least 32 characters in production")
    sealing = source.get("ENCRYPTION_KEYS", "")
    if DEV_ENCRYPTION_KEY in sealing and sealing != DEV_ENCRYPTION_KEY:
        wrong.append("ENCRYPTION_KEYS: it must not hold the development key in production")
    for vendor in ("INTERCOM", "HUBSPOT"):
        if source.get(f"{vendor}_CLIENT_ID") and not source.get(f"{vendor}_CLIENT_SECRET", "").strip(" ,"):
            wrong.append(f"{vendor}_CLIENT_SECRET: it must be set when {vendor}_CLIENT_ID is")
    if _yes(source.get("ALLOW_PRIVATE_LINKS", "")):
        wrong.append("ALLOW_PRIVATE_LINKS: it must not be set in production")
    if not source.get("PUBLIC_URL", "https://").startswith("https://"):
        wrong.append("PUBLIC_URL: it must start with https:// in production")
    return wrong
