"""When the next message of each partition was written: its timestamp in Kafka, read from the one message."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.kafka_topics import translated
from consumers.messages import Place
from waybill.errors import UnreachableError

_SECONDS = 20.0
_POLL_SECONDS = 0.5
_NONE_THERE = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class NextMessages:
    """A reader without a group, kept open between calls. Not for two threads at a time."""

    def __init__(self, bootstrap: str) -> None:
        self._settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap, "group.id": "waybill.reader", "isolation.level": "read_committed",
            "enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True,
            "auto.offset.reset": "error", "fetch.queue.backoff.ms": 20, "fetch.wait.max.ms": 20, "log_level": 2,
            # Only the first message of each partition is wanted.
            "queued.min.messages": 1, "fetch.message.max.bytes": 64 * 1024,
        }  # fmt: skip
        self._consumer: Any = None

    def times(self, offsets: Mapping[Place, int]) -> dict[Place, float]:
        """Seconds since 1970 of the first message at or behind each offset; a partition without one is left out.

        Raises `UnreachableError` when Kafka does not answer for 20 s.
        """
        if not offsets:
            return {}
        if self._consumer is None:
            self._consumer = Consumer(self._settings)
        found: dict[Place, float] = {}
        left = set(offsets)
        with translated("reading the next messages"):
            self._consumer.assign([TopicPartition(*place, offset) for place, offset in offsets.items()])
            deadline = time.monotonic() + _SECONDS
            while left and time.monotonic() < deadline:
                for message in self._consumer.consume(len(left), _POLL_SECONDS):
                    place = (message.topic(), message.partition())
                    problem = message.error()
                    if problem is not None and problem.code() not in _NONE_THERE:
                        continue  # it tries again by itself, until the time is over
                    if problem is None and place in left:
                        found[place] = message.timestamp()[1] / 1000
                    left.discard(place)
            self._consumer.unassign()
        if left:
            raise UnreachableError(
                f"Kafka gave nothing of {min(left)[0]} partition {min(left)[1]} for {_SECONDS:.0f} s"
            )
        return found
