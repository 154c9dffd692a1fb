"""Fill the app's address into the HubSpot project and write it to hubspot/build, ready to be uploaded.

Usage: python hubspot/build.py https://redeliver.your-company.com [--support MAIL] [--app-events]
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
PLACEHOLDER = "https://redeliver.example.com"
PLACEHOLDER_MAIL = "support@redeliver.example.com"
FILLED = {".json", ".ts", ".tsx"}


class BadAddress(ValueError):
    """HubSpot would refuse this address, or could never call it."""


def origin(url: str) -> str:
    """The address without a trailing slash. Raises BadAddress unless HubSpot can call it."""
    if not url:
        raise BadAddress("say where the app is: make hubspot PUBLIC_URL=https://redeliver.your-company.com")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise BadAddress(f"{url!r} must be https, with a host and without query: HubSpot calls nothing else")
    if parts.hostname == "localhost" or parts.hostname.startswith("127."):
        raise BadAddress(f"{url!r} cannot be reached by HubSpot's servers")
    return url.rstrip("/")


def build(url: str, target: Path, support: str | None = None, app_events: bool = False) -> Path:
    """Write the project for the app at `url` into `target`, replacing what was there, and return `target`.

    `app_events` adds the branded timeline entry, which HubSpot accepts only from approved technology
    partners whose app is distributed through the marketplace.
    """
    address = origin(url)
    mail = support or f"support@{urlsplit(address).hostname}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy(HERE / "hsproject.json", target)
    shutil.copytree(HERE / "src", target / "src", ignore=shutil.ignore_patterns("node_modules"))
    if app_events:
        shutil.copytree(HERE / "optional" / "app-events", target / "src" / "app" / "app-events")
        _distribute(target / "src" / "app" / "app-hsmeta.json")
    for file in target.rglob("*"):
        if file.suffix in FILLED:
            text = file.read_text(encoding="utf-8").replace(PLACEHOLDER_MAIL, mail)
            file.write_text(text.replace(PLACEHOLDER, address), encoding="utf-8")
    return target


def _distribute(app: Path) -> None:
    meta: dict[str, Any] = json.loads(app.read_text(encoding="utf-8"))
    meta["config"]["distribution"] = "marketplace"
    meta["config"]["auth"]["requiredScopes"].append("timeline")
    app.write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", default="", help="the app's public address (PUBLIC_URL)")
    parser.add_argument("--support", help="the support address shown to HubSpot users")
    parser.add_argument("--app-events", action="store_true", help="for approved technology partners only")
    given = parser.parse_args()
    try:
        target = build(given.url, HERE / "build", given.support, given.app_events)
    except BadAddress as error:
        print(f"make hubspot: {error}", file=sys.stderr)
        return 2
    print(f"Written to {target}. Upload it with: cd {target} && hs project upload")
    return 0


if __name__ == "__main__":
    sys.exit(main())
