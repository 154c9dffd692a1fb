"""Reading the catalogue's own files, strictly: whatever is wrong is refused with file, row and reason."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, get_args

from canvas.knowledge.model import OPTED_OUT, Category, Channel, Curer, Retry

HOME = Path(__file__).parent
FIX_IDS = (
    "retry_now",
    "retry_later",
    "reformat_phone",
    "edit_phone",
    "send_other_channel",
    "choose_template",
    "supply_variables",
    "replace_media_url",
    "edit_text",
    "open_settings",
    "ask_admin",
    "contact_support",
    "check_status",
    "mark_handled",
)
SENDING_FIXES = frozenset(FIX_IDS[:9])
_WORDS = ("title", "meaning", "cure", "again", "source", "customer_words")
_CHOICES = {"who": get_args(Curer), "category": get_args(Category), "retry": get_args(Retry)}
_LISTS = ("fixes", "matches", "hints", "examples", "only_on")
_KEYS = {*_WORDS, *_CHOICES, *_LISTS, "wait_seconds", "tell"}
_EXAMPLE_KEYS = {"text", "channel", "provider", "code", "http_status"}
_CODE_KEYS = {"code", "space", "channel", "title", "exact", "http_status", "cause", "retry", "source"}
_LONGEST_TITLE = 32

Row = dict[str, Any]


class CatalogueError(ValueError):
    """A catalogue file is not usable; the message says which file, which row and why."""

    def __init__(self, file: str, row: str, why: str) -> None:
        super().__init__(f"{file}: {row}: {why}" if row else f"{file}: {why}")


def files(home: Path = HOME) -> list[Path]:
    """Every file the catalogue is made of, in a fixed order."""
    return [
        home / "vocabulary.toml",
        home / "providers.toml",
        home / "octopods.toml",
        home / "ambiguous.toml",
        home / "phrases.tsv",
        *sorted((home / "reasons").glob("*.toml")),
        *sorted((home / "codes").glob("*.jsonl")),
    ]


def stamp(home: Path = HOME) -> str:
    """A fingerprint of all files, so that a compiled form can be known to be fresh."""
    digest = hashlib.sha256()
    for path in files(home):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def read(home: Path = HOME) -> Row:
    """Everything the files say, checked row by row. Raises CatalogueError."""
    reasons: dict[str, Row] = {}
    for path in sorted((home / "reasons").glob("*.toml")):
        for name, row in read_toml(path).items():
            if name in reasons:
                raise CatalogueError(path.name, name, "this id is taken by another row")
            reasons[name] = checked_reason(path.name, name, row)
    read_phrases(home / "phrases.tsv", reasons)
    return {
        "reasons": reasons,
        "vocabulary": read_vocabulary(home / "vocabulary.toml"),
        "providers": read_toml(home / "providers.toml"),
        "ambiguous": read_ambiguous(home / "ambiguous.toml", reasons),
        "octopods": read_octopods(home / "octopods.toml", reasons),
        "codes": {
            path.stem: list(read_codes(path, reasons)) for path in sorted((home / "codes").glob("*.jsonl"))
        },
    }


def file_of(reason: str, home: Path = HOME) -> str:
    """The name of the file a reason stands in."""
    here = [path.name for path in sorted((home / "reasons").glob("*.toml")) if reason in read_toml(path)]
    return here[0] if here else "reasons"


def read_toml(path: Path) -> Row:
    """One TOML file as tables. Raises CatalogueError where it is no TOML (a double table, for instance)."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(path.name, "", str(error)) from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise CatalogueError(path.name, name, "is not a table")
    return tables


def checked_reason(file: str, name: str, row: Row) -> Row:
    """A reason's row with everything it must have. Raises CatalogueError."""
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise CatalogueError(file, name, f"unknown key {', '.join(unknown)}")
    for word in _WORDS:
        if not isinstance(row.get(word), str) or not row[word].strip():
            raise CatalogueError(file, name, f"{word} has no words")
    if len(row["title"]) > _LONGEST_TITLE:
        raise CatalogueError(file, name, f"title is longer than {_LONGEST_TITLE} characters")
    for key, choices in _CHOICES.items():
        if row.get(key) not in choices:
            raise CatalogueError(file, name, f"{key} must be one of {', '.join(choices)}")
    if not isinstance(row.get("wait_seconds", 0), int):
        raise CatalogueError(file, name, "wait_seconds must be whole seconds")
    for key in _LISTS:
        if not isinstance(row.get(key, []), list):
            raise CatalogueError(file, name, f"{key} must be a list")
    if not set(row.get("only_on", ())) <= set(get_args(Channel)):
        raise CatalogueError(file, name, f"only_on may hold {', '.join(get_args(Channel))}")
    check_fixes(file, name, row)
    check_examples(file, name, row)
    return row


def check_fixes(file: str, name: str, row: Row) -> None:
    """Fixes exist, and none sends to somebody who opted out. Raises CatalogueError."""
    fixes = row.get("fixes") or []
    dangling = [fix for fix in fixes if fix not in FIX_IDS]
    if dangling:
        raise CatalogueError(file, name, f"no such fix: {', '.join(map(str, dangling))}")
    if not fixes:
        raise CatalogueError(file, name, "fixes are missing")
    if name == OPTED_OUT and SENDING_FIXES & set(fixes):
        raise CatalogueError(file, name, "a fix that sends, for a person who opted out")
    if "retry_now" in fixes and row["retry"] not in {"transient", "unknown"}:
        raise CatalogueError(file, name, f"a plain retry, though its class is {row['retry']}")


def check_examples(file: str, name: str, row: Row) -> None:
    """At least one example, of known keys. Raises CatalogueError."""
    examples = row.get("examples") or []
    if not examples:
        raise CatalogueError(file, name, "has no example")
    for example in examples:
        if not isinstance(example, dict) or "text" not in example or set(example) - _EXAMPLE_KEYS:
            raise CatalogueError(
                file, name, f"example {example!r} may hold {', '.join(sorted(_EXAMPLE_KEYS))}"
            )


def read_vocabulary(path: Path) -> dict[str, dict[str, str]]:
    """The concepts and their words by language. Raises CatalogueError."""
    vocabulary = read_toml(path)
    for concept, languages in vocabulary.items():
        for language, words in languages.items():
            if not isinstance(words, str) or not words.strip():
                raise CatalogueError(path.name, f"{concept}.{language}", "must be words with commas between")
    return vocabulary


def read_ambiguous(path: Path, reasons: dict[str, Row]) -> dict[str, dict[str, list[str]]]:
    """Further reasons by provider and code or text. Raises CatalogueError."""
    providers = read_toml(path)
    for provider, codes in providers.items():
        for code, others in codes.items():
            unknown = [other for other in others if other not in reasons]
            if unknown:
                raise CatalogueError(path.name, f"{provider} {code}", f"no such reason: {', '.join(unknown)}")
    return providers


def read_octopods(path: Path, reasons: dict[str, Row]) -> dict[str, Row]:
    """Octopods' error names with their reason and their number by family. Raises CatalogueError."""
    names = read_toml(path)
    for name, row in names.items():
        if row.get("reason") not in reasons:
            raise CatalogueError(path.name, name, f"no such reason: {row.get('reason')}")
        if set(row) - {"reason", "whatsapp", "sms", "vbm"}:
            raise CatalogueError(path.name, name, "unknown key")
    return names


def read_phrases(path: Path, reasons: Container[str]) -> list[tuple[str, str]]:
    """The wordings of phrases.tsv with the reason each means. Raises CatalogueError."""
    found: list[tuple[str, str]] = []
    meant: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 3 or parts[0] not in reasons:
            raise CatalogueError(
                path.name, f"line {number}", "needs a reason we have, a language and wordings"
            )
        for phrase in parts[2].split(" | "):
            if meant.setdefault(phrase.casefold(), parts[0]) != parts[0]:
                why = f"{phrase!r} already means {meant[phrase.casefold()]}"
                raise CatalogueError(path.name, f"line {number}", why)
            found.append((parts[0], phrase))
    return found


def read_codes(path: Path, reasons: dict[str, Row]) -> Iterator[Row]:
    """The rows of one provider's code file. Raises CatalogueError."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise CatalogueError(path.name, f"line {number}", str(error)) from error
        if set(row) - _CODE_KEYS:
            raise CatalogueError(path.name, f"line {number}", f"unknown key {sorted(set(row) - _CODE_KEYS)}")
        if row.get("cause") not in reasons:
            raise CatalogueError(path.name, f"line {number}", f"no such reason: {row.get('cause')}")
        yield row
