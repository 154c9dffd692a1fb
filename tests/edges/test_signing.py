"""A token is good as it was written and in no other spelling."""

from __future__ import annotations

import string

import pytest
from itsdangerous import BadData

from canvas.flows.signing import serializer

LETTERS = string.ascii_letters + string.digits + "-_"


def test_no_other_character_anywhere_in_a_token_is_taken() -> None:
    signer = serializer("a secret", "test")
    token = signer.dumps([1, "msg_1", "retry_now"])
    assert signer.loads(token) == [1, "msg_1", "retry_now"]
    for place in range(len(token)):
        for letter in LETTERS:
            altered = token[:place] + letter + token[place + 1 :]
            if altered != token:
                with pytest.raises(BadData):
                    signer.loads(altered)


@pytest.mark.parametrize("altered", ["", ".", "..", "a.b.c", "é.é.é", "a" * 10_000, "=.=.="])
def test_what_is_no_token_is_refused(altered: str) -> None:
    with pytest.raises(BadData):
        serializer("a secret", "test").loads(altered)


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    with pytest.raises(BadData):
        serializer("a secret", "sign-in").loads(serializer("a secret", "test").dumps(1))
