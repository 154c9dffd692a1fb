"""The React card: its types, and its tests under HubSpot's own renderer (hubspot/tests)."""

import pytest

from tests.hubspot import node

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]


def test_the_card_is_typed_without_gaps() -> None:
    node.run_tool("tsc", "--noEmit")


def test_the_card_behaves_under_hubspots_renderer() -> None:
    node.run_tool("vitest", "run", "--exclude", "tests/live.test.tsx")
