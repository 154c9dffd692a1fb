"""Charts as plain SVG for a page: what each shows is also in the table behind it. Pure functions.

Colours come from the page's style sheet by class, so that charts follow light, dark and forced colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 44, 26, 12
GAP = 0.25  # of a column's place stays empty


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its label, its value, and the words for it."""

    label: str
    value: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the chart, such as a threshold."""

    value: float
    words: str


def columns(title: str, bars: Sequence[Bar], marks: Sequence[Mark] = (), unit: str = "") -> Markup:
    """A column for each bar, over one scale that also holds the marks that lie near the values."""
    top = _nice(max([b.value for b in bars] or [0]))
    near = [mark for mark in marks if mark.value <= top * 1.5]
    top = _nice(max([top, *(mark.value for mark in near)]))
    parts = [_grid(top, unit), *(_column(i, bar, len(bars), top) for i, bar in enumerate(bars))]
    parts += [_mark(mark, top) for mark in near]
    name = Markup("<title>{}</title>").format(title)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img">{}{}</svg>').format(
        WIDTH, HEIGHT, name, Markup("").join(parts)
    )


def _nice(value: float) -> float:
    """The next round number above."""
    step = 1.0
    while value > step * 10:
        step *= 10
    return next((step * m for m in (1, 2, 4, 5, 6, 8, 10) if value <= step * m), step * 10)


def _y(value: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)


def _grid(top: float, unit: str) -> Markup:
    line = Markup(
        '<path class="grid" d="M{} {}H{}"/><text class="axis" x="{}" y="{}" text-anchor="end">{}{}</text>'
    )
    values = (0, top / 2, top)
    return Markup("").join(
        line.format(LEFT, _y(v, top), WIDTH, LEFT - 6, _y(v, top) + 4, f"{v:g}", unit) for v in values
    )


def _column(index: int, bar: Bar, count: int, top: float) -> Markup:
    place = (WIDTH - LEFT) / max(count, 1)
    x, y = round(LEFT + place * (index + GAP / 2), 1), _y(bar.value, top)
    width, height = round(place * (1 - GAP), 1), round(HEIGHT - BOTTOM - y, 1)
    every = max(1, -(-count // 8))
    label = Markup("")
    if index % every == 0:
        label = Markup('<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            round(x + width / 2, 1), HEIGHT - 8, bar.label
        )
    drawn = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="1.5"><title>{}</title></rect>')
    return drawn.format(x, y, width, height, bar.words) + label


def _mark(mark: Mark, top: float) -> Markup:
    y = _y(mark.value, top)
    drawn = Markup('<path class="mark" d="M{} {}H{}"/><text class="marked" x="{}" y="{}">{}</text>')
    return drawn.format(LEFT, y, WIDTH, LEFT + 6, y - 4, mark.words)
