"""Plots of a report as SVG inside a page: lines and bars, nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from catalyst_bot.ml.validation.metrics import Floats

WIDTH, HEIGHT, EDGE = 760, 220, 46
_POINTS = 500  # of a line: more than the page has pixels for is weight
_COLOURS = ("#1f6feb", "#6e7781", "#d1242f", "#1a7f37", "#9a6700")
_TICKS = 4


def line_plot(
    title: str,
    lines: Mapping[str, Floats],
    *,
    days: Sequence[str],
    as_percent: bool = False,
) -> str:
    """Return lines over the same days, each with its name and colour, with a legend."""
    low = min(float(values.min()) for values in lines.values())
    high = max(float(values.max()) for values in lines.values())
    span = (high - low) or 1.0
    drawn = [_axis(low, high, as_percent=as_percent), _days(days)]
    for number, values in enumerate(lines.values()):
        chosen = np.unique(np.linspace(0, len(values) - 1, _POINTS).astype(int))
        x = EDGE + chosen / max(len(values) - 1, 1) * (WIDTH - EDGE)
        y = HEIGHT - (values[chosen] - low) / span * HEIGHT
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        colour = _COLOURS[number % len(_COLOURS)]
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    return _figure(title, drawn, _legend(list(lines)))


def bar_plot(title: str, values: Sequence[float], names: Sequence[str]) -> str:
    """Return a bar for each value, up or down from zero, its name shown when pointed at."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    span = (high - low) or 1.0
    step = (WIDTH - EDGE) / max(len(values), 1)
    drawn = [_axis(low, high, as_percent=False)]
    for number, (value, name) in enumerate(zip(values, names, strict=True)):
        top, bottom = max(value, 0.0), min(value, 0.0)
        drawn.append(
            f'<rect x="{EDGE + number * step + 1:.1f}" y="{(high - top) / span * HEIGHT:.1f}" '
            f'width="{max(step - 2, 1):.1f}" height="{(top - bottom) / span * HEIGHT:.1f}" '
            f'fill="{_COLOURS[0] if value >= 0 else _COLOURS[2]}">'
            f"<title>{escape(name)}: {value:.2f}</title></rect>"
        )
    return _figure(title, drawn, "")


def _axis(low: float, high: float, *, as_percent: bool) -> str:
    drawn = []
    for tick in range(_TICKS + 1):
        value, y = high - (high - low) * tick / _TICKS, HEIGHT * tick / _TICKS
        text = f"{value:.0%}" if as_percent else f"{value:.2f}"
        drawn.append(f'<line x1="{EDGE}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        drawn.append(f'<text x="{EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    return "".join(drawn)


def _days(days: Sequence[str]) -> str:
    marks = sorted({0, len(days) // 4, len(days) // 2, 3 * len(days) // 4})
    return "".join(
        f'<text x="{EDGE + mark / len(days) * (WIDTH - EDGE):.1f}" y="{HEIGHT + 16}">'
        f"{escape(days[mark])}</text>"
        for mark in marks
    )


def _legend(names: Sequence[str]) -> str:
    return " ".join(
        f'<svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" '
        f'fill="{_COLOURS[number % len(_COLOURS)]}"/></svg> {escape(name)}'
        for number, name in enumerate(names)
    )


def _figure(title: str, drawn: Sequence[str], legend: str) -> str:
    return (
        f"<figure><figcaption>{escape(title)} {legend}</figcaption>"
        f'<svg class="plot" viewBox="0 -8 {WIDTH} {HEIGHT + 30}" role="img" '
        f'aria-label="{escape(title)}">{"".join(drawn)}</svg></figure>'
    )
