"""Providers' own codes. A code means something only together with the provider whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

from canvas.knowledge.memo import Memo
from canvas.knowledge.tokens import key_of

# Looked for from the first letter of each word only, and without going back, for it is looked for in every text.
_NAME = re.compile(r"[A-Za-z](?<![A-Za-z].)[A-Za-z0-9]*+(?:[_-][A-Za-z0-9]++)++")
_NUMBER = re.compile(r"\d+$")
_PREFIXES = 5  # as many as a program puts before a title; more would let hostile words cost their square
_TAIL = re.compile(r"\s*\([^()]*\)$")
# Titles that are ordinary words: they identify a cause only together with their code.
GENERIC_TITLES = {
    "unknown", "bad request", "reject", "rejected", "not found", "message rejected",
    "unable to create record", "error", "failed", "invalid", "deny", "system", "invalid value",
    "internal error", "internal server error", "server error", "undeliverable", "unauthorized",
    "forbidden", "generic error", "other", "delivery failure", "message not sent", "delivery failed",
    "expired", "deleted", "accepted", "message undeliverable", "bad gateway",
    "message couldn't be delivered", "message can't be delivered", "undelivered", "failure",
    "message failed", "message failed to deliver", "message send failed", "message not delivered",
    "not delivered", "blocked", "pending", "message suppressed", "message delivery blocked",
    "not allowed", "message blocked", "account not active", "unprocessable entity", "gone", "conflict",
    "validation error", "generic failure", "unknown failure", "time out", "request failed", "general error",
}  # fmt: skip

# What a provider's texts bear, and the provider.
Mark = tuple[str, str]


class CodeRow(NamedTuple):
    """One documented code of one provider."""

    provider: str
    code: str | None
    space: str | None
    channel: str
    title: str
    cause: str
    retry: str
    source: str
    key: str


@dataclass(slots=True)
class Codes:
    """All documented codes, found by provider and code, by name, or by title."""

    rows: list[CodeRow] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    _marks: list[Mark] = field(default_factory=list)
    _spaced_marks: list[Mark] = field(default_factory=list)
    _marked: Memo[list[str]] = field(init=False)
    _spaces: dict[str, list[str]] = field(default_factory=dict)
    _space_marks: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _states: dict[str, list[str]] = field(default_factory=dict)
    _receipts: dict[str, str] = field(default_factory=dict)
    _services: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _others: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _by_code: dict[tuple[str, str], list[CodeRow]] = field(default_factory=dict)
    _by_name: dict[str, list[CodeRow]] = field(default_factory=dict)
    _by_title: dict[str, list[CodeRow]] = field(default_factory=dict)
    _by_short: dict[tuple[str, str], list[CodeRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._marked = Memo(partial(whose, self._marks))

    @classmethod
    def of(cls, codes: Mapping[str, Iterable[Mapping[str, Any]]], providers: Mapping[str, Any]) -> Codes:
        """The tables of the code files (provider -> rows) and of providers.toml."""
        table = cls()
        for provider, facts in providers.items():
            table.names.update(dict.fromkeys(facts["names"], provider))
            for mark in facts["marks"]:
                (table._spaced_marks if " " in mark else table._marks).append((mark, provider))
            table._spaces[provider] = facts.get("spaces", [])
            table._space_marks[provider] = facts.get("space_marks", {})
            table._states[provider] = facts.get("states", [])
            if "receipt" in facts:
                table._receipts[provider] = facts["receipt"]
            if "within" in facts:
                table._services.setdefault(facts["within"], {})[provider] = facts["marks"]
        for provider, rows in codes.items():
            for row in rows:
                table._add(code_row(provider, row))
        return table

    def add_own(self, name: str, cause: str, retry: str) -> None:
        """Add an error name of Octopods itself (API reference, "Errors")."""
        source = "https://docs.octopods.io/en/"
        self._add(CodeRow("octopods", name, None, "any", name, cause, retry, source, key_of(name)))

    def add_ambiguous(self, ambiguous: Mapping[str, Mapping[str, list[str]]]) -> None:
        """Add the further reasons of codes and texts that are used for more than one."""
        for provider, codes in ambiguous.items():
            for code, others in codes.items():
                self._others[provider, normal_code(code)] = others

    def others(self, row: CodeRow) -> list[str]:
        """The further reasons a provider uses this row's code or text for."""
        said = row.title if row.code is None else row.code
        return self._others.get((row.provider, normal_code(said)), [])

    def _add(self, row: CodeRow) -> None:
        self.rows.append(row)
        if row.code is not None:
            self._by_code.setdefault((row.provider, normal_code(row.code)), []).append(row)
            if _NAME.fullmatch(row.code) and not row.code.startswith("0x"):
                self._by_name.setdefault(name_of(row.code), []).append(row)
        if _NAME.fullmatch(row.title):
            self._by_name.setdefault(name_of(row.title), []).append(row)
        if row.key:
            self._by_title.setdefault(row.key, []).append(row)
        if short := short_of(row.title):
            self._by_short.setdefault((row.provider, short), []).append(row)

    def provider(self, name: str | None) -> str | None:
        """The provider a caller means, as the code files name it; None for one we have no codes of."""
        if not name:
            return None
        plain = _plain_name(name)
        return self.names.get(plain) or self.names.get(plain.split("_")[0])

    def service(self, provider: str, text: str) -> str:
        """The service of this provider whose marks a text bears, such as Viber's bots beside its business messages."""
        for service, marks in self._services.get(provider, {}).items():
            if any(mark in text for mark in marks):
                return service
        return provider

    def numberings(self, provider: str) -> list[str]:
        """Whose numbers this provider's name may stand for: its own first, then those of its services."""
        return [provider, *self._services.get(provider, ())]

    def provider_of_text(self, text: str) -> str | None:
        """The provider whose words, keys or hosts the text contains, when they are of just one."""
        found = set().union(*map(self._marked.__getitem__, text.split(" ")))
        found.update(whose(self._spaced_marks, text))
        return found.pop() if len(found) == 1 else None

    def look_up(
        self, provider: str, code: str, channel: str | None, text: str = "", said: Set[str] = frozenset()
    ) -> list[CodeRow]:
        """The rows of this provider's code: those whose titles are said, of the numbering the text shows, or usual."""
        rows = self._by_code.get((provider, normal_code(code))) or self._in_hex(provider, code)
        fitting = [row for row in rows if row.channel in {channel, "any"}] if channel else rows
        rows = fitting or rows
        if text and len({row.cause for row in rows}) > 1:
            key = key_of(text)
            rows = [row for row in rows if row.key == key] or rows
        rows = self.telling([row for row in rows if is_said(row, said)]) or rows
        marks = self._space_marks.get(provider, {})
        shown = [space for space, words in marks.items() if any(word in text for word in words)]
        for space in [*shown, *self._spaces.get(provider, ())]:
            here = [row for row in rows if row.space == space]
            if here:
                return here
        return rows

    def in_receipt(self, provider: str | None, code: str) -> list[CodeRow]:
        """The rows of the number in this provider's SMPP delivery receipts, where it documents whose that is."""
        space = self._receipts.get(provider or "")
        rows = self._by_code.get((provider or "", normal_code(code)), []) if space and code else []
        return [row for row in rows if row.space == space]

    def telling(self, rows: list[CodeRow]) -> list[CodeRow]:
        """Of rows said in one text: those that say why, where a provider also says in numbers how it ended."""
        why = {row.provider for row in rows if row.space not in self._states.get(row.provider, ())}
        return [
            row
            for row in rows
            if row.provider not in why or row.space not in self._states.get(row.provider, ())
        ]

    def _in_hex(self, provider: str, code: str) -> list[CodeRow]:
        """The rows of a number that the provider's documentation writes in base 16, as SMPP does."""
        return self._by_code.get((provider, f"{int(code):#x}"), []) if code.isdecimal() else []

    def named(self, text: str) -> list[tuple[str, list[CodeRow]]]:
        """Codes that are names of their own (such as ESME_RTHROTTLED or NO-CREDITS), as found in a text."""
        if "_" not in text and "-" not in text:
            return []
        found = []
        for match in _NAME.finditer(text[:4000]):
            rows = self._by_name.get(name_of(match.group()))
            if rows:
                found.append((match.group(), rows))
        return found

    def titled(self, key: str, provider: str | None = None) -> list[CodeRow]:
        """The rows whose title has exactly these words; of ordinary words only those of the provider that said them."""
        rows = self._by_title.get(key, [])
        return [row for row in rows if row.provider == provider] if key in GENERIC_TITLES else rows

    def agreed(self, key: str) -> set[str]:
        """The causes of an ordinary title, if several providers have it."""
        rows = self._by_title.get(key, [])
        return {row.cause for row in rows} if len({row.provider for row in rows}) > 1 else set()

    def titled_behind(self, sentence: str, provider: str | None) -> list[CodeRow]:
        """This provider's rows whose title stands behind what its programs put before one, each ending in a colon."""
        rest = sentence if provider else ""
        for _ in range(_PREFIXES):
            _, _, rest = rest.partition(": ")
            if not rest:
                break
            key = key_of(rest)
            rows = [row for row in self._by_title.get(key, ()) if row.provider == provider]
            if rows := rows or self._by_short.get((provider or "", key), []):
                return rows
        return []


def whose(marks: Iterable[Mark], text: str) -> list[str]:
    """The providers whose marks a text has; marks without capitals count in capitals, too."""
    lowered = text.lower()
    return [provider for mark, provider in marks if mark in (lowered if mark.islower() else text)]


def is_said(row: CodeRow, said: Set[str]) -> bool:
    """Whether the title of this row is among the sentences (without spaces, for names are joined in several ways)."""
    return bool(row.key) and row.key.replace(" ", "") in said


@lru_cache(maxsize=1024)
def _plain_name(name: str) -> str:
    """A provider's name as providers.toml spells it; remembered, for there are few."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def code_row(provider: str, row: Mapping[str, Any]) -> CodeRow:
    """One line of a code file."""
    kept = (row["code"], row["space"], row["channel"], row["title"], row["cause"], row["retry"])
    return CodeRow(provider, *kept, row["source"], row["key"])


def short_of(title: str) -> str:
    """The key of a title without what it says in brackets at its end; "" where it has none."""
    return key_of(_TAIL.sub("", title)) if title.endswith(")") else ""


def name_of(code: str) -> str:
    """A code that is a name however it is joined; where it ends in a number, that is part of it (SMS-RC-413)."""
    number = _NUMBER.search(code)
    return f"{key_of(code)} {number[0]}" if number else key_of(code)


def normal_code(code: str) -> str:
    """A code without capitals, spaces and leading zeros, so that 0x0000000B and 0xb are one."""
    plain = code.strip().lower()
    if plain.startswith("0x"):
        return "0x" + (plain[2:].lstrip("0") or "0")
    return plain.lstrip("0") or "0"
