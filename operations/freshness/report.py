"""What a run found: as one object, as lines of a table, and every sample kept in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operations.freshness.markers import Sample, Stage
from operations.freshness.measuring import Outcome, Plan
from operations.freshness.percentiles import by_stage, lost_before, plain

_WHY = {
    Stage.KAFKA: "never seen in raw: waybill connect status, waybill lag",
    Stage.PARQUET: "its object was not listed, though it is in raw: look at the bucket",
    Stage.RAW: "never seen in raw: waybill lag",
    Stage.MART: "in raw, not in the mart: is a committer running? waybill cycles list",
}


@dataclass(frozen=True)
class Report:
    """Samples and how they were taken."""

    plan: Plan
    samples: Sequence[Sample]
    outcome: Outcome

    @property
    def missing(self) -> list[str]:
        """One line for each stage that markers did not reach in time."""
        return [f"{count:,} of {len(self.samples):,} markers: {_WHY[stage]}" for stage, count in self._lost.items()]

    @property
    def lines(self) -> list[list[object]]:
        """Stage, p50, p95, p99, max, arrived: seconds since the commit at the source."""
        return [
            [stage.value, *(_words(value) for value in (one.p50, one.p95, one.p99, one.max)), one.arrived]
            for stage, one in by_stage(self.samples).items()
        ]

    def plain(self) -> dict[str, Any]:
        """For a machine; percentiles null where the marker of that rank never arrived."""
        return {
            "run": self.plan.run, "markers": len(self.samples), "every_seconds": self.plan.every,
            "left_out": self.outcome.left_out, "stages": plain(by_stage(self.samples)),
            "missing": {stage.value: count for stage, count in self._lost.items()},
            "looks": {name: asdict(one) for name, one in self.outcome.looks.items()},
        }  # fmt: skip

    @property
    def _lost(self) -> dict[Stage, int]:
        return dict(lost_before(self.samples))


def _words(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.2f}"


def keep(path: Path, samples: Sequence[Sample]) -> None:
    """Add every sample to the file, one JSON object a line; samples of earlier runs stay."""
    if not samples:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(sample.plain()) + "\n" for sample in samples)
