"""Markers and clocks by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from operations.freshness.markers import Marker, Sample, Stage

BEGAN = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def a_marker(number: int, seconds: float = 0.0) -> Marker:
    """Sent so many seconds after `BEGAN`."""
    return Marker("r", number, BEGAN + timedelta(seconds=seconds))


def a_sample(number: int, **seconds: float) -> Sample:
    """By stage when it arrived, in seconds; stages that are not named were not reached."""
    at = {s: BEGAN + timedelta(seconds=seconds[s.value]) if s.value in seconds else None for s in Stage}
    return Sample(a_marker(number), BEGAN, None, at)


class HandClock:
    """Goes on only when somebody sleeps, or a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
