"""The declarations follow Prometheus' conventions, and their page is what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from waybill import metrics
from waybill.metrics import ALL, Metric
from waybill.metrics_page import page

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("metric", ALL, ids=lambda each: each.name)
def test_a_name_follows_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"waybill_[a-z0-9_]*[a-z0-9]", metric.name)
    assert (metric.type == "counter") == metric.name.endswith("_total")
    base = metric.name.removesuffix("_total")
    assert metric.unit.startswith("seconds") == base.endswith("_seconds")
    assert (metric.unit == "seconds since 1970") == base.endswith("_timestamp_seconds")
    assert (metric.unit == "bytes") == base.endswith("_bytes")
    assert all(re.fullmatch(r"[a-z_]+", label) for label in metric.labels)
    assert metric.meaning and metric.unit


def test_every_declared_metric_is_listed_once() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, Metric)]
    assert sorted(each.name for each in declared) == sorted({each.name for each in ALL}) and len(declared) == len(ALL)


def test_the_page_in_docs_is_made_of_the_declarations() -> None:
    assert (ROOT / "docs/metrics.md").read_text() == page(), "make metrics-page"
