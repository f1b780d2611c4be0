"""What a committer adds up over its cycles."""

from __future__ import annotations

from datetime import datetime

from committer.summary import MartCounts, Summary
from operations.metrics.cycles import CycleMetrics


def _summary(**counts: int | str) -> Summary:
    made = Summary(1, "t", "h", datetime(2026, 11, 1))  # noqa: DTZ001 - as the warehouse has it
    made.marts = [MartCounts("mart_a", **counts)]  # type: ignore[arg-type]
    made.seconds = {"200_candidates mart_a": 0.5}
    return made


def test_rows_marked_cycles_and_seconds_by_step_add_up() -> None:
    told = CycleMetrics(["mart_a"])
    assert {sample.value for sample in told.samples()} == {0}, "told before anything happened"
    told.add(_summary(archived=2, trimmed=3))
    told.add(_summary(archived=5, returned=1, marked="the mart is new to the cycle"))
    found = {(s.metric.name, *s.labels): s.value for s in told.samples()}
    rows = {key[2]: value for key, value in found.items() if key[0] == "waybill_commit_rows_total"}
    assert rows == {
        "archived": 7, "trimmed": 3, "returned": 1, "corrected": 0, "removed": 0, "deleted": 0, "invalid": 0,
    }  # fmt: skip
    assert found["waybill_commit_marked_cycles_total", "mart_a"] == 1
    assert found["waybill_commit_step_seconds_total", "200_candidates mart_a"] == 1.0
