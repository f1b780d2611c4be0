"""Lag by partition, in messages and in seconds, and how long Kafka keeps what is not loaded yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from consumers.lag import PartitionLag
from consumers.messages import Place
from waybill import metrics as m
from waybill.clock import Clock
from waybill.metrics import Sample

NextTimes = Callable[[Mapping[Place, int]], Mapping[Place, float]]
Retention = Callable[[Iterable[str]], Mapping[str, float | None]]


class KafkaLook:
    """`lag` is every partition's; `next_times` gives when the message at an offset was written (seconds since 1970);
    `retention` is seconds by topic, None for ever, asked anew every ten minutes."""

    def __init__(
        self, lag: Callable[[], Sequence[PartitionLag]], next_times: NextTimes, retention: Retention, clock: Clock
    ) -> None:
        self._lag, self._next_times, self._retention, self._clock = lag, next_times, retention, clock
        self._kept: Mapping[str, float | None] = {}
        self._asked_at: float | None = None

    def __call__(self) -> Iterator[Sample]:
        found = [one for one in self._lag() if one.partition is not None and one.lag is not None]
        behind = {(one.topic, int(one.partition or 0)): one.position or 0 for one in found if one.lag}
        times = self._next_times(behind)
        kept = self._keeps({one.topic for one in found})
        now = self._clock.now().timestamp()
        for one in found:
            labels = (one.table, str(one.partition))
            # Only control records may wait: then there is no message to have an age.
            written = times.get((one.topic, int(one.partition or 0)))
            age = 0.0 if written is None else max(0.0, now - written)
            yield Sample(m.LAG_MESSAGES, labels, float(one.lag or 0))
            yield Sample(m.LAG_SECONDS, labels, age)
            keeps = kept.get(one.topic)
            if keeps is not None:
                yield Sample(m.TOPIC_LEFT, labels, keeps - age)

    def _keeps(self, topics: set[str]) -> Mapping[str, float | None]:
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at > 600 or not topics <= set(self._kept):
            self._kept, self._asked_at = self._retention(topics), now
        return self._kept
