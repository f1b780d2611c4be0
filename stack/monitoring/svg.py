"""Boxes, lines and words of a picture, as SVG text. Coordinates are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

COLOURS = ("#3274d9", "#56a64b", "#e0752d", "#a352cc", "#c4162a", "#1f9e9e", "#b58900", "#5c5c5c", "#e377c2")
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 30, 58
_STEPS = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_TIMES = (("d", 86400.0), ("h", 3600.0), ("min", 60.0))


class Line(NamedTuple):
    """One line: (seconds since 1970, value) pairs in the order of time."""

    name: str
    points: list[tuple[float, float]]


def text(
    x: float, y: float, words: str, size: int = 11, bold: bool = False, grey: bool = False, end: bool = False
) -> str:
    """Words on a baseline; `end` puts their end at `x`."""
    style = (' font-weight="bold"' if bold else "") + (' text-anchor="end"' if end else "")
    colour = "#6e6e6e" if grey else "#202226"
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{style}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float) -> str:
    """The frame of a panel."""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="#fff" stroke="#d8d9da"/>'


def shown(value: float, unit: str) -> str:
    """A value for a person: seconds as time, the rest with a letter for thousands."""
    suffix = {"rowsps": "/s", "Bps": "B/s", "bytes": "B"}.get(unit, "")
    if unit == "s":
        for name, size in _TIMES:
            if abs(value) >= 2 * size:
                return f"{value / size:.3g} {name}"
        return f"{value:.3g} s"
    for name, size in _STEPS:
        if abs(value) >= size:
            return f"{value / size:.3g} {name}{suffix}"
    return f"{value:.3g}{' ' + suffix if suffix else ''}"


def stats(x: float, y: float, lines: Sequence[Line]) -> str:
    """The last value of each line, large."""
    parts = []
    for number, line in enumerate(lines[:8]):
        left, top = x + 16 + (number % 2) * 200, y + 62 + (number // 2) * 42
        parts.append(text(left, top, f"{line.points[-1][1]:g}", size=24, bold=True))
        parts.append(text(left + 40, top, line.name, size=12))
    return "\n".join(parts)


def chart(
    x: float, y: float, width: float, height: float, lines: Sequence[Line], unit: str, stacked: bool,
    start: float, end: float,
) -> str:  # fmt: skip
    """Lines over time, with three values on the left, the time below and a legend."""
    drawn = _stacked(lines) if stacked else list(lines)
    values = [value for line in drawn for _, value in line.points]
    low = min(0.0, *values)
    high = max(values) if max(values) > low else low + 1
    left, right, top, bottom = x + _LEFT, x + width - _RIGHT, y + _TOP, y + height - _BOTTOM

    def at(moment: float, value: float) -> str:
        across = left + (moment - start) / (end - start) * (right - left)
        return f"{across:.1f},{bottom - (value - low) / (high - low) * (bottom - top):.1f}"

    parts = []
    for share in (0.0, 0.5, 1.0):
        height_of = bottom - share * (bottom - top)
        parts.append(f'<path d="M{left} {height_of:.1f}H{right}" stroke="#e6e7e8"/>')
        parts.append(
            text(left - 6, height_of + 4, shown(low + share * (high - low), unit), size=10, grey=True, end=True)
        )
    for share in (0.0, 0.5, 1.0):
        moment = datetime.fromtimestamp(start + share * (end - start), UTC).strftime("%H:%M:%S")
        across = left + share * (right - left)
        parts.append(text(across + (22 if share < 0.7 else 0), bottom + 14, moment, size=10, grey=True, end=True))
    for number, line in enumerate(drawn):
        path = " ".join(at(moment, value) for moment, value in line.points)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    parts.append(_legend(x + 12, bottom + 30, width - 20, [line.name for line in drawn]))
    return "\n".join(parts)


def _stacked(lines: Sequence[Line]) -> list[Line]:
    """Each line on top of those before it."""
    sums: dict[float, float] = {}
    found = []
    for line in lines:
        points = []
        for moment, value in line.points:
            sums[moment] = sums.get(moment, 0.0) + value
            points.append((moment, sums[moment]))
        found.append(Line(line.name, points))
    return found


def _legend(x: float, y: float, width: float, names: Sequence[str]) -> str:
    """As many names as fit into two rows; the rest are counted."""
    parts = []
    across, row = 0.0, 0
    for number, name in enumerate(names):
        needs = 16 + 5.6 * len(name) + 8
        if across and across + needs > width - (50 if row else 0):
            across, row = 0.0, row + 1
        if row > 1:
            parts.append(text(x + width - 44, y + 14, f"+{len(names) - number}", size=10, grey=True))
            break
        at = y + row * 14
        parts.append(
            f'<rect x="{x + across:.1f}" y="{at - 7:.1f}" width="10" height="3" fill="{COLOURS[number % 9]}"/>'
        )
        parts.append(text(x + across + 14, at - 2, name, size=10))
        across += needs
    return "\n".join(parts)
