"""Kafka in memory: logs with holes, end offsets that lag after a restart, members rewound or out of date."""

from __future__ import annotations

import io
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import fastavro

from consumers.messages import Message, Messages, Place
from consumers.ports import Arrived, DeadLetter, End, Ends, Records, TopicInfo
from tests.simulation.tasks import Switch
from tests.unit.consumers import debezium
from tests.unit.consumers.world import Time
from waybill.errors import StaleOwner, UnreachableError
from waybill.positions import Position

NAMESPACE = "waybill.kuaisong.parcel"
ID = debezium.column("order_id", "long", "BIGINT", nullable=False)
KEY, VALUE = debezium.key_schema(NAMESPACE, [ID]), debezium.envelope(NAMESPACE, [ID])
_PARSED = {1: fastavro.parse_schema(dict(KEY)), 2: fastavro.parse_schema(debezium.envelope(NAMESPACE, [ID]))}


@cache
def event(table: str, serial: int) -> tuple[bytes, bytes]:
    """Key and value of an insert of the row `serial`."""
    row = {"order_id": serial}
    return _wire(1, row), _wire(2, debezium.event(row, number=serial + 1, table=table))


def _wire(schema_id: int, record: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _PARSED[schema_id], record)
    return struct.pack(">bI", 0, schema_id) + out.getvalue()


@dataclass
class Log:
    """One partition. `good` and `bad` are what it holds, by offset: the serial of a row, the bytes of no message."""

    messages: list[Message] = field(default_factory=list)
    end: int = 0
    behind: int = 0
    good: dict[int, int] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)

    @property
    def stable(self) -> int:
        """What a reader is told: a broker that has just started may not know its last records yet."""
        return max(0, self.end - self.behind)

    def add(self, table: str, kind: str, serial: int) -> None:
        """One offset: `g`ood, `b`ad, a `t`ombstone, or a control record, which no reader sees (`x`)."""
        key, value = event(table, serial)
        if kind == "g":
            self.good[self.end] = serial
        elif kind == "b":
            self.bad.add(self.end)
            value = b"bad"
        if kind != "x":
            self.messages.append(debezium.message(self.end, key, None if kind == "t" else value))
        self.end += 1

    def read(self, at: int, limit: int) -> list[Message]:
        start = bisect_left(self.messages, at, key=lambda m: m.offset)
        stop = bisect_left(self.messages, self.stable, key=lambda m: m.offset)
        return self.messages[start : min(stop, start + limit)]


class Broker:
    """Topics, and the dead-letter topic."""

    def __init__(self, switch: Switch, places: Sequence[Place]) -> None:
        self._switch = switch
        self.logs = {place: Log() for place in places}
        self.letters: set[tuple[str, int, int]] = set()
        self.down = False

    def _asked(self) -> None:
        if self._switch.point("ask kafka") != "ok" or self.down:
            raise UnreachableError("kafka does not answer")

    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        self._asked()
        return {name: TopicInfo(f"id-of-{name}", sum(p[0] == name for p in self.logs)) for name in names}

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        self._asked()
        return {place: Ends(0, self.logs[place].stable) for place in places}

    def send(self, letters: Sequence[DeadLetter], position: Position) -> None:
        """A letter may stand there twice."""
        if not letters:
            return
        outcome = self._switch.point("letters")
        if outcome == "fail":
            raise UnreachableError("the dead letters were not stored")
        for letter in letters:
            assert letter.value == b"bad"
            self.letters.add((letter.topic, letter.partition, letter.offset))
        if outcome != "ok":
            raise UnreachableError("nobody knows whether the dead letters were stored")


class Member:
    """A member of the group. What it is not told it does not know: it reads on what was given to another."""

    def __init__(self, broker: Broker, time: Time) -> None:
        self._broker, self._time = broker, time
        self._at: dict[Place, int] = {}
        self._told: dict[Place, int] = {}
        self._paused: dict[Place, None] = {}
        self.refusals = 0  # so many next calls fail
        self.fenced = False
        self.again = 0  # so many messages are delivered again
        self.repeated = 0
        self.assigned: Callable[[list[Place]], None] = lambda places: None
        self.revoked: Callable[[list[Place]], None] = lambda places: None

    def subscribe(
        self, topics: Sequence[str], assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]
    ) -> None:
        self.assigned, self.revoked = assigned, revoked

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnreachableError("kafka does not answer")

    def poll(self, limit: int, seconds: float) -> list[Arrived]:
        self._time.sleep(seconds)
        if self.fenced:
            raise StaleOwner("shut out of the group")
        self._refuse()
        if self._broker.down:
            return []
        return [item for place in list(self._at) if place not in self._paused for item in self._of(place)]

    def _of(self, place: Place) -> list[Arrived]:
        log, at, found = self._broker.logs[place], self._at[place], list[Arrived]()
        if self.again:
            before = [m.offset for m in log.messages if m.offset < at][-self.again :]
            if before:
                self.repeated += len(before)
                self.again, at = 0, before[0]
                self._told.pop(place, None)
        run = log.read(at, 7)
        if run:
            found.append(Records(*place, Messages.of(run)))
            at = max(run[-1].offset + 1, self._at[place])
        self._at[place] = at
        if not log.read(at, 1) and at <= log.stable and self._told.get(place) != log.stable:
            found.append(End(*place, log.stable))
            self._told[place] = self._at[place] = log.stable
        return found

    def start(self, offsets: Mapping[Place, int]) -> None:
        self._refuse()
        for place, offset in offsets.items():
            self._at[place] = offset
            self._told.pop(place, None)
        self.resume(offsets)

    def pause(self, places: Iterable[Place]) -> None:
        self._paused.update(dict.fromkeys(places))

    def resume(self, places: Iterable[Place]) -> None:
        for place in places:
            self._paused.pop(place, None)

    def take(self, place: Place) -> None:
        """The group gives it a partition."""
        self._at.pop(place, None)
        self.pause([place])
        self.assigned([place])

    def lose(self, place: Place) -> None:
        """The group takes it away."""
        self._at.pop(place, None)
        self.revoked([place])

    def commit(self, offsets: Mapping[Place, int]) -> None:
        return

    def close(self) -> None:
        self._at.clear()
