"""A calibration as a page, as JSON, as the file that detection reads, and as a figure (SVG)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from catalyst_bot.detection.calibration import Calibration
from catalyst_bot.study.calibration import GATE, Bin, Reliability
from catalyst_bot.study.event_report import markdown_table

_SIDE, _EDGE = 320, 48
_COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700")


def calibration_text(fitted: Calibration, source: str) -> str:
    """Return a calibration as `calibration.toml` holds it."""
    lines = [
        f"# Fitted by `catalyst-bot study calibrate` on {source}.",
        "# words: the curve from the product of the factors to a probability (log-odds). Offset 0",
        "# and slope 1 leave it plain: no curve did better on texts that it was not fitted on.",
        "# precision: how often a category's readings are right, instead of the hand-set number.",
        "",
        "[words]",
        f"offset = {fitted.words.offset}",
        f"slope = {fitted.words.slope}",
        "",
        "[precision]",
        *(f"{name} = {value}" for name, value in sorted(fitted.precisions.items())),
    ]
    return "\n".join(lines) + "\n"


def reliability_dict(measured: Reliability) -> dict[str, Any]:
    """Return plain values for JSON; what is not known is null."""
    return {
        "name": measured.name,
        "n": measured.n,
        "right": round(measured.right, 4),
        "brier": round(measured.brier, 4),
        "brier_base": round(measured.brier_base, 4),
        "kept": measured.kept,
        "kept_right": _number(measured.kept_right),
        "kept_agreed": _number(measured.kept_agreed),
        "kept_wrong": _number(measured.kept_wrong),
        "bins": [
            {name: round(getattr(each, name), 4) for name in Bin.__slots__}
            for each in measured.bins
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def calibration_markdown(samples: Sequence[Reliability]) -> str:
    """Return the page: a line for each sample, then the reliability of each by confidence."""
    header = ["sample", "readings", "right", "Brier", "of the base rate", f"reach {GATE}"]
    header += ["agreed", "neutral", "opposite"]
    rows = [
        [
            each.name,
            f"{each.n:,}",
            f"{each.right:.1%}",
            f"{each.brier:.4f}",
            f"{each.brier_base:.4f}",
            f"{each.kept:,}",
            *_kept(each),
        ]
        for each in samples
    ]
    parts = [markdown_table(header, rows)]
    for each in samples:
        bins = [
            [
                f"{one.low:.1f} to {one.high:.1f}",
                f"{one.n:,}",
                f"{one.said:.1%}",
                f"{one.right:.1%} [{one.right_low:.0%}, {one.right_high:.0%}]",
            ]
            for one in each.bins
        ]
        parts += [f"### {each.name}", markdown_table(["confidence", "n", "said", "right"], bins)]
    return "\n\n".join(parts) + "\n"


def _kept(measured: Reliability) -> list[str]:
    if not measured.kept:
        return ["", "", ""]
    neutral = 1 - measured.kept_agreed - measured.kept_wrong
    return [f"{share:.0%}" for share in (measured.kept_agreed, neutral, measured.kept_wrong)]


def reliability_svg(samples: Sequence[Reliability]) -> str:
    """Return the reliability curves as a figure: on the diagonal, what is said is what is right.

    The area of a dot grows with the readings in it.
    """
    size = _SIDE + 2 * _EDGE
    width = size + 210
    marks = [mark for each in (0.0, 0.25, 0.5, 0.75, 1.0) for mark in _grid(each)]
    curves = [
        mark
        for number, each in enumerate(samples)
        for mark in _curve(each, number, _COLOURS[number % len(_COLOURS)])
    ]
    frame = f'width="{width}" height="{size}" viewBox="0 0 {width} {size}"'
    turned = f'transform="rotate(-90 14 {_EDGE + _SIDE / 2:.1f})"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {frame} font-size="12">',
            f'<rect width="{width}" height="{size}" fill="white"/>',
            *marks,
            _line(_at(0, 0), _at(1, 1), "#8c959f", dash="4 4"),
            _line(_at(GATE, 0), _at(GATE, 1), "#8c959f", dash="1 3"),
            *curves,
            _text(_EDGE + _SIDE / 2, size - 8, "confidence", "middle"),
            f'<text x="14" y="{_EDGE + _SIDE / 2:.1f}" text-anchor="middle" {turned}>right</text>',
            "</svg>\n",
        ]
    )


def _at(x: float, y: float) -> tuple[float, float]:
    return _EDGE + x * _SIDE, _EDGE + (1 - y) * _SIDE


def _grid(value: float) -> list[str]:
    across, up = _at(value, 0), _at(0, value)
    return [
        _line(across, _at(value, 1), "#eaeef2"),
        _line(up, _at(1, value), "#eaeef2"),
        _text(across[0], across[1] + 16, f"{value:g}", "middle"),
        _text(up[0] - 6, up[1] + 4, f"{value:g}", "end"),
    ]


def _curve(measured: Reliability, number: int, colour: str) -> list[str]:
    points = [_at(each.said, each.right) for each in measured.bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_radius(each, measured):.1f}" fill="{colour}" '
        'fill-opacity="0.6"/>'
        for (x, y), each in zip(points, measured.bins, strict=True)
    ]
    y = _EDGE + 16 * number
    legend = _text(2 * _EDGE + _SIDE - 24, y + 4, f"{measured.name} ({measured.n:,})", "start")
    key = f'<circle cx="{2 * _EDGE + _SIDE - 36}" cy="{y}" r="5" fill="{colour}"/>'
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
        *dots,
        key,
        legend,
    ]


def _radius(each: Bin, measured: Reliability) -> float:
    return 2 + 16 * math.sqrt(each.n / measured.n)


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, dash: str = "") -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}"{style}/>'
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    plain = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{plain}</text>'
