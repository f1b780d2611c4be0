"""Pure counting: percentiles by stage of samples of which some may never have arrived."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operations.freshness.markers import Sample, Stage


@dataclass(frozen=True)
class Percentiles:
    """Seconds; None where the rank is that of a marker that never arrived. `arrived` counts those that did."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    arrived: int


def percentiles(seconds: Sequence[float | None]) -> Percentiles:
    """By nearest rank: the least value that so many percent are not above. None is later than every number."""
    ordered = sorted((math.inf if value is None else value) for value in seconds)

    def at(percent: int) -> float | None:
        if not ordered:
            return None
        found = ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]
        return None if math.isinf(found) else round(found, 3)

    return Percentiles(at(50), at(95), at(99), at(100), sum(not math.isinf(value) for value in ordered))


def by_stage(samples: Sequence[Sample]) -> dict[Stage, Percentiles]:
    """Of every stage, since the commit at the source."""
    return {stage: percentiles([sample.seconds(stage) for sample in samples]) for stage in Stage}


def lost_before(samples: Sequence[Sample]) -> Mapping[Stage, int]:
    """How many markers were last seen right before a stage; stages that lost none are left out."""
    counts: dict[Stage, int] = {}
    for sample in samples:
        for stage in Stage:
            if sample.at[stage] is None:
                counts[stage] = counts.get(stage, 0) + 1
                break
    return {stage: counts[stage] for stage in Stage if stage in counts}


def plain(found: Mapping[Stage, Percentiles]) -> dict[str, Any]:
    """For a machine."""
    return {stage.value: asdict(one) for stage, one in found.items()}
