"""Kafka messages as the consumer holds them: columns of a micro-batch, not objects, because speed matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

Bytes = bytes | None
Place = tuple[str, int]  # topic, partition


class Message(NamedTuple):
    """One message. `time` is the record's time in milliseconds since 1970."""

    offset: int
    time: int
    key: Bytes
    value: Bytes


@dataclass(slots=True)
class Messages:
    """Messages of one partition in the order of their offsets, as four columns of equal length."""

    offsets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    keys: list[Bytes] = field(default_factory=list)
    values: list[Bytes] = field(default_factory=list)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Messages:
        found = cls()
        for message in messages:
            found.append(message)
        return found

    def append(self, message: Message) -> None:
        self.offsets.append(message.offset)
        self.times.append(message.time)
        self.keys.append(message.key)
        self.values.append(message.value)

    def extend(self, more: Messages) -> None:
        """Messages that follow."""
        self.offsets += more.offsets
        self.times += more.times
        self.keys += more.keys
        self.values += more.values

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(map(len, filter(None, self.keys))) + sum(map(len, filter(None, self.values)))

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> Message:
        return Message(self.offsets[index], self.times[index], self.keys[index], self.values[index])

    def part(self, start: int, stop: int) -> Messages:
        """The messages from index `start` up to, not with, `stop`."""
        span = slice(start, stop)
        return Messages(self.offsets[span], self.times[span], self.keys[span], self.values[span])


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """A closed micro-batch: the span `[first_offset, next_offset)` of one partition and its messages.

    Offsets of the span without a message are Kafka's control records or aborted transactions. `size` is the
    bytes of keys and values.
    """

    first_offset: int
    next_offset: int
    messages: Messages
    size: int

    def split(self, index: int) -> tuple[MicroBatch, MicroBatch]:
        """Two batches that follow each other; the second begins with the message at `index` (not the first)."""
        border = self.messages.offsets[index]
        share = self.size * index // len(self.messages)
        return (
            MicroBatch(self.first_offset, border, self.messages.part(0, index), share),
            MicroBatch(border, self.next_offset, self.messages.part(index, len(self.messages)), self.size - share),
        )
