"""Remembering what was found out about words, for words return."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_LONGEST = 40
_MOST = 20_000

Found = TypeVar("Found")


class Memo(dict[str, Found]):
    """What a function finds for a word, found once: `memo[word]`. Long words are not kept; too many are forgotten."""

    def __init__(self, find: Callable[[str], Found]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, word: str) -> Found:
        found = self._find(word)
        if len(word) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[word] = found
        return found
