"""Placeholders counted per place, values read in every shape, and the text a person would read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.templates import (
    Button,
    Template,
    as_sections,
    missing,
    placeholders,
    render,
    surplus,
    usable,
)

VISIT = Template(
    id="90001",
    channel="whatsapp",
    name="visit",
    header="Booking {{1}}",
    body="Hi {{1}}, your visit is on {{2}}. See you, {{1}}!",
    footer="Ref {{1}}",
    buttons=(Button("Stop"), Button("Open", "https://x.test/{{1}}"), Button("Pay", "https://p.test/{{1}}")),
    header_format="TEXT",
)
EMPTY: dict[str, list[str]] = {"header": [], "body": [], "footer": [], "buttons": []}
FULL = {"header": ["7710"], "body": ["Mara", "Tuesday"], "footer": ["A1"], "buttons": ["a", "b"]}


def places(template: Template) -> list[tuple[str, int, str]]:
    return [(p.section, p.index, p.name) for p in placeholders(template)]


def test_every_place_is_counted_once_per_section() -> None:
    assert places(VISIT) == [
        ("header", 0, "1"),
        ("body", 0, "1"),
        ("body", 1, "2"),
        ("footer", 0, "1"),
        ("buttons", 0, "1"),
        ("buttons", 1, "1"),
    ]
    assert [p.label for p in placeholders(VISIT)][:2] == ["Header {{1}}", "Text {{1}}"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("{{2}} before {{1}}, {{10}} after {{9}}", ["1", "2", "9", "10"]),
        ("{{ first_name }} and {{order id}}", ["first_name", "order id"]),
        ("no {1} place {{}} here {{ }}", []),
        ("#{{1}}", ["1"]),
        ("{{{{1}}}}", ["1"]),
    ],
)
def test_numbers_come_in_their_order_and_words_as_they_stand(body: str, names: list[str]) -> None:
    assert [p.name for p in placeholders(Template("1", "vbm", body=body))] == names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, EMPTY),
        ([], EMPTY),
        (["Mara", "Tuesday"], EMPTY | {"body": ["Mara", "Tuesday"]}),
        ({"1": "Mara", "2": "Tuesday"}, EMPTY | {"body": ["Mara", "Tuesday"]}),
        ({"2": "Tuesday", "01": "Mara"}, EMPTY | {"body": ["Mara", "Tuesday"]}),
        ({"1": "Mara", "3": 9.5}, EMPTY | {"body": ["Mara", "", "9.5"]}),
        ({"body": ["Mara"]}, EMPTY | {"body": ["Mara"]}),
        ({"header": "7", "body": {"1": "Ana"}, "buttons": None}, EMPTY | {"header": ["7"], "body": ["Ana"]}),
        ([8841, None, True], EMPTY | {"body": ["8841", "", "True"]}),
        (FULL, FULL),
    ],
)
def test_values_are_read_in_all_three_documented_shapes(given: Any, expected: Any) -> None:
    assert as_sections(given, VISIT) == expected


def test_named_values_follow_the_template() -> None:
    template = Template("1", "whatsapp", body="{{name}} on {{day}}")
    assert as_sections({"day": "Tuesday", "name": "Mara"}, template)["body"] == ["Mara", "Tuesday"]


@pytest.mark.parametrize("given_", [[["a"]], {"1": {"x": 1}}, {"body": [{"type": "text"}]}])
def test_a_value_that_is_no_text_counts_as_missing(given_: Any) -> None:
    template = Template("1", "whatsapp", body="Hi {{1}}")
    assert [p.name for p in missing(template, as_sections(given_, template))] == ["1"]


def test_a_huge_number_does_not_make_a_huge_list() -> None:
    assert as_sections({"999999999999": "a", "1": "b"})["body"] == ["a", "b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(given_=JSON)
def test_any_json_is_read_as_values(given_: Any) -> None:
    sections = as_sections(given_, VISIT)
    assert set(sections) == set(EMPTY)
    assert all(isinstance(value, str) for values in sections.values() for value in values)
    assert render(VISIT, sections)
    assert as_sections(sections, VISIT) == sections


def test_absent_and_blank_values_are_missing_where_they_belong() -> None:
    given = {"header": ["  "], "body": ["Mara"], "footer": ["x"], "buttons": ["a"]}
    gaps = [(p.section, p.index) for p in missing(VISIT, given)]
    assert gaps == [("header", 0), ("body", 1), ("buttons", 1)]
    assert missing(VISIT, FULL) == ()


def test_values_without_a_place_are_counted() -> None:
    assert surplus(VISIT, FULL) == 0
    assert surplus(VISIT, {"body": ["a", "b", "c"], "footer": ["x", "y"]}) == 2


def test_a_template_reads_as_the_person_would_read_it() -> None:
    assert render(VISIT, FULL) == (
        "Booking 7710\n\n"
        "Hi Mara, your visit is on Tuesday. See you, Mara!\n\n"
        "Ref A1\n\n"
        "Open: https://x.test/a\n\n"
        "Pay: https://p.test/b"
    )


def test_a_blank_value_shows_its_braces_as_it_does_for_the_person() -> None:
    template = Template("1", "whatsapp", body="Hi {{1}} on {{2}}")
    assert render(template, {"body": ["", "Monday"]}) == "Hi {{1}} on Monday"


def test_a_value_is_never_read_as_a_place() -> None:
    template = Template("1", "whatsapp", body="{{1}} {{2}}")
    assert render(template, {"body": ["{{2}}", r"\1"]}) == r"{{2}} \1"


@pytest.mark.parametrize(
    ("status", "active", "expected"),
    [
        ("Accepted", None, True),
        ("APPROVED", True, True),
        (None, None, True),
        ("accepted", False, False),
        ("Paused", None, False),
        ("pending", None, False),
        ("", None, False),
    ],
)
def test_only_an_accepted_and_active_template_is_usable(
    status: str | None, active: bool | None, expected: bool
) -> None:
    assert usable(Template("1", "whatsapp", status=status, active=active)) is expected
