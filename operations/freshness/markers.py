"""What is measured: a marker row, the stages it passes, and how long it took to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SLOTS = 100_000
"""Ids that markers take, again and again: most rows that the marker table ever holds."""


class Stage(StrEnum):
    """Where a marker arrives, in the order in which it does."""

    KAFKA = "kafka"
    PARQUET = "parquet"
    RAW = "raw"
    MART = "mart"


@dataclass(frozen=True)
class Marker:
    """One row at the source. All latencies begin at `sent_at`, UTC: read right before the statement that writes
    and commits it was sent. So none is shorter than the truth, and none hides what the commit itself took.
    """

    run: str
    number: int
    sent_at: datetime

    @property
    def id(self) -> int:
        return 1 + self.number % SLOTS

    @property
    def token(self) -> str:
        return f"{self.run}-{self.number}"


@dataclass(frozen=True)
class RawSight:
    """A marker as it was first seen in raw. `produced_at` is Kafka's time of it, `source_committed_at` MySQL's.

    All UTC; `seen_at` by this machine's clock, after the answer.
    """

    seen_at: datetime
    produced_at: datetime
    source_committed_at: datetime
    object_key: str


@dataclass(frozen=True)
class Sample:
    """A marker and when it came to each stage; None where it was not seen before the measuring ended."""

    marker: Marker
    committed_at: datetime | None
    source_committed_at: datetime | None
    at: Mapping[Stage, datetime | None]

    def seconds(self, stage: Stage) -> float | None:
        """From right before it was sent to be committed until it was there."""
        at = self.at[stage]
        return None if at is None else (at - self.marker.sent_at).total_seconds()

    @property
    def missing(self) -> bool:
        return any(at is None for at in self.at.values())

    def plain(self) -> dict[str, Any]:
        """As it is kept: times as ISO text, UTC, and the seconds to each stage."""
        return {
            "run": self.marker.run, "number": self.marker.number, "id": self.marker.id, "token": self.marker.token,
            "sent_at": _text(self.marker.sent_at), "committed_at": _text(self.committed_at),
            "source_committed_at": _text(self.source_committed_at),
            "at": {stage.value: _text(self.at[stage]) for stage in Stage},
            "seconds": {stage.value: self.seconds(stage) for stage in Stage},
        }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds")
