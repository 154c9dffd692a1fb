"""No text makes any of our patterns slow: every compiled one meets what makes careless ones explode."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys

import pytest

import canvas
from canvas.knowledge import catalogue

UNITS = [
    "a",
    "0",
    " ",
    "+",
    "(",
    ")",
    "-",
    ".",
    "_",
    "{",
    "{{",
    "é",
    "\n",
    "\t",
    "%",
    "/",
    "://",
    "@",
    ":",
    '"',
    "'",
]
SIZE = 4_000  # at which an exponential pattern never ends, and a quadratic one costs a moment


def hostile() -> list[str]:
    """Long repeats with an end that does not fit, alone, in pairs, and around a seed."""
    texts = [unit * (SIZE // len(unit)) + "\x00" for unit in UNITS]
    texts += [(a + b) * (SIZE // 4) + "!" for a in "a0 +" for b in "a0 -.("]
    texts += ["+1 " + "5 " * SIZE, "{{1}}" * (SIZE // 5) + "{{", "//" + "a:" * SIZE, "Bearer " * 3000]
    return texts


def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern of text that the app's own modules have compiled, wherever they keep it."""
    for module in pkgutil.walk_packages(canvas.__path__, "canvas."):
        if ".sandbox" not in module.name and ".migrations" not in module.name:
            importlib.import_module(module.name)
    catalogue.load()
    ours: dict[str, re.Pattern[str]] = {}
    for name, module_ in list(sys.modules.items()):
        if name.startswith("canvas.") and ".sandbox" not in name:
            for key, value in vars(module_).items():
                for one in value if isinstance(value, list | tuple) else [value]:
                    if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                        ours[f"{name}.{key}:{one.pattern[:40]}"] = one
    return ours


@pytest.mark.timeout(100)
def test_no_pattern_explodes_on_hostile_text() -> None:
    found = patterns()
    assert len(found) > 5
    texts = hostile()
    for pattern in found.values():
        for text in texts:
            pattern.search(text)
            pattern.fullmatch(text)
