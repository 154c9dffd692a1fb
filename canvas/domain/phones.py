"""Phone numbers: E.164 out of what people type, and what a wrong one may have meant.

A number is *plausible* when its length fits its country, and *valid* when its range is in use as well.
Plausible is enough to send; valid decides between two readings. A reading is certain only when no other one
is as good.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

LineKind = Literal["mobile", "fixed", "either", "unknown"]

MAX_RAW = 100  # longer than anything a person means as one number
CACHED = 4096
_KINDS: dict[int, LineKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.PAGER: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.TOLL_FREE: "fixed",
    PhoneNumberType.PREMIUM_RATE: "fixed",
    PhoneNumberType.SHARED_COST: "fixed",
    PhoneNumberType.UAN: "fixed",
    PhoneNumberType.VOICEMAIL: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "either",
}
_SCHEME = re.compile(r"^\s*(?:tel|sms|smsto|callto|whatsapp|viber)\s*:\s*(?://)?", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:\bext(?:ension|n)?\b\.?:?|(?:\b|(?<=\d))x\.?|#)\s*\d{1,5}\s*$", re.IGNORECASE)
_PARAMETERS = re.compile(r";\s*(?:phone-context|isub|ext)\s*=.*$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[/,;|\n]|\bor\b|\band\b|&", re.IGNORECASE)
# Mobiles that are known with a digit and without it, whether a right number has it, and why the other may be tried.
_SPELLINGS = (
    (
        re.compile(r"(\+55\d\d)(9?)([6-9]\d{7})"),
        "9",
        True,
        "older Brazilian WhatsApp accounts lack the ninth digit",
    ),
    (re.compile(r"(\+52)(1?)(\d{10})"), "1", False, "older Mexican WhatsApp accounts have a 1 after +52"),
    (re.compile(r"(\+54)(9?)([1-8]\d{9})"), "9", False, "Argentine mobiles have a 9 after +54"),
)
_OWN_LENGTH = 11  # as many digits without a plus are hardly a national number of somewhere else


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may have been meant, `why` in words that follow "because". At most one is `certain`."""

    e164: str
    why: str
    certain: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    number: PhoneNumber
    why: str
    sure: bool  # whether the written form itself speaks for this reading
    far: bool = False  # whether it takes a foreign country code that nobody wrote as one

    @property
    def e164(self) -> str:
        return _e164(self.number)


def normalise(raw: str, region: str) -> str | None:
    """`raw` as E.164, or None when it is not plausible or could be read in two ways.

    `region` is the country (ISO 3166, such as "IE") of a number written without its country code.
    """
    return _normalised(raw[:MAX_RAW], region)


# What is remembered is bounded in number and in size, for anybody can send a text as a number.
@lru_cache(CACHED)
def _normalised(raw: str, region: str) -> str | None:
    text = clean(raw)
    if text.startswith("+") and (number := _parse(text, None)) and _plausible(number):
        return _e164(number)
    best = _best(list(_readings(raw, region)))
    return best[0].e164 if len(best) == 1 and best[0].sure else None


def addressee(raw: str, region: str) -> str | None:
    """The number that `raw` certainly means, as `normalise`, or None where another country's reading is as good."""
    doubtful = any(not c.certain for c in _meant(raw[:MAX_RAW], region)[:1])
    return None if doubtful else normalise(raw, region)


def clean(raw: str) -> str:
    """The digits of `raw` in ASCII, with its leading plus; schemes, extensions and words are dropped."""
    text = unicodedata.normalize("NFKC", raw[:MAX_RAW])
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cn") or c == "\n")
    text = _EXTENSION.sub("", _PARAMETERS.sub("", _SCHEME.sub("", text)))
    digits = "".join(str(unicodedata.decimal(c, "")) for c in text)
    before = text[: next((i for i, c in enumerate(text) if c.isdecimal()), 0)]
    return ("+" if "+" in before else "") + digits


def candidates(raw: str, region: str, others: Sequence[str] = ()) -> list[Candidate]:
    """What `raw` may have meant, best first, then the person's `others` numbers.

    A single reading is certain; of two, neither is, be they of one country or of two. Quirks of Brazil, Mexico
    and Argentina are tried when the number itself has nothing wrong. Another number of the person is never certain.
    """
    found = list(_meant(raw[:MAX_RAW], region))
    for other in others:
        if (e164 := normalise(other, region)) and e164 not in {c.e164 for c in found}:
            found.append(Candidate(e164, "it is another number of this person"))
    return found


@lru_cache(CACHED)
def _meant(raw: str, region: str) -> tuple[Candidate, ...]:
    readings = list(_readings(raw, region))
    best = _best(readings)
    # The near reading is the likely one; where a far one is in use as well, it takes a person to tell.
    rivals = [r for r in _best(r for r in readings if r.far and r.sure) if r not in best]
    found = [Candidate(r.e164, r.why, r.sure and len(best) == 1 and not rivals) for r in best]
    found += [Candidate(r.e164, r.why) for r in rivals]
    if [c.e164 for c in found] == [clean(raw)]:
        found += [Candidate(e164, why) for e164, why in _quirks(found[0].e164)]
    return tuple(found)


def _readings(raw: str, region: str) -> Iterator[_Reading]:
    """Every plausible reading of the whole, else of its parts, else of its letters on a keypad."""
    whole = list(_read(clean(raw), region))
    parts = [part for part in _SEPARATORS.split(raw[:MAX_RAW]) if len(clean(part)) >= 7]
    if len(parts) > 1:
        for part in parts:
            whole += [replace(r, why="it is one of the numbers there") for r in _read(clean(part), region)]
    if not whole and re.search(r"[A-Za-z]{3}", raw):
        whole += _found(_parse(raw[:MAX_RAW], region), "letters were read as on a keypad", False)
    yield from whole


def _read(text: str, region: str) -> Iterator[_Reading]:
    digits = text.removeprefix("+")
    if text.startswith("+") and not digits.startswith("0"):
        yield from _international(text)
        return
    if digits.startswith("00"):
        yield from _found(_parse("+" + digits.lstrip("0"), None), "00 in front stands for +", True)
        return
    yield from _national(digits, region)
    yield from _without_plus(digits, region)


def _international(text: str) -> Iterator[_Reading]:
    number = _parse(text, None)
    if number is None:
        return
    if mended := _brazil_ninth(number) or _mexico_without_one(number):
        yield mended
        return
    same = _e164(number) == text
    why = "it is the same number" if same else "the prefix for calls within the country does not belong"
    yield from _found(number, why, True)


def _national(digits: str, region: str) -> Iterator[_Reading]:
    number = _parse(digits, region)
    if number is None:
        return
    if mended := _brazil_ninth(number) or _mexico_without_one(number):
        yield mended
        return
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    sure = phonenumbers.is_valid_number(number) or bool(prefix and digits.startswith(prefix))
    yield from _found(number, f"it is written as within {region}", sure)


def _without_plus(digits: str, region: str) -> Iterator[_Reading]:
    """A country code without its plus; a foreign one is sure only for a long number in use there."""
    number = _parse("+" + digits, None)
    if number is None or digits.startswith("0"):
        return
    own = number.country_code == phonenumbers.country_code_for_region(region)
    if not own and len(digits) < _OWN_LENGTH and not phonenumbers.is_valid_number(number):
        return
    sure = own or (len(digits) >= _OWN_LENGTH and phonenumbers.is_valid_number(number))
    for reading in _international("+" + digits):
        yield replace(reading, why="only the + was missing", sure=sure, far=not own)


def _best(readings: Iterable[_Reading]) -> list[_Reading]:
    """The valid readings if there are any, else all, each number once; the far ones only for want of near."""
    unique = list({r.e164: r for r in reversed(list(readings))}.values())[::-1]
    valid = [r for r in unique if phonenumbers.is_valid_number(r.number)] or unique
    return [r for r in valid if not r.far] or valid


def _found(number: PhoneNumber | None, why: str, sure: bool) -> list[_Reading]:
    return [_Reading(number, why, sure)] if number and _plausible(number) else []


def _brazil_ninth(number: PhoneNumber) -> _Reading | None:
    """Brazilian mobiles got a ninth digit, a 9 after the area code, between 2012 and 2016 (ANATEL)."""
    digits = phonenumbers.national_significant_number(number)
    if number.country_code != 55 or len(digits) != 10 or digits[2] not in "6789":
        return None
    longer = _parse(f"+55{digits[:2]}9{digits[2:]}", None)
    return _Reading(longer, "the ninth digit of a Brazilian mobile was missing", True) if longer else None


def _mexico_without_one(number: PhoneNumber) -> _Reading | None:
    """Mexico dropped the 1 after +52 for mobiles in August 2019 (IFT numbering plan)."""
    digits = phonenumbers.national_significant_number(number)
    if number.country_code != 52 or len(digits) != 11 or not digits.startswith("1"):
        return None
    shorter = _parse(f"+52{digits[1:]}", None)
    return _Reading(shorter, "Mexican mobiles have no 1 after +52 any more", True) if shorter else None


def _quirks(e164: str) -> Iterator[tuple[str, str]]:
    """Older forms under which a WhatsApp account may be known although the number is right."""
    for pattern, digit, with_digit, why in _SPELLINGS:
        found = pattern.fullmatch(e164)
        if found and bool(found[2]) is with_digit:
            yield _other_spelling(found, digit), why


@lru_cache(CACHED)
def same_line(number: str) -> tuple[str, ...]:
    """All the numbers by which this one line is known, itself first; what is no such number stands alone."""
    for pattern, digit, *_ in _SPELLINGS:
        if found := pattern.fullmatch(number):
            return number, _other_spelling(found, digit)
    return (number,)


def _other_spelling(found: re.Match[str], digit: str) -> str:
    before, given, after = found.groups()
    return f"{before}{'' if given else digit}{after}"


@lru_cache(CACHED)
def line_kind(e164: str) -> LineKind:
    """What kind of line the digits tell; in North America mobile and fixed cannot be told apart."""
    number = _parse(e164, None)
    return _KINDS.get(phonenumbers.number_type(number), "unknown") if number else "unknown"


@lru_cache(CACHED)
def pretty(e164: str) -> str:
    """For people: "+353 87 123 4567". What is not a number comes back as it is."""
    number = _parse(e164, None)
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else e164


def national(e164: str) -> str:
    """The digits after the country code, as HubSpot searches numbers; "" for what is no number."""
    number = _parse(e164, None)
    return phonenumbers.national_significant_number(number) if number else ""


def mask(e164: str) -> str:
    """For logs: "+353•••4567"."""
    number = _parse(e164, None)
    if number is None or len(e164) < 10:
        return "•••"
    return f"+{number.country_code}•••{e164[-4:]}"


def country(e164: str) -> str | None:
    """The ISO 3166 code of the number's country, such as "IE", or None when it has none."""
    number = _parse(e164, None)
    if number is None:
        return None
    found = phonenumbers.region_code_for_number(number)
    found = found or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return found if found and found.isalpha() and found != "ZZ" else None


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _plausible(number: PhoneNumber) -> bool:
    reason = phonenumbers.is_possible_number_with_reason(number)
    return bool(reason == phonenumbers.ValidationResult.IS_POSSIBLE)


def _e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
