"""What a committer adds up over its cycles, and what the warehouse's table of cycles comes to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from committer.summary import MartCounts, Summary
from operations.metrics.cycles import CycleMetrics
from operations.metrics.of_warehouse import Marts
from warehouse.session import Session


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


class Cycles:
    """A warehouse whose cycles each took a second and brought two rows; `asked` are the spans that were added up."""

    def __init__(self) -> None:
        self.newest = 0
        self.asked: list[int] = []

    def row(self, statement: str, *_: Any, **__: str) -> dict[str, Any] | None:
        if "as_of" not in statement:
            return None
        at = datetime(2026, 11, 1)  # noqa: DTZ001 - as the warehouse has it
        return {"cycle": self.newest, "consistent": True, "committed_at": at, "cut_at": None}

    def rows(self, statement: str, parameters: tuple[int, int] = (0, 0), **_: str) -> list[dict[str, Any]]:
        if "sum(" not in statement:
            return []
        count = min(parameters[1], self.newest) - parameters[0]
        self.asked.append(count)
        rows = {f"rows_{what}": 2 * count for what in ("in", "applied", "older")}
        return [{"status": "committed", "n": count, "seconds": count, "transactions": count, **rows}] if count else []


def test_old_cycles_are_added_up_once() -> None:
    marts, cycles = Marts(), Cycles()
    for newest in (5, 1000, 1010, 3000):
        cycles.newest = newest
        found = {(s.metric.name, *s.labels): s.value for s in marts(cast(Session, cycles))}
        assert found["waybill_cycles_total", "committed"] == newest
        assert found["waybill_cycle_rows_total", "in"] == 2 * newest
    assert sum(cycles.asked) < 3000 + 4 * 120, cycles.asked
