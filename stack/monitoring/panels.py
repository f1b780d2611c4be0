"""The panels of a dashboard and what each asks Prometheus, read from the file that Grafana is given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
CONSUMER_LAG = FOLDER / "consumer-lag.json"

_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_SELECTOR = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
_CLAUSE = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")
_WORDS = frozenset(("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"))


@dataclass(frozen=True)
class Query:
    """One line, or group of lines, of a panel. `legend` has {{label}} in it."""

    promql: str
    legend: str

    def asked(self, pipeline: str = ".*", interval: str = "1m") -> str:
        """As Grafana sends it: its variables replaced."""
        return self.promql.replace("$pipeline", pipeline).replace("$__rate_interval", interval)


@dataclass(frozen=True)
class Panel:
    """One panel. `unit` is Grafana's name of it; `row` the title of the row it stands in."""

    title: str
    description: str
    kind: str
    unit: str
    row: str
    stacked: bool
    queries: tuple[Query, ...]


def panels(path: Path = CONSUMER_LAG) -> list[Panel]:
    """In their order."""
    found: list[Panel] = []
    row = ""
    for each in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        if each["type"] == "row":
            row = each["title"]
            continue
        defaults: dict[str, Any] = each["fieldConfig"]["defaults"]
        stacking = defaults.get("custom", {}).get("stacking", {}).get("mode", "none")
        queries = tuple(Query(one["expr"], one["legendFormat"]) for one in each["targets"])
        found.append(
            Panel(
                each["title"], each.get("description", ""), each["type"], defaults.get("unit", ""), row,
                stacking != "none", queries,
            )
        )  # fmt: skip
    return found


def metric_names(promql: str) -> set[str]:
    """The metrics that an expression reads: its names without functions, label names and words of the language."""
    text = _SELECTOR.sub(" ", _STRING.sub('""', promql))
    text = _CLAUSE.sub(" ", text)
    return {name for name in _NAME.findall(text) if name.lower() not in _WORDS}
