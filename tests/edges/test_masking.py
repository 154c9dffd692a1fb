"""Numbers, secrets and words of messages are recognised wherever they hide, and what is none of them stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.masking import HIDDEN, mask_text, masked


@pytest.mark.parametrize(
    "number",
    [
        "+46701740611",
        "+46 70 174 06 11",
        "0046701740611",
        "46701740611",
        "(087) 123 4567 89",
        "+353 (0) 87 123-4567",
        "+1 555.010.9999",
    ],
)
def test_a_number_is_masked_however_it_is_written(number: str) -> None:
    words = mask_text(f"to {number}, failed")
    assert number not in words
    assert sum(c.isdigit() for c in words) == 4
    assert words.endswith(", failed")


@pytest.mark.parametrize(
    "words",
    [
        "2026-11-23T13:05:00.000000Z",
        "Nov 23, 2026 at 1:05PM",
        "msg_01kaqv9d20k3v8q2m4c7x1n5ty",
        "error 131026 after 3 tries",
        "host 127.0.0.1:8080",
        "6230011",
    ],
)
def test_what_is_no_number_of_a_person_stays(words: str) -> None:
    assert mask_text(words) == words


def test_secrets_and_words_of_messages_are_hidden_by_their_names() -> None:
    value = {
        "access_token": "dG9r",
        "api_key": "k-1",
        "settings": [{"client_secret": "s", "country": "IE"}],
        "text": "Hi Mara",
        "url": "postgresql://redeliver:hunter2@db/redeliver",
        "note": "Authorization: Bearer abc.def",
    }
    hidden = masked(value)
    assert hidden["access_token"] == hidden["api_key"] == hidden["text"] == HIDDEN
    assert hidden["settings"] == [{"client_secret": HIDDEN, "country": "IE"}]
    assert "hunter2" not in hidden["url"]
    assert "abc.def" not in hidden["note"]


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(alphabet="ab ,:!\n", max_size=20))
def test_no_international_number_survives(number: str, around: str) -> None:
    assert number not in mask_text(f"{around} {number} {around}")
