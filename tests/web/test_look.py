"""The one style sheet: every pair of colours that carries words can be read, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSS = (ROOT / "static" / "app.css").read_text()
WORDS, SHAPES = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11
PAIRS = [
    *[(name, ground, WORDS) for name in ("ink", "soft", "accent", "danger") for ground in ("paper", "card")],
    *[("ink", f"{kind}-soft", WORDS) for kind in ("danger", "warning", "success", "info", "default")],
    *[(kind, f"{kind}-soft", WORDS) for kind in ("danger", "warning", "success", "info", "default")],
    ("accent", "accent-soft", WORDS),
    ("accent", "default-soft", WORDS),
    ("soft", "default-soft", WORDS),
    ("on-accent", "accent", WORDS),
    *[(name, ground, SHAPES) for name in ("edge", "focus") for ground in ("paper", "card")],
]


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


LIGHT = tokens(CSS.split("@media")[0])
DARK = tokens(CSS.split("prefers-color-scheme: dark")[1].split("/* Elements */")[0])


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_pair_of_colours_can_be_read(scheme: dict[str, str]) -> None:
    weak = []
    for front, ground, least in PAIRS:
        high, low = sorted((luminance(scheme[front]), luminance(scheme[ground])), reverse=True)
        ratio = (high + 0.05) / (low + 0.05)
        if ratio < least:
            weak.append(f"{front} on {ground}: {ratio:.2f}")
    assert not weak


def test_no_template_needs_a_script_or_a_style_of_its_own() -> None:
    """The content security policy allows none."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    guilty = [p.name for p in (ROOT / "templates").rglob("*.html") if inline.search(p.read_text())]
    assert guilty == []
