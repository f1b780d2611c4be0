"""The dead-letter topic, read: every letter once, by its origin, however often a crash or a reset put it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.dead_letter_topic import ERROR, FIRST_SEEN, GENERATION, OFFSET, PARTITION, TIME, TOPIC, TOPIC_ID
from consumers.kafka_topics import translated
from consumers.messages import Bytes, Message
from waybill.errors import UnreachableError
from waybill.positions import Origin

_SECONDS = 15.0
_BATCH = 500
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was set aside. `time` in milliseconds since 1970, `first_seen` ISO text, sizes in bytes (None
    where the message had no key or value); `generation` is the last it was read under. `key` and `value` are None
    where only the heads were asked for."""

    origin: Origin
    generation: int
    time: int
    error: str
    first_seen: str
    key_size: int | None
    value_size: int | None
    copies: int = 1
    key: Bytes = None
    value: Bytes = None

    @property
    def message(self) -> Message:
        """As it was read from its topic."""
        return Message(self.origin.offset, self.time, self.key, self.value)


class Letters:
    """The topic's content as it is when it is asked. Reads without a group, changes nothing."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self.topic = topic

    def heads(self) -> dict[Origin, Letter]:
        """Every letter without its bytes, in the order in which they were first set aside. Empty without the topic.

        Raises `UnreachableError` when Kafka does not answer.
        """
        found: dict[Origin, Letter] = {}
        for letter in self._every(lambda _: False):
            before = found.get(letter.origin)
            found[letter.origin] = letter if before is None else _merged(before, letter)
        return found

    def whole(self, wanted: Callable[[Origin], bool]) -> Iterator[Letter]:
        """These letters with their bytes, each once."""
        seen: set[Origin] = set()
        for letter in self._every(lambda origin: wanted(origin) and origin not in seen):
            if wanted(letter.origin) and letter.origin not in seen:
                seen.add(letter.origin)
                yield letter

    def _every(self, with_bytes: Callable[[Origin], bool]) -> Iterator[Letter]:
        with translated(f"reading {self.topic}"):
            for message in read(self._bootstrap, self.topic):
                letter = _letter(message, with_bytes)
                if letter is not None:
                    yield letter


def read(bootstrap: str, topic: str, partition: int | None = None, offset: int = 0) -> Iterator[Any]:
    """A topic's committed messages, from `offset` on to its end now; nothing when there is no such topic.

    Raises the client's KafkaException, and `UnreachableError` when nothing comes for a while.
    """
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "waybill.reader", "isolation.level": "read_committed",
            "enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True,
            "auto.offset.reset": "earliest", "fetch.message.max.bytes": _MOST_BYTES, "log_level": 2,
            "receive.message.max.bytes": 4 * _MOST_BYTES,
        }
    )  # fmt: skip
    try:
        known = reader.list_topics(topic, timeout=_SECONDS).topics[topic]
        numbers = [] if known.error else sorted(known.partitions) if partition is None else [partition]
        numbers = [number for number in numbers if number in known.partitions]
        left = set(numbers)
        if left:
            reader.assign([TopicPartition(topic, number, offset) for number in numbers])
        while left:
            # `consume` waits for as many as were asked for, `poll` for the first.
            first = reader.poll(_SECONDS)
            arrived = [] if first is None else [first, *reader.consume(_BATCH, 0)]
            if not arrived:
                raise UnreachableError(f"reading {topic}: nothing came for {_SECONDS:g} s", todo="waybill doctor")
            for message in arrived:
                problem = message.error()
                if problem is None:
                    yield message
                elif problem.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                else:
                    raise UnreachableError(f"reading {topic}: {problem.str()}", todo="waybill doctor")
    finally:
        reader.close()


def _merged(first: Letter, again: Letter) -> Letter:
    newer = again if again.generation >= first.generation else first
    return replace(newer, first_seen=first.first_seen, copies=first.copies + 1)


def _letter(message: Any, with_bytes: Callable[[Origin], bool]) -> Letter | None:
    """None for a message without a letter's headers: somebody else wrote it."""
    try:
        headers = {name: value.decode() for name, value in message.headers() or ()}
        origin = Origin(headers[TOPIC], headers[TOPIC_ID], int(headers[PARTITION]), int(headers[OFFSET]))
        keep = with_bytes(origin)
        key, value = message.key(), message.value()
        return Letter(
            origin, int(headers[GENERATION]), int(headers[TIME]), headers[ERROR], headers[FIRST_SEEN],
            None if key is None else len(key), None if value is None else len(value), 1,
            key if keep else None, value if keep else None,
        )  # fmt: skip
    except (KeyError, ValueError, AttributeError):
        return None
