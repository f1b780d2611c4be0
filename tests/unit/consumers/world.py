"""Kafka, registry, bucket and warehouse in memory: each keeps the promises of `consumers/ports.py`, and can be down.

The warehouse moves positions by compare-and-set as the real one does, so that a consumer that breaks the rules is
caught here too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from consumers.assignment import Assignment
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.loop import Loop
from consumers.messages import Message, Messages, Place
from consumers.ports import Arrived, DeadLetter, Done, End, Ends, Outcome, Records, Task, TopicInfo, Workers
from consumers.settings import Consume, Storage
from consumers.stages import Stages
from consumers.storing import Storing
from consumers.streams import Stream
from tests.unit.consumers.debezium import Registry
from waybill.errors import StaleOwner, StoppedTable, UnreachableError
from waybill.objects import StoredBatch, epoch_of
from waybill.positions import Loaded, Position


class Time:
    """A clock that moves when somebody sleeps or polls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class World:
    """What every consumer of a test shares. A name in `down` is out of order: kafka, bucket, warehouse, letters."""

    time: Time = field(default_factory=Time)
    down: set[str] = field(default_factory=set)
    logs: dict[Place, list[Message]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    standing: dict[tuple[str, int], Position] = field(default_factory=dict)
    loaded: list[StoredBatch] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)

    def need(self, what: str) -> None:
        if what in self.down:
            raise UnreachableError(f"{what} is down")

    def topic(self, name: str, partitions: int = 1) -> None:
        self.ids[name] = f"id-of-{name}"
        for number in range(partitions):
            self.logs[name, number] = []

    def write(self, topic: str, *messages: Message, partition: int = 0) -> None:
        self.logs[topic, partition] += messages

    # Topics
    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        self.need("kafka")
        return {n: TopicInfo(self.ids[n], sum(place[0] == n for place in self.logs)) for n in names if n in self.ids}

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        self.need("kafka")
        return {place: Ends(0, len(self.logs[place])) for place in places}

    # Bucket
    def put(self, key: str, body: bytes, sha256: str) -> Outcome:
        self.need("bucket")
        assert hashlib.sha256(body).hexdigest() == sha256
        if key not in self.objects:
            self.objects[key] = body
            return Outcome.STORED
        return Outcome.SAME if self.objects[key] == body else Outcome.DIFFERENT

    def greatest_epoch(self, prefix: str) -> int:
        self.need("bucket")
        return max((epoch_of(key) or 0 for key in self.objects if key.startswith(prefix)), default=0)

    def check(self, raw: str = "") -> None:
        return

    # Warehouse
    def positions(self, raw: str) -> list[Position]:
        self.need("warehouse")
        return list(self.standing.values())

    def claim(self, raw: str, places: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
        self.need("warehouse")
        for asked in places:
            found = self.standing.get(asked.place, asked)
            self.standing[asked.place] = replace(found, epoch=max(found.epoch, least_epoch) + 1, owner=owner)
        return [self.standing[asked.place] for asked in places]

    def read_back(self, batch: StoredBatch) -> pa.Table:
        self.need("bucket")
        self.read.append(batch.key)
        return pq.read_table(pa.BufferReader(self.objects[batch.key]))

    def load(self, raw: str, batches: Sequence[StoredBatch], tables: Mapping[int, pa.Table]) -> Loaded:
        self.need("warehouse")
        done, stale = [], []
        self.used += [batch.key for batch in batches if batch.batch_id in tables]
        for batch in batches:
            assert not batch.rows or batch.key in self.objects
            assert batch.batch_id not in tables or tables[batch.batch_id].num_rows == batch.rows
            position = self.standing[batch.topic, batch.partition]
            if (position.epoch, position.next_offset) != (batch.epoch, batch.first_offset):
                stale.append((batch, StaleOwner(f"{batch.topic} {batch.partition} belongs to {position.owner}")))
                continue
            self.standing[position.place] = replace(position, next_offset=batch.next_offset)
            done.append(batch)
        self.loaded += done
        return Loaded(tuple(done), tuple(stale))

    def state(self, table: str, raw: str, stopped: StoppedTable | None, by: str, held: Mapping[Place, int]) -> bool:
        self.need("warehouse")
        if any(p.place in held and p.epoch > held[p.place] for p in self.positions(raw)):
            return False
        self.states.append((table, "running" if stopped is None else "stopped"))
        return True

    # Dead letters
    def send(self, letters: Sequence[DeadLetter], position: Position) -> None:
        if letters:
            self.need("letters")
        self.letters += letters


class Member:
    """A consumer group's member that is given what the test says."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._at: dict[Place, int] = {}
        self._told: dict[Place, int] = {}
        self.paused: set[Place] = set()
        self.committed: dict[Place, int] = {}
        self.assigned: Callable[[list[Place]], None] = lambda places: None
        self.revoked: Callable[[list[Place]], None] = lambda places: None

    def subscribe(
        self, topics: Sequence[str], assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]
    ) -> None:
        self.assigned, self.revoked = assigned, revoked

    def poll(self, limit: int, seconds: float) -> list[Arrived]:
        self._world.time.sleep(seconds)
        self._world.need("kafka")
        found: list[Arrived] = []
        for place, at in self._at.items():
            if place in self.paused:
                continue
            log = self._world.logs[place]
            run = log[at : at + limit - sum(len(i.messages) for i in found if isinstance(i, Records))]
            if run:
                found.append(Records(*place, Messages.of(run)))
                self._at[place] = run[-1].offset + 1
            if self._at[place] == len(log) and self._told.get(place) != len(log) and len(found) < limit:
                found.append(End(*place, len(log)))
                self._told[place] = len(log)
        return found

    def start(self, offsets: Mapping[Place, int]) -> None:
        self._at.update(offsets)
        for place in offsets:
            self._told.pop(place, None)
        self.resume(offsets)

    def pause(self, places: Iterable[Place]) -> None:
        self.paused |= set(places)

    def resume(self, places: Iterable[Place]) -> None:
        self.paused -= set(places)

    def commit(self, offsets: Mapping[Place, int]) -> None:
        self.committed.update(offsets)

    def close(self) -> None:
        self._at.clear()


class AtOnce:
    """Workers that do everything as soon as it is handed to them."""

    def __init__(self) -> None:
        self._done: list[Done] = []

    def submit(self, task: Task) -> None:
        self._done.append(done(task))

    def finished(self) -> list[Done]:
        found, self._done = self._done, []
        return found

    def close(self, seconds: float) -> None:
        self._done.clear()


class WhenSaid(AtOnce):
    """Workers that do a task when the test says so: `waiting` are those not done."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Task] = []

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def do(self, *names: str) -> None:
        """Do the tasks whose name begins with one of `names`; without names all."""
        chosen = [task for task in self.waiting if not names or task.name.startswith(names)]
        self.waiting = [task for task in self.waiting if task not in chosen]
        self._done += [done(task) for task in chosen]


def done(task: Task) -> Done:
    """Do it here and now."""
    try:
        return Done(task, task.run())
    except Exception as error:  # noqa: BLE001 (the loop judges it)
        return Done(task, None, error)


def consumer(
    world: World,
    registry: Registry,
    *streams: Stream,
    owner: str = "me",
    settings: Consume | None = None,
    workers: Workers | None = None,
) -> tuple[Loop, Member]:
    """A consumer of these streams, joined, without partitions."""
    settings = settings or Consume()
    member = Member(world)
    storing = Storing(world, Storage(prefix="p"), world.time)
    decoding = Decoding(registry, FastavroDecoder(), settings.dead_letters_in_a_row)
    stages = Stages(decoding, world, storing, owner, world.time)
    assignment = Assignment(member, world, world, world, storing, owner, world.time)
    loop = Loop(streams, member, world, world, workers or AtOnce(), assignment, stages, settings, world.time)
    member.subscribe([], loop._assigned, loop._revoked)
    return loop, member
