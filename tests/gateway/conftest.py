"""The gateway as a customer meets it: on a port of its own, behind real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from canvas.sandbox.serve import serve
from tests.desk import Desk


@pytest.fixture
def live(desk: Desk) -> Iterator[str]:
    """The address a customer writes in place of Octopods' host."""
    desk.connect("whatsapp", "sms", "vbm")
    with serve(desk.app) as url:
        yield url
