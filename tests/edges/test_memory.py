"""What one caller sends, however large, is not kept in the memory of a process that serves everybody."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from canvas.sandbox.octopods import keys
from tests.desk import Desk

LARGE = 900_000
TIMES = 10
LITTLE = LARGE  # of ten times as much, and more, not even one is kept
WIDE = "\U0001f600"  # makes Python keep four bytes for each character


@contextmanager
def kept() -> Iterator[Callable[[], int]]:
    """How many bytes more are held than when the block began."""
    tracemalloc.start()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]

    def more() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    try:
        yield more
    finally:
        tracemalloc.stop()


def large(number: int) -> str:
    return f"{number}{'x' * LARGE}{WIDE}"


QUESTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "check": ("/check", lambda text: {"destination_phone": text, "body": "Hi"}),
    "check before a send": ("/sms/messages?check=1", lambda text: {"destination_phone": text, "body": "Hi"}),
    "code": ("/diagnose", lambda text: {"text": {"title": "It failed", "code": text}}),
    "text": ("/diagnose", lambda text: {"text": text}),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_large_question_is_answered_briefly_and_forgotten(desk: Desk, question: str) -> None:
    desk.connect()
    path, body = QUESTIONS[question]

    def ask(text: str) -> int:
        answer = desk.gateway(path, body(text), keys.SMS)
        assert answer.status_code == 200, answer.text
        return len(answer.data)

    ask("0871234567")  # whatever is loaded once is loaded
    with kept() as more:
        assert max(ask(large(number)) for number in range(TIMES)) < 10_000
        assert more() < LITTLE


def test_a_screen_of_large_messages_is_drawn_and_forgotten(desk: Desk) -> None:
    desk.connect()
    for number in range(TIMES):
        failed = {"status": "failed", "failure_reason": large(number), "contact_id": f"c{number}"}
        told = {"destination_phone": "+12125550121", "message_id": 7000 + number, **failed}
        assert desk.gateway("/track", told, keys.SMS).status_code == 201
    desk.initialize("c0")
    with kept() as more:
        for number in range(1, TIMES):
            assert "Details" in desk.initialize(f"c{number}").buttons
        assert more() < LITTLE


def test_a_number_is_read_alike_however_much_follows_it(desk: Desk) -> None:
    desk.connect()
    padded = "087 123 4567" + " " * LARGE
    answer = desk.gateway("/check", {"destination_phone": padded, "body": "Hi"}, keys.SMS)
    found = next(f for f in answer.get_json()["findings"] if f["id"] == "number")
    assert (found["fix"], len(answer.data) < 10_000) == ("reformat_phone", True)
    assert "+353871234567" in found["text"]
