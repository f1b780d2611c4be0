"""What was written and what was seen of it, by several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime

from operations.freshness.markers import Marker, RawSight, Sample, Stage


class Board:
    """Every method may be called by any thread. Only the first sight of anything counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._markers: dict[str, Marker] = {}
        self._committed: dict[str, datetime] = {}
        self._raw: dict[str, RawSight] = {}
        self._mart: dict[str, datetime] = {}
        self._objects: dict[str, datetime] = {}
        self._open: dict[str, Marker] = {}

    def sent(self, marker: Marker) -> None:
        """It is about to be sent: from now on it may be seen."""
        with self._lock:
            self._markers[marker.token] = self._open[marker.token] = marker

    def committed(self, marker: Marker, at: datetime) -> None:
        """MySQL has answered that it is committed."""
        with self._lock:
            self._committed[marker.token] = at

    def in_raw(self, sights: Mapping[str, RawSight]) -> None:
        """Seen in raw, by token."""
        with self._lock:
            for token, sight in sights.items():
                self._raw.setdefault(token, sight)

    def in_mart(self, tokens: Iterable[str], at: datetime) -> None:
        with self._lock:
            for token in tokens:
                self._mart.setdefault(token, at)

    def in_bucket(self, keys: Iterable[str], at: datetime) -> None:
        """Objects that a listing showed."""
        with self._lock:
            for key in keys:
                self._objects.setdefault(key, at)

    def awaited(self) -> tuple[list[Marker], list[Marker]]:
        """The markers that were not seen in raw yet, and those not in the mart."""
        with self._lock:
            return (
                [m for token, m in self._open.items() if token not in self._raw],
                [m for token, m in self._open.items() if token not in self._mart],
            )

    def oldest_open(self) -> datetime | None:
        """When the oldest marker was sent that is not at every stage; None when there is none."""
        with self._lock:
            self._open = {token: m for token, m in self._open.items() if self._sample(token, m).missing}
            return min((marker.sent_at for marker in self._open.values()), default=None)

    def complete(self) -> bool:
        """Whether every marker is at every stage."""
        return self.oldest_open() is None

    def unlisted(self) -> list[str]:
        """Keys of objects that raw names and no listing showed yet."""
        with self._lock:
            keys = [self._raw[token].object_key for token in self._open if token in self._raw]
            return [key for key in keys if key not in self._objects]

    def samples(self) -> list[Sample]:
        """All, in the order in which they were written."""
        with self._lock:
            return [self._sample(token, marker) for token, marker in self._markers.items()]

    def _sample(self, token: str, marker: Marker) -> Sample:
        raw = self._raw.get(token)
        at = {
            Stage.KAFKA: raw.produced_at if raw else None, Stage.PARQUET: self._object_at(token),
            Stage.RAW: raw.seen_at if raw else None, Stage.MART: self._mart.get(token),
        }  # fmt: skip
        return Sample(marker, self._committed.get(token), raw.source_committed_at if raw else None, at)

    def _object_at(self, token: str) -> datetime | None:
        raw = self._raw.get(token)
        return self._objects.get(raw.object_key) if raw else None
