"""A picture of a dashboard's panels, drawn from what a running Prometheus answers: `make picture`.

`python -m stack.monitoring.picture FILE [MINUTES [PIPELINE]]` asks the Prometheus of this checkout's
stack; of all pipelines unless one is named. Plain SVG.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from stack import ports
from stack.layout import Layout
from stack.monitoring.panels import CONSUMER_LAG, Panel, panels
from stack.monitoring.query import Prometheus
from stack.monitoring.svg import Line, box, chart, stats, text
from waybill.errors import UnreachableError, WaybillError

COLUMNS = 3
WIDTH, HEIGHT, GAP, TOP = 420, 230, 14, 60
POINTS = 120


def lines_of(panel: Panel, prometheus: Prometheus, pipeline: str, start: float, end: float) -> list[Line]:
    """Every line of a panel, named by its legend, in the order of the names. `pipeline` is a regular expression."""
    step = max(5.0, (end - start) / POINTS)
    found: list[Line] = []
    for query in panel.queries:
        for series in prometheus.span(query.asked(pipeline), start, end, step):
            name = query.legend
            for label, value in series.labels.items():
                name = name.replace("{{" + label + "}}", value)
            points = [(at, value) for at, value in series.points if math.isfinite(value)]
            if points:
                found.append(Line(name, points))
    return sorted(found, key=lambda line: line.name)


def draw(title: str, found: Sequence[tuple[Panel, Sequence[Line]]], start: float, end: float) -> str:
    """The whole picture; a panel without an answer says so."""
    rows = math.ceil(len(found) / COLUMNS)
    width = COLUMNS * (WIDTH + GAP) + GAP
    height = TOP + rows * (HEIGHT + GAP)
    span = f"{_clock(start)} to {_clock(end)} UTC"
    parts = [text(GAP, 26, title, size=18, bold=True), text(GAP, 46, f"drawn from live data, {span}", grey=True)]
    for number, (panel, lines) in enumerate(found):
        x = GAP + (number % COLUMNS) * (WIDTH + GAP)
        y = TOP + (number // COLUMNS) * (HEIGHT + GAP)
        parts.append(box(x, y, WIDTH, HEIGHT))
        parts.append(text(x + 10, y + 18, panel.title, size=13, bold=True))
        if not lines:
            parts.append(text(x + WIDTH / 2 - 30, y + HEIGHT / 2, "no answer", grey=True))
        elif panel.kind == "stat":
            parts.append(stats(x, y, lines))
        else:
            parts.append(chart(x, y, WIDTH, HEIGHT, lines, panel.unit, panel.stacked, start, end))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>', *parts, "</svg>"]) + "\n"


def main(words: Sequence[str]) -> int:
    """Exit code of the command (spec section 16)."""
    if not 1 <= len(words) <= 3:
        print("python -m stack.monitoring.picture FILE [MINUTES [PIPELINE]]", file=sys.stderr)
        return 2
    port = ports.read(Layout.here().ports_file).get("prometheus")
    try:
        if port is None:
            raise UnreachableError("this checkout has no Prometheus", todo="waybill stack up --monitoring")
        end = time.time()
        start = end - 60 * float(words[1] if len(words) > 1 else 10)
        pipeline = words[2] if len(words) > 2 else ".*"
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        found = [(panel, lines_of(panel, prometheus, pipeline, start, end)) for panel in panels(CONSUMER_LAG)]
    except WaybillError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    Path(words[0]).write_text(draw("waybill: consumer lag", found, start, end), encoding="utf-8")
    empty = [panel.title for panel, lines in found if not lines]
    print(f"{words[0]}: {len(found)} panels{', without an answer: ' + ', '.join(empty) if empty else ''}")
    return 1 if empty else 0


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
