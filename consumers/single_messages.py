"""Single messages and spans of a topic, read by offset: no group, nothing is committed, nothing is remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumers.kafka_topics import translated
from consumers.messages import Place
from consumers.ports import Ends, Record
from waybill.errors import UnreachableError

_SECONDS = 20.0
_POLL_SECONDS = 0.5
_BATCH = 5_000
# A transaction's marker follows its last message, an aborted one leaves a hole: how far back to look, in offsets.
_BACK = (2, 16, 256, 4_096)


class SingleMessages:
    """A short-lived reader of committed messages. Use it as a context; not for two threads at a time.

    Every method raises `UnreachableError` when Kafka does not answer for 20 s.
    """

    def __init__(self, bootstrap: str, *, spans: bool = False) -> None:
        few: dict[str, Any] = {"queued.min.messages": 1, "fetch.message.max.bytes": 64 * 1024}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap, "group.id": "waybill.reader", "isolation.level": "read_committed",
                "enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True,
                "auto.offset.reset": "error", "fetch.queue.backoff.ms": 20, "fetch.wait.max.ms": 20, "log_level": 2,
                **({} if spans else few),
            }
        )  # fmt: skip

    def __enter__(self) -> SingleMessages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def first_from(self, offsets: Mapping[Place, int]) -> dict[Place, Record]:
        """The first message at or behind each offset; a partition that has none (any more) is left out."""
        found: dict[Place, Record] = {}
        for record in self._read(dict(offsets), one_each=True):
            found[record.topic, record.partition] = record
        return found

    def last_before(self, ends: Mapping[Place, Ends]) -> dict[Place, Record]:
        """The last message before each end; left out where none lies within 4,096 offsets of it."""
        found: dict[Place, Record] = {}
        for back in _BACK:
            left = {p: e for p, e in ends.items() if p not in found and e.low < e.stable}
            starts = {place: max(end.low, end.stable - back) for place, end in left.items()}
            for record in self._read(starts, one_each=False, until={p: e.stable for p, e in left.items()}):
                found[record.topic, record.partition] = record
        return found

    def span(self, place: Place, first: int, next_offset: int) -> Iterator[Record]:
        """The messages of `[first, next_offset)`, in order."""
        if first < next_offset:
            yield from self._read({place: first}, one_each=False, until={place: next_offset})

    def _read(
        self, starts: dict[Place, int], *, one_each: bool, until: Mapping[Place, int] | None = None
    ) -> Iterator[Record]:
        """From each start on, to the first message, to `until`, or to the partition's end."""
        if not starts:
            return
        left = set(starts)
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in starts.items()])
        deadline = time.monotonic() + _SECONDS
        while left:
            with translated("reading messages"):
                arrived: list[Any] = self._consumer.consume(1 if one_each else _BATCH, _POLL_SECONDS)
            for message in arrived:
                place = (message.topic(), message.partition())
                problem = message.error()
                if problem is not None:
                    self._ended(problem, place)
                    left.discard(place)
                elif place in left:
                    deadline = time.monotonic() + _SECONDS
                    if until is not None and message.offset() >= until[place]:
                        left.discard(place)
                        continue
                    if one_each or (until is not None and message.offset() + 1 >= until[place]):
                        left.discard(place)
                    yield Record(
                        *place, message.offset(), message.timestamp()[1], message.key(), message.value()
                    )  # fmt: skip
            if left and time.monotonic() > deadline:
                place = min(left)
                raise UnreachableError(f"Kafka gave nothing of {place[0]} partition {place[1]} for {_SECONDS:.0f} s")
        self._consumer.unassign()

    def _ended(self, problem: Any, place: Place) -> None:
        """An end, or an offset that is gone meanwhile: there is no message. Anything else is an outage."""
        if problem.code() in (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            return
        raise UnreachableError(f"reading {place[0]} partition {place[1]}: {problem}") from KafkaException(problem)
