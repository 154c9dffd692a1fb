"""From the rendered card to the running app: HubSpot's renderer, a signed call, gunicorn, the worker, one send."""

from __future__ import annotations

from pathlib import Path

import pytest

from canvas.sandbox.hubspot_people import PORTAL, contact_id
from canvas.sandbox.people import BY_ID
from canvas.sandbox.station import HUBSPOT_SECRET
from tests.browser.stack import running
from tests.hubspot import node

MARA = BY_ID["not_on_whatsapp"]


@pytest.mark.node
@pytest.mark.timeout(600)
def test_a_click_in_the_rendered_card_sends_one_message_through_the_running_app(tmp_path: Path) -> None:
    node.installed()
    with running(tmp_path) as stack:
        before = len(stack.sends_to(MARA.phone))
        node.run_tool(
            "vitest",
            "run",
            "tests/live.test.tsx",
            APP_URL=stack.app,
            HUBSPOT_SECRET=HUBSPOT_SECRET,
            OBJECT_ID=contact_id(MARA),
            PORTAL_ID=str(PORTAL),
        )
        sends = stack.sends_to(MARA.phone)
    assert len(sends) == before + 1
    assert sends[-1]["path"].endswith("/sms/messages")
