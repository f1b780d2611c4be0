"""Percentiles of markers that arrived, and of those that did not."""

from __future__ import annotations

from datetime import timedelta

from operations.freshness.markers import Stage
from operations.freshness.percentiles import Percentiles, by_stage, lost_before, percentiles, plain
from tests.unit.operations.freshness.samples import BEGAN, a_sample


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = [float(n) for n in range(100, 0, -1)]
    assert percentiles(hundred) == Percentiles(50.0, 95.0, 99.0, 100.0, 100)
    assert percentiles([*hundred, 1000.0]).p99 == 100.0
    assert percentiles([0.1, 0.2]) == Percentiles(0.1, 0.2, 0.2, 0.2, 2)
    assert percentiles([3.0]) == Percentiles(3.0, 3.0, 3.0, 3.0, 1)


def test_a_marker_that_never_arrived_is_later_than_all_others() -> None:
    assert percentiles([0.5] * 98 + [None] * 2) == Percentiles(0.5, 0.5, None, None, 98)
    assert percentiles([None, None]) == Percentiles(None, None, None, None, 0)


def test_nothing_measured_is_no_percentile() -> None:
    assert percentiles([]) == Percentiles(None, None, None, None, 0)


def test_every_stage_counts_from_the_commit() -> None:
    found = by_stage([a_sample(0, kafka=0.2, parquet=0.9, raw=1.2, mart=2.5), a_sample(1, kafka=0.4)])
    assert [found[stage].arrived for stage in Stage] == [2, 1, 1, 1]
    assert (found[Stage.KAFKA].p50, found[Stage.KAFKA].max) == (0.2, 0.4)
    assert (found[Stage.MART].p50, found[Stage.MART].max) == (2.5, None)
    assert plain(found)["raw"] == {"p50": 1.2, "p95": None, "p99": None, "max": None, "arrived": 1}


def test_a_marker_is_lost_at_the_first_stage_that_it_did_not_reach() -> None:
    samples = [
        a_sample(0, kafka=0.2, parquet=0.9, raw=1.2, mart=2.5), a_sample(1, kafka=0.2, parquet=1, raw=1.2),
        a_sample(2, kafka=0.2, raw=1.2, mart=2), a_sample(3), a_sample(4),
    ]  # fmt: skip
    assert dict(lost_before(samples)) == {Stage.KAFKA: 2, Stage.PARQUET: 1, Stage.MART: 1}
    assert [sample.missing for sample in samples] == [False, True, True, True, True]


def test_a_sample_is_kept_with_its_times_and_its_seconds() -> None:
    kept = a_sample(7, kafka=0.25, raw=1.5).plain()
    assert (kept["number"], kept["id"], kept["token"]) == (7, 8, "r-7")
    assert kept["seconds"] == {"kafka": 0.25, "parquet": None, "raw": 1.5, "mart": None}
    assert kept["at"]["raw"] == (BEGAN + timedelta(seconds=1.5)).isoformat(timespec="microseconds")
