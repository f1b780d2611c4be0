"""The loop: read, close micro-batches, bring them into the bucket, load them. One process, any number of tables.

Nothing in it waits for one table alone: what cannot be done now is tried again later, while the others go on and
Kafka hears from this member. Memory is bounded by pausing partitions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from consumers.assignment import Assignment, gone, moved
from consumers.carried import Carried
from consumers.caught_up import CaughtUp
from consumers.messages import Message, Place
from consumers.partition import Partition, Work
from consumers.patience import Patience
from consumers.ports import End, Feed, Gone, Record, Topics, Warehouse
from consumers.repairs import begin_again
from consumers.settings import Consume
from consumers.stages import Stages
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.errors import StaleOwner, StoppedTable, UnreachableError, WaybillError
from waybill.positions import Loaded

log = logging.getLogger(__name__)

_POLL_MESSAGES = 2_000
_POLL_SECONDS = 0.2


class Loop:
    """Carries streams until `finished` is set (by a signal handler, say), or until it has caught up."""

    def __init__(
        self, streams: Sequence[Stream], feed: Feed, topics: Topics, warehouse: Warehouse,
        assignment: Assignment, stages: Stages, settings: Consume, clock: Clock,
    ) -> None:  # fmt: skip
        self._feed, self._topics, self._warehouse = feed, topics, warehouse
        self._assignment, self._stages, self._settings, self._clock = assignment, stages, settings, clock
        self.carried = {stream.topic: Carried.of(stream, clock) for stream in streams}
        self._reading = Patience(clock, "reading from Kafka")
        self.finished = threading.Event()

    def run(self, until_caught_up: bool = False) -> None:
        """Returns when `finished` is set or, if asked for, when everything that stood in Kafka now is loaded.

        Raises `StaleOwner` when another process took this member's place. What is not loaded is dropped: it is
        still in Kafka.
        """
        goal = CaughtUp(self._topics, self._warehouse, self._clock) if until_caught_up else None
        self._feed.subscribe(sorted(self.carried), self._assigned, self._revoked)
        try:
            while not self.finished.is_set():
                self.step(goal)
                if goal is not None and goal.reached(self.carried.values()):
                    log.info("caught up")
                    return
        finally:
            for carried in self.carried.values():
                carried.partitions.clear()
            self._feed.close()

    def step(self, goal: CaughtUp | None = None) -> None:
        """One turn: never waits longer than a poll, except for the work that it does."""
        self._read()
        now = self._clock.monotonic()
        for carried in self.carried.values():
            try:
                self._turn(carried, now, goal)
            except StoppedTable as error:
                carried.stop(error, self._feed, now + self._settings.retry_stopped_seconds)
            carried.keep_memory(self._feed)
            if carried.stopped is not None:
                carried.tell(self._warehouse, self._stages.owner)

    def _turn(self, carried: Carried, now: float, goal: CaughtUp | None) -> None:
        if carried.stopped is not None and now < carried.retry_at:
            return
        self._claim(carried)
        for partition in carried.partitions.values():
            batcher = partition.batcher
            if batcher is None:
                continue
            at_goal = goal is not None and goal.wants(partition.place, batcher.next_offset)
            if batcher.due(now) or at_goal or carried.paused:
                batcher.close(now)
            self._advance(carried, partition)
        self._load(carried)
        if carried.quiet:
            carried.runs(self._warehouse, self._stages.owner)

    def _read(self) -> None:
        if not self._reading.over:
            self._clock.sleep(_POLL_SECONDS)
            return
        try:
            arrived = self._feed.poll(_POLL_MESSAGES, _POLL_SECONDS)
        except UnreachableError as error:
            self._reading.failed(error)
            return
        self._reading.worked()
        now = self._clock.monotonic()
        for item in arrived:
            carried = self.carried.get(item.topic)
            partition = carried.partitions.get((item.topic, item.partition)) if carried else None
            if carried is None or partition is None or partition.batcher is None:
                continue
            match item:
                case Record():
                    partition.batcher.add(Message(item.offset, item.time, item.key, item.value), now)
                case End():
                    partition.batcher.reached_end(item.offset)
                    partition.end = item.offset
                case Gone():
                    self._gone(carried, partition, item, now)

    def _gone(self, carried: Carried, partition: Partition, item: Gone, now: float) -> None:
        carried.stop(gone(partition, item.error), self._feed, now + self._settings.retry_stopped_seconds)

    def _claim(self, carried: Carried) -> None:
        unclaimed = carried.unclaimed
        if not unclaimed or not carried.claims.over:
            return
        try:
            self._assignment.claim(carried.stream, unclaimed)
        except UnreachableError as error:
            carried.claims.failed(error)
            return
        carried.claims.worked()

    def _advance(self, carried: Carried, partition: Partition) -> None:
        """Bring the partition's closed batches into the bucket, as far as it goes."""
        while partition.patience.over and (work := partition.next_work) is not None:
            try:
                self._stages.advance(partition, work, carried.tally)
            except UnreachableError as error:
                partition.patience.failed(error)
                return
            except StaleOwner as error:
                log.error("%s", error)
                self._assignment.lost(partition)
                return
            partition.patience.worked()

    def _load(self, carried: Carried) -> None:
        ready = {p.place: p.ready for p in carried.partitions.values()}
        stored = [work.stored for works in ready.values() for work in works if work.stored is not None]
        if not stored or not carried.loads.over:
            return
        try:
            self._same_topic(carried)
            with carried.tally.timed(self._clock, "load"):
                done = self._warehouse.load(carried.stream.raw, stored)
        except UnreachableError as error:
            carried.loads.failed(error)
            return
        except StoppedTable:
            raise
        except WaybillError as error:
            # Read again from Kafka under a new epoch: that mends an object that was lost or changed.
            raise StoppedTable(carried.stream.name, error.what, kept=error.kept, todo=error.todo) from error
        carried.loads.worked()
        self._loaded(carried, ready, done)

    def _same_topic(self, carried: Carried) -> None:
        """After the last fetch, before the load: if the id still stands, no message came from another topic."""
        topic = carried.stream.topic
        info = self._topics.describe([topic]).get(topic)
        if info is None:
            raise UnreachableError(f"topic {topic} is gone; what was read of it is not loaded until it is known why")
        for partition in carried.partitions.values():
            if partition.position is not None and partition.position.topic_id != info.topic_id:
                raise StoppedTable(
                    carried.stream.name,
                    f"the topic {topic} was deleted and made again while it was read",
                    kept="what was loaded; nothing of the new topic is loaded",
                    todo=begin_again(carried.stream.name),
                )

    def _loaded(self, carried: Carried, ready: dict[Place, list[Work]], done: Loaded) -> None:
        stopped: StoppedTable | None = None
        commits: dict[Place, int] = {}
        stale = {(batch.topic, batch.partition): error for batch, error in done.stale}
        for place, works in ready.items():
            partition = carried.partitions[place]
            if place in stale:
                log.error("%s", stale[place])
                self._assignment.lost(partition)
                continue
            for work in works:
                partition.work.popleft()
                assert work.stored and work.decoded and partition.position
                partition.position = moved(partition.position, work.stored.next_offset)
                commits[place] = work.stored.next_offset
                stopped = stopped or work.decoded.stopped
        self._count(carried, done)
        self._feed.commit(commits)
        if stopped is not None:
            raise stopped
        carried.runs(self._warehouse, self._stages.owner)

    def _count(self, carried: Carried, done: Loaded) -> None:
        tally = carried.tally
        rows = sum(batch.rows for batch in done.batches)
        tally.rows += rows
        tally.batches += len(done.batches)
        tally.loads += 1
        tally.dead_letters += sum(batch.dead_letters for batch in done.batches)
        tally.bytes_stored += sum(batch.size for batch in done.batches)
        if rows:
            log.info("%s: %d rows in %d objects loaded", carried.stream.raw, rows, len(done.batches))

    def _assigned(self, places: list[Place]) -> None:
        for place in places:
            carried = self.carried[place[0]]
            carried.partitions[place] = Partition.of(carried.stream, place, self._clock)

    def _revoked(self, places: list[Place]) -> None:
        for place in places:
            if self.carried[place[0]].partitions.pop(place, None) is not None:
                log.info("gives up %s partition %d; what was not loaded of it is dropped", *place)
