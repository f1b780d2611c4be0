"""What dashboards and rules ask for is told by somebody, and every panel explains itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from stack.monitoring.panels import FOLDER, Panel, metric_names, panels
from waybill.metrics import ALL, NOT_OURS

ROOT = Path(__file__).resolve().parents[3]
KNOWN = {metric.name: metric for metric in ALL}
BOARDS = sorted(FOLDER.glob("*.json"))
PANELS = [(path.stem, panel) for path in BOARDS for panel in panels(path)]
RULES = yaml.safe_load((ROOT / "stack/monitoring/prometheus/rules.yml").read_text())["groups"][0]["rules"]


@pytest.mark.parametrize(
    ("promql", "names"),
    [
        ('sum by (table) (rate(a_total{x=~"b c{d}"}[5m])) / (sum(e) > 0)', {"a_total", "e"}),
        ("time() - max by (table) (f_seconds)", {"f_seconds"}),
        ('g{h="1"} == 1 and on (i, j) (k offset 5m) or l', {"g", "k", "l"}),
        ("histogram_quantile(0.99, sum by (le) (rate(m_bucket[$__rate_interval]))) * 1e3", {"m_bucket"}),
    ],
)
def test_the_names_in_an_expression_are_found(promql: str, names: set[str]) -> None:
    assert metric_names(promql) == names


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda each: each.title if isinstance(each, Panel) else each)
def test_a_panel_asks_for_declared_metrics_and_says_what_it_shows(board: str, panel: Panel) -> None:
    assert panel.title and panel.description.endswith(".") and panel.unit and panel.queries
    for query in panel.queries:
        names = metric_names(query.promql)
        assert names and names <= set(KNOWN) | set(NOT_OURS), query.promql
        for name, metric in KNOWN.items():
            if name in names and metric.type == "counter" and panel.title != "Dead letters":
                assert "rate(" in query.promql, f"{name} only grows: its rate says something"


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda each: each.title if isinstance(each, Panel) else each)
def test_a_panel_groups_by_labels_that_its_metrics_have(board: str, panel: Panel) -> None:
    for query in panel.queries:
        has = {"process", "pipeline", "job", "instance"}
        has |= {label for name in metric_names(query.promql) if name in KNOWN for label in KNOWN[name].labels}
        used = {word for clause in re.findall(r"by \(([^)]*)\)", query.promql) for word in clause.split(", ")}
        used |= set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        assert used <= has, query.promql


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each["alert"])
def test_a_rule_asks_for_declared_metrics_and_says_what_to_type(rule: dict[str, object]) -> None:
    names = metric_names(str(rule["expr"]))
    assert names and names <= set(KNOWN) | set(NOT_OURS)
    assert "waybill " in str(rule["annotations"]["todo"])  # type: ignore[index]


def test_dashboards_have_titles_and_ids_of_their_own() -> None:
    boards = [json.loads(path.read_text()) for path in BOARDS]
    assert boards and len({board["uid"] for board in boards}) == len(boards) == len({b["title"] for b in boards})
