"""Numbers as people type them, and the one number they meant, if there is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import is_possible_number, parse

from canvas.domain import phones
from canvas.domain.phones import candidates, normalise, same_line

IRISH = "+353871234567"


@pytest.mark.parametrize(
    "raw",
    [
        "+353871234567",
        "+353 87 123 4567",
        "+353-87-123-4567",
        "(+353) 87 123.4567",
        "+353 (0)87 123 4567",
        "+3530871234567",
        "00353871234567",
        "00 353 87 123 4567",
        "+00353871234567",
        "+0871234567",
        "0871234567",
        "(087) 123-4567",
        "87 123 4567",
        "353871234567",
        "tel:+353871234567",
        "tel:087-123-4567;phone-context=+353",
        "whatsapp:+353871234567",
        "+353871234567;ext=12",
        "087 123 4567 ext. 12",
        "0871234567x12",
        "Mobile: 087 123 4567 Mara",
        "\u202a+353\u00a087\u2011123\u200b4567\u202c",
        "٠٨٧١٢٣٤٥٦٧",
        "+٣٥٣٨٧١٢٣٤٥٦٧",
        "＋３５３８７１２３４５６７",
        "+۳۵۳۸۷۱۲۳۴۵۶۷",
    ],
)
def test_one_irish_number_written_in_many_ways_is_one_number(raw: str) -> None:
    assert normalise(raw, "IE") == IRISH
    assert [c.e164 for c in candidates(raw, "IE") if c.certain] == [IRISH]


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+44 (0)7700 900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("011 353 87 123 4567", "US", IRISH),
        ("353871234567", "US", IRISH),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+39 06 1234 5678", "US", "+390612345678"),
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("089/12345678", "DE", "+498912345678"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("+54 11 15 2345-6789", "US", "+5491123456789"),
    ],
)
def test_the_countrys_own_habits_are_known(raw: str, region: str, expected: str) -> None:
    assert normalise(raw, region) == expected
    assert [c.e164 for c in candidates(raw, region) if c.certain] == [expected]


@pytest.mark.parametrize(
    "raw", ["", " ", "abc", "12", "+", "+999123456789", "1" * 50, "\x00", "\ud800", "+353" + "8" * 5000]
)
def test_nonsense_is_no_number(raw: str) -> None:
    assert normalise(raw, "US") is None
    assert candidates(raw, "US") == []


def test_two_numbers_in_one_field_are_both_shown_and_neither_is_taken() -> None:
    found = candidates("087 123 4567 / 086 765 4321", "IE")
    assert [(c.e164, c.certain) for c in found] == [(IRISH, False), ("+353867654321", False)]
    assert normalise("087 123 4567 or 086 765 4321", "IE") is None


def test_letters_on_a_keypad_are_offered_but_never_taken() -> None:
    (found,) = candidates("1-800-FLOWERS", "US")
    assert (found.e164, found.certain) == ("+18003569377", False)


def test_a_foreign_code_without_its_plus_is_only_a_guess_when_the_number_is_short() -> None:
    assert [c.certain for c in candidates("4122345678", "IE")] == [False]
    assert normalise("4122345678", "IE") is None


def test_a_national_number_is_not_taken_for_a_foreign_one_without_its_plus() -> None:
    # Porto Alegre's area code is also Peru's country code, and both numbers are in use.
    assert normalise("51987654321", "BR") == "+5551987654321"
    assert [c.e164 for c in candidates("51987654321", "US")] == ["+51987654321"]


@pytest.mark.parametrize(
    ("raw", "region", "near", "far"),
    [
        ("51987654321", "BR", "+5551987654321", "+51987654321"),
        ("447400123456", "DE", "+49447400123456", "+447400123456"),
    ],
)
def test_of_two_countries_readings_neither_is_taken_for_sure(
    raw: str, region: str, near: str, far: str
) -> None:
    assert [(c.e164, c.certain) for c in candidates(raw, region)] == [(near, False), (far, False)]
    assert phones.addressee(raw, region) is None
    assert phones.addressee(near, region) == near


@given(raw=st.text(max_size=40), region=st.sampled_from(["IE", "US", "BR", "MX", "AR", "DE", "ZZ", ""]))
def test_any_text_gives_an_answer_that_can_be_sent(raw: str, region: str) -> None:
    number = normalise(raw, region)
    assert number is None or (is_possible_number(parse(number)) and normalise(number, "ZZ") == number)
    found = candidates(raw, region)
    assert all(c.e164.startswith("+") and c.e164[1:].isdigit() for c in found)
    assert sum(c.certain for c in found) <= 1


@given(
    digits=st.from_regex(r"[0-9]{6,14}", fullmatch=True),
    prefix=st.sampled_from(["", "+", "00", "0", "(0)", "+1 ", "+44 0", "+55 ", "+52 1", "+54 9", "tel:"]),
    region=st.sampled_from(["IE", "US", "GB", "BR", "MX", "AR", "DE", "IT", "IN"]),
)
def test_what_is_certain_is_also_what_is_normal(digits: str, prefix: str, region: str) -> None:
    found = candidates(prefix + digits, region)
    certain = [c.e164 for c in found if c.certain]
    normal = normalise(prefix + digits, region)
    if certain and normal and not normal.startswith(("+55", "+52")):
        assert certain == [normal]


def test_the_persons_other_numbers_are_offered_after_the_readings() -> None:
    found = candidates("087 123 4567", "IE", ["+353871234567", "086 765 4321", "nonsense"])
    assert [(c.e164, c.certain) for c in found] == [(IRISH, True), ("+353867654321", False)]


@pytest.mark.parametrize("raw", ["+55 11 8765 4321", "+551187654321", "11 8765-4321", "011 8765-4321"])
def test_a_brazilian_mobile_without_its_ninth_digit_gets_it(raw: str) -> None:
    assert [(c.e164, c.certain) for c in candidates(raw, "BR")] == [("+5511987654321", True)]


def test_a_brazilian_landline_gets_no_ninth_digit() -> None:
    assert [c.e164 for c in candidates("+551133334444", "BR")] == ["+551133334444"]


@pytest.mark.parametrize(
    ("right", "older"),
    [
        ("+5511987654321", "+551187654321"),
        ("+525512345678", "+5215512345678"),
        ("+541123456789", "+5491123456789"),
    ],
)
def test_a_number_with_nothing_wrong_offers_the_form_whatsapp_may_know(right: str, older: str) -> None:
    found = candidates(right, "US")
    assert [(c.e164, c.certain) for c in found] == [(right, True), (older, False)]


@pytest.mark.parametrize("raw", ["+5215512345678", "+52 1 55 1234 5678", "5215512345678"])
def test_the_old_mexican_one_is_dropped(raw: str) -> None:
    assert [(c.e164, c.certain) for c in candidates(raw, "MX")] == [("+525512345678", True)]


@pytest.mark.parametrize("raw", ["087 123 4567", "4155552671", "447700900123", "+55 11 8765 4321"])
@pytest.mark.parametrize("region", ["IE", "US", "BR", "DE", "ZZ", ""])
def test_at_most_one_reading_is_ever_certain(raw: str, region: str) -> None:
    found = candidates(raw, region, ["+353861111111"])
    assert sum(c.certain for c in found) <= 1
    assert len({c.e164 for c in found}) == len(found)


@pytest.mark.parametrize(
    ("e164", "kind", "shown", "masked", "country"),
    [
        (IRISH, "mobile", "+353 87 123 4567", "+353•••4567", "IE"),
        ("+12025550123", "either", "+1 202-555-0123", "+1•••0123", "US"),
        ("+442079460123", "fixed", "+44 20 7946 0123", "+44•••0123", "GB"),
        ("+447700900123", "unknown", "+44 7700 900123", "+44•••0123", "GB"),
        ("+18005551234", "fixed", "+1 800-555-1234", "+1•••1234", "US"),
        ("nonsense", "unknown", "nonsense", "•••", None),
        ("", "unknown", "", "•••", None),
    ],
)
def test_what_the_digits_tell(e164: str, kind: str, shown: str, masked: str, country: str | None) -> None:
    assert phones.line_kind(e164) == kind
    assert phones.pretty(e164) == shown
    assert phones.mask(e164) == masked
    assert phones.country(e164) == country


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
    ],
)
def test_a_mobile_with_two_numbers_is_one_line(one: str, other: str) -> None:
    assert same_line(one) == (one, other)
    assert same_line(other) == (other, one)


@pytest.mark.parametrize("number", ["+353871234567", "+551132345678", "+15512345678", "", "not a number"])
def test_any_other_number_is_a_line_of_its_own(number: str) -> None:
    assert same_line(number) == (number,)
