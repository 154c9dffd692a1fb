"""Turning a text into folded words, so that capitals, accents, camel case and entities do not matter."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from itertools import chain

from canvas.knowledge.memo import Memo

# A capital where a word begins inside another; the scan for a capital is what makes it fast.
_CAMEL = re.compile(r"[A-Z](?:(?<=[a-z].)|(?<=[A-Z].)(?=[a-z]{2}))")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[0-9]+|(?<![.!?;:])[.!?;:]++(?=\s|$)|[\n|]", re.UNICODE)
_OWN_FOLDS = {
    **dict(zip("ıİßđĐøłŁæёЁ", ["i", "i", "ss", "d", "d", "o", "l", "l", "ae", "е", "е"], strict=True)),
    **dict.fromkeys("‘’ʼ´`‹›", "'"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("–\u2011", "-"),
    **dict.fromkeys("أإآ", "ا"),
    "—": " - ",
    "\u00a0": " ",
    "\u200b": "",
    "\u00ad": "",
    "ى": "ي",
    "ة": "ه",
    "。": ". ",
    "，": ", ",
    "：": ": ",
    "；": "; ",
    "！": "! ",
}
_NO_LETTER = re.compile(r"&#x?[0-9a-fA-F]{8,};?")
_QUOTED_FIELD = re.compile(r"[`'\"](from|to)[`'\"]")
_FIELDS = {"from": " senderfield ", "to": " recipientfield "}
_NO_SPACES = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
STEM, _PART = 5, 3
# Numbers by which servers say what they thought of a request, in whatever form they come.
HTTP_STATUSES = {*("400", "401", "402", "403", "404", "405", "408", "409", "410", "413", "415", "422", "429")}
HTTP_STATUSES |= {"500", "502", "503", "504"}
_SAYS_NOTHING = {
    "the", "a", "an", "is", "are", "was", "were", "be", "been", "of", "in", "on", "at", "for", "and", "or",
    "by", "with", "this", "that", "it", "as", "you", "your", "we", "our", "to", "from", "has", "have", "had",
    "do", "does", "did", "will", "would", "can", "could", "may", "should", "which", "if", "not", "no", "code",
    "error", "status", "command", "message", "please", "because", "due", "http", "https", "com", "www", "id",
    "value",
}  # fmt: skip
_SEAMS = {"Whats App": "WhatsApp", "O Auth": "OAuth", "i Phone": "iPhone"}


def _fold_table() -> dict[int, str]:
    """Accented Latin letters to their base letters; letters of their own, such as й, stay."""
    table = {ord(char): to for char, to in _OWN_FOLDS.items()}
    for point in [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)]:
        base = unicodedata.normalize("NFD", chr(point))[0]
        if base.isascii():
            table.setdefault(point, base)
    return table


_FOLDS = _fold_table()


def unescape(text: str) -> str:
    """The text with entities as the letters they stand for; numbers that can be no letter go."""
    return html.unescape(_NO_LETTER.sub("", text))


def fold(text: str) -> str:
    """The text in lower case, with plain quotes, without accents and entities, joined words taken apart."""
    if "&" in text and ";" in text:
        text = unescape(text)
    if not text.isascii():
        text = text.translate(_FOLDS)
    if _CAMEL.search(text):
        text = _CAMEL.sub(r" \g<0>", text)
        for seam, whole in _SEAMS.items():
            text = text.replace(seam, whole)
    text = text.lower()
    if "'" in text or '"' in text or "`" in text:
        text = _QUOTED_FIELD.sub(lambda field: _FIELDS[field.group(1)], text)
    return text


_words_in: Memo[list[str]] = Memo(lambda piece: _WORD.findall(fold(piece)))


def words_of(text: str) -> list[str]:
    """The folded words, numbers and sentence ends of a text, in order."""
    return list(chain.from_iterable(map(_words_in.__getitem__, text.split(" "))))


def is_break(token: str) -> bool:
    """Whether this token ends a sentence."""
    return token[0] in ".!?;:\n|"


def key_of(text: str) -> str:
    """What two spellings of the same sentence have in common: its words, without numbers and marks."""
    return " ".join(spelled_of(words_of(text)))


def spelled_of(words: Iterable[str]) -> list[str]:
    """Those words that are of letters."""
    return [word for word in words if word[0].isalpha()]


def parts_of(word: str) -> list[str]:
    """What a word tells by: itself, its stem and, where it has letters beyond ASCII, its short pieces.

    Of a script without spaces or stems: its letters and pairs of letters. Marks, ordinary words and numbers of no
    meaning to us tell by nothing.
    """
    if word in _SAYS_NOTHING or not (word[0].isalpha() or word in HTTP_STATUSES):
        return []
    if not word.isascii() and _NO_SPACES.search(word):
        return list(dict.fromkeys([*word, *[word[at : at + 2] for at in range(len(word) - 1)]]))
    ringed = "" if word.isascii() else f"_{word}_"
    pieces = ["~" + ringed[at : at + _PART] for at in range(len(ringed) - _PART + 1)]
    return [word, *([word[:STEM]] if len(word) > STEM else ()), *pieces]
