"""Everything that one simulated run shares: Kafka, bucket, warehouse, consumers, and who owns which partition."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import cache

from consumers.assignment import Assignment
from consumers.dead_letters.bounds import Bounds
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.loop import Loop
from consumers.messages import Place
from consumers.settings import Batching, Consume, Storage
from consumers.stages import Stages
from consumers.storing import Storing
from consumers.streams import Shape, Stream
from tests.simulation.bucket import Bucket
from tests.simulation.kafka import KEY, VALUE, Broker, Member
from tests.simulation.tasks import Drawn, Scheduled, Switch
from tests.simulation.warehouse import Database, Warehouse
from tests.unit.consumers.debezium import Registry
from tests.unit.consumers.world import Time
from waybill.errors import StaleOwner
from waybill.raw import EVENT, MESSAGE

MOST_BAD = 2
_MEMORY = 1_500  # bytes
_A_POLL = 2 * 13 * 250  # bytes, at most: two partitions, 13 messages of each
_BATCHING = Batching(rows=3, seconds=1)
STREAMS = tuple(
    Stream(f"kuaisong.{name}", f"{name}_raw", f"waybill.kuaisong.{name}", Shape.ROWS, _BATCHING, _MEMORY)
    for name in ("parcel", "other")
)
PARCEL, OTHER = STREAMS
PLACES: tuple[Place, ...] = ((PARCEL.topic, 0), (PARCEL.topic, 1), (OTHER.topic, 0))
COLUMNS = [column.name for column in (*MESSAGE, *EVENT)] + ["order_id"]


class Clock(Time):
    """No two moments are the same, as on a real machine: batch ids are made of them."""

    def now(self) -> datetime:
        self.seconds += 0.000_01
        return super().now() + timedelta(0)


class MovableBounds(Bounds):
    """So many bad messages in a row as the simulated user allows now."""

    def __init__(self) -> None:
        super().__init__(MOST_BAD, 100, 1)

    def allow(self, in_a_row: int) -> None:
        self._in_a_row = in_a_row


@cache
def database() -> Database:
    return Database([stream.raw for stream in STREAMS])


@cache
def bounds() -> MovableBounds:
    return MovableBounds()


@cache
def decoding() -> Decoding:
    """The real one. It remembers schemas only, so all runs may share it."""
    return Decoding(Registry(KEY, VALUE), FastavroDecoder(), bounds())


class Consumer:
    """One consumer process."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.member = Member(world.broker, world.time)
        self.workers = Drawn(world.switch)
        storing = Storing(world.bucket, Storage(prefix="p"), world.time)
        stages = Stages(decoding(), world.broker, storing, name, world.time)
        assignment = Assignment(
            self.member, world.broker, world.warehouse, world.bucket, storing, name, world.time
        )  # fmt: skip
        self.loop = Loop(
            STREAMS, self.member, world.broker, world.warehouse, self.workers, assignment, stages, Consume(), world.time
        )
        self.member.subscribe([], self.loop._assigned, self.loop._revoked)

    @property
    def believes(self) -> list[Place]:
        """The partitions that it takes for its own."""
        return [place for carried in self.loop.carried.values() for place in carried.partitions]

    @property
    def stopped(self) -> bool:
        return any(carried.stopped is not None for carried in self.loop.carried.values())

    @property
    def paused(self) -> bool:
        return any(carried.paused for carried in self.loop.carried.values())


class World:
    """`ghosts` are tasks of killed processes whose last call is still on its way to its service."""

    def __init__(self, seen: Counter[str]) -> None:
        self.seen = seen
        self.time = Clock()
        self.switch = Switch()
        self.broker = Broker(self.switch, PLACES)
        self.bucket = Bucket(self.switch, seen)
        self.database = database()
        self.database.empty(COLUMNS)
        bounds().allow(MOST_BAD)
        self.warehouse = Warehouse(self.database, self.bucket, self.switch, seen)
        self.serial = 0
        self.consumers: list[Consumer] = []
        self.ghosts: list[Scheduled] = []
        self.owners: dict[Place, Consumer] = {}
        self._names = 0

    def write(self, place: Place, kinds: str) -> None:
        """Messages of these kinds, see `Log.add`."""
        for kind in kinds:
            self.broker.logs[place].add(place[0].rpartition(".")[2], kind, self.serial)
            self.serial += 1

    def join(self) -> Consumer:
        self._names += 1
        consumer = Consumer(self, f"consumer-{self._names}")
        self.consumers.append(consumer)
        return consumer

    def give(self, place: Place, to: Consumer, heard: bool = True) -> None:
        """The group moves a partition; without `heard` its owner until now never learns of it."""
        before = self.owners.get(place)
        if before is not None and before is not to and before in self.consumers:
            if heard:
                before.member.lose(place)
            elif place in before.believes:
                self.seen["owner that never heard of it"] += 1
        if place in to.believes:
            to.member.lose(place)
        self.owners[place] = to
        to.member.take(place)

    def hear(self) -> None:
        """Every consumer learns at last what is not its own any more."""
        for consumer in self.consumers:
            for place in consumer.believes:
                if self.owners.get(place) is not consumer:
                    consumer.member.lose(place)

    def step(self, consumer: Consumer) -> None:
        """One turn of its loop; a process that was shut out of its group ends."""
        if consumer not in self.consumers:
            return
        repeated = consumer.member.repeated
        was_stopped, was_paused = consumer.stopped, consumer.paused
        try:
            consumer.loop.step()
        except StaleOwner:
            self.seen["fenced by Kafka"] += 1
            self.end(consumer)
        for carried in consumer.loop.carried.values():
            assert carried.tally.held <= _MEMORY + _A_POLL, f"{consumer.name} holds {carried.tally.held} bytes"
        self.seen["message delivered again"] += consumer.member.repeated - repeated
        self.seen["stopped table"] += consumer.stopped and not was_stopped
        self.seen["table goes on after a stop"] += was_stopped and not consumer.stopped
        self.seen["paused for memory"] += consumer.paused and not was_paused

    def end(self, consumer: Consumer) -> None:
        """Its process is gone, whatever it was about; others get its partitions."""
        if consumer not in self.consumers:
            return
        self.consumers.remove(consumer)
        under_way = [task for task in consumer.workers.tasks if task.begun]
        self.seen["killed with work under way"] += bool(under_way)
        self.ghosts += under_way
        if len(self.consumers) < 2:
            self.join()
        for place in [place for place, owner in self.owners.items() if owner is consumer]:
            self.give(place, self.consumers[-1])

    def vanish(self) -> None:
        """Nothing of the killed arrives any more."""
        for ghost in self.ghosts:
            ghost.kill()
        self.ghosts.clear()

    def close(self) -> None:
        """No thread is left."""
        self.vanish()
        for consumer in self.consumers:
            for task in consumer.workers.tasks:
                task.kill()

    def calm(self) -> None:
        """All faults are over."""
        for log in self.broker.logs.values():
            log.behind = 0
        self.broker.down = False
        bounds().allow(1_000_000)
        for consumer in self.consumers:
            consumer.member.refusals, consumer.member.fenced = 0, False
            for task in consumer.workers.tasks:
                task.hung = False
        self.hear()
