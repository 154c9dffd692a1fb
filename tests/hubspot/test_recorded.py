"""The answers that the card's tests are fed are those the app gives now."""

from __future__ import annotations

import os

import pytest

from tests.hubspot.desk import HubSpotDesk
from tests.hubspot.record import FOLDER, SCENES, steady


@pytest.mark.parametrize("scene", SCENES)
def test_the_recorded_answer_is_fresh(portal: HubSpotDesk, scene: str) -> None:
    file, answer = FOLDER / f"{scene}.json", steady(SCENES[scene](portal))
    if os.environ.get("RECORD"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(answer, encoding="utf-8")
    stale = "The answer changed. Run: python -m tests.hubspot.record"
    assert file.read_text(encoding="utf-8") == answer, stale


def test_no_recording_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(SCENES)
