"""SMS parts at the edges of both alphabets."""

import pytest

from canvas.domain.segments import segments


@pytest.mark.parametrize(
    ("text", "count", "encoding", "left"),
    [
        ("", 1, "GSM-7", 160),
        ("a" * 160, 1, "GSM-7", 0),
        ("a" * 161, 2, "GSM-7", 145),
        ("a" * 306, 2, "GSM-7", 0),
        ("a" * 307, 3, "GSM-7", 152),
        ("€" * 80, 1, "GSM-7", 0),
        ("€" * 81, 2, "GSM-7", 143),
        ("a" * 152 + "€" + "b" * 10, 2, "GSM-7", 141),
        ("àèéìòùäöñüÅØßÇ£¥@\r\n", 1, "GSM-7", 141),
        ("ő" * 70, 1, "UCS-2", 0),
        ("ő" * 71, 2, "UCS-2", 63),
        ("😀" * 35, 1, "UCS-2", 0),
        ("😀" * 36, 2, "UCS-2", 61),
        ("a" * 66 + "😀" + "b" * 10, 2, "UCS-2", 55),
    ],
)
def test_parts_are_counted_as_they_are_cut(text: str, count: int, encoding: str, left: int) -> None:
    found = segments(text)
    assert (found.count, found.encoding, found.left) == (count, encoding, left)


def test_the_characters_that_cost_are_named() -> None:
    assert segments("It’s “fine” ✓ it’s").unusual == "’“”✓"
    assert segments("plain").unusual == ""


def test_the_cost_is_told_in_words() -> None:
    assert segments("hi").words == "1 SMS part"
    assert segments("a" * 200).words == "2 SMS parts"
