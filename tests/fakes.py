"""The fake vendors for tests: one real server a session, as new for each test.

Use: import the four fixtures into a conftest.py (as tests/sandbox/conftest.py does); then

    fake_octopods.url                       base URL, without /api/v1
    fake_octopods.sends()                   accepted sends so far: the judge of "exactly one send"
    fake_octopods.set_fault("cut_after", path="/messages")
    fake_octopods.advance(3)                two seconds later failures show, three later deliveries
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from canvas.sandbox.fake_hubspot import FakeHubSpot
from canvas.sandbox.fake_intercom import FakeIntercom
from canvas.sandbox.fake_octopods import FakeOctopods
from canvas.sandbox.serve import serve


class Fake:
    """A running fake vendor, steered over its control API as any other process would."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_control/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """Every request received: number, at, method, path, key (last 4), body, accepted, outcome, id, ..."""
        entries: list[dict[str, Any]] = self.control("GET", f"log?after={after}")
        return entries

    def sends(self) -> list[dict[str, Any]]:
        """The requests that did something: for Octopods, the messages it took."""
        return [entry for entry in self.log() if entry["accepted"]]

    def set_fault(self, kind: str, **details: Any) -> None:
        """The next request (or `times` of them, 0 for all) that matches `path` and `method` goes wrong."""
        self.control("POST", "faults", {"kind": kind, **details})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        self.control("POST", "advance", {"seconds": seconds})

    def reset(self) -> None:
        self.control("POST", "reset")


class OctopodsFake(Fake):
    def shapes(self, **shapes: Any) -> None:
        """Speak another documented variant: sends, status, listing, failure, vbm_status, retry_at..."""
        self.control("POST", "shapes", shapes)

    def add_key(self, value: str, kind: str, state: str = "valid") -> None:
        self.control("POST", "keys", {"value": value, "kind": kind, "state": state})

    def block_key(self, value: str, seconds: int = 60) -> None:
        self.control("POST", f"keys/{value}/block", {"seconds": seconds})

    def cure(self, person: str) -> None:
        """An admin repaired what stood in this person's way."""
        self.control("POST", f"people/{person}/cure")


class HubSpotFake(Fake):
    def token(self, state: str) -> None:
        """All access tokens become valid, expired, missing_scopes or revoked."""
        self.control("POST", "token", {"state": state})

    def merge(self, loser: str, winner: str) -> None:
        self.control("POST", "merge", {"loser": loser, "winner": winner})

    def refuse_property(self, name: str, sentence: str) -> None:
        """From now on writes of this contact property are refused with this sentence."""
        self.control("POST", "refused", {"property": name, "sentence": sentence})

    def search_lag(self, seconds: float) -> None:
        """What was written is found only after so many seconds."""
        self.control("POST", "search_lag", {"seconds": seconds})

    def timeline(self, contact: str) -> list[dict[str, Any]]:
        """id, kind, at, channel, body and updated of each entry, newest first."""
        entries: list[dict[str, Any]] = self.control("GET", f"timeline/{contact}")
        return entries

    def contact(self, contact: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.control("GET", f"contacts/{contact}")
        return properties

    def callbacks(self) -> dict[str, Any]:
        """The workflow callbacks that were completed, with their output fields."""
        completed: dict[str, Any] = self.control("GET", "callbacks")
        return completed


@pytest.fixture(scope="session")
def octopods_server() -> Iterator[OctopodsFake]:
    with serve(FakeOctopods().app) as url:
        yield OctopodsFake(url)


@pytest.fixture
def fake_octopods(octopods_server: OctopodsFake) -> OctopodsFake:
    octopods_server.reset()
    return octopods_server


@pytest.fixture(scope="session")
def intercom_server() -> Iterator[Fake]:
    with serve(FakeIntercom().app) as url:
        yield Fake(url)


@pytest.fixture
def fake_intercom(intercom_server: Fake) -> Fake:
    intercom_server.reset()
    return intercom_server


@pytest.fixture(scope="session")
def hubspot_server() -> Iterator[HubSpotFake]:
    with serve(FakeHubSpot().app) as url:
        yield HubSpotFake(url)


@pytest.fixture
def fake_hubspot(hubspot_server: HubSpotFake) -> HubSpotFake:
    hubspot_server.reset()
    return hubspot_server
