"""The loop: read, close micro-batches, have them stored and loaded. One process, any number of tables.

It is the one owner of all state, on one thread, and waits for nothing but a poll: whatever may wait for a service is
handed to the workers and comes back as finished. So no table waits for another, and Kafka hears from this member.
What comes back for a partition that was given up meanwhile is thrown away. Memory is bounded by pausing partitions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from consumers.assignment import Assignment, gone
from consumers.bringing import Bringing
from consumers.carried import Carried
from consumers.caught_up import CaughtUp
from consumers.claiming import Claiming
from consumers.loading import Loading
from consumers.messages import Message, Place
from consumers.partition import Partition
from consumers.patience import Patience
from consumers.ports import Arrived, Done, End, Feed, Gone, Lane, Record, Records, Topics, Warehouse, Workers
from consumers.reading_back import ReadingBack
from consumers.settings import Consume
from consumers.stages import Stages
from consumers.streams import Stream
from consumers.tally import Budget
from consumers.telling import Telling
from consumers.under_way import UnderWay
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError
from waybill.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_POLL_MESSAGES = 5_000
_POLL_SECONDS = 0.2
_BUSY_POLL_SECONDS = 0.02  # while workers may finish something, or Kafka may give partitions to a member without any
_DRAIN_SECONDS = 8.0


class Loop:
    """Carries streams until `finished` is set (by a signal handler, say), or until it has caught up."""

    def __init__(
        self, streams: Sequence[Stream], feed: Feed, topics: Topics, warehouse: Warehouse, workers: Workers,
        assignment: Assignment, stages: Stages, settings: Consume, clock: Clock,
    ) -> None:  # fmt: skip
        self._feed, self._topics, self._warehouse = feed, topics, warehouse
        self._stages, self._settings, self._clock = stages, settings, clock
        self._under_way = UnderWay(workers, clock)
        self._claiming = Claiming(assignment, feed, self._under_way, self._stop)
        self._bringing = Bringing(stages, feed, self._under_way, self._stop, clock)
        self._loading = Loading(feed, topics, warehouse, assignment, self._under_way, self._stop, clock)
        self._reading_back = ReadingBack(warehouse, self._under_way, clock)
        self._telling = Telling(warehouse, assignment, stages.owner, self._under_way)
        self.carried = {stream.topic: Carried.of(stream, clock) for stream in streams}
        self.budget = Budget()
        self._reading = Patience(clock, "reading from Kafka")
        self._looks = self._caught_up = self._leaving = False
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
                if goal is not None:
                    self._look(goal)
                if self._caught_up:
                    log.info("caught up")
                    return
            self._drain()
        finally:
            self.close()

    def close(self) -> None:
        """Leave the group; what is not loaded is dropped. How each table stood when it left is still to be read."""
        self._leaving = True
        for carried in self.carried.values():
            self._give_up(list(carried.partitions))
        self._feed.close()
        self._under_way.close()

    def step(self, goal: CaughtUp | None = None) -> None:
        """One turn: takes what arrived and what was finished, and hands out what can be done now."""
        self._read()
        watch = Stopwatch(self._clock.monotonic)
        with watch.time("turn"):
            self._under_way.settle()
            self._turns(goal)
            while self._under_way.settle():
                self._turns(goal)
        self.budget.turn = self.budget.turn.and_also(watch.spent["turn"])

    def _turns(self, goal: CaughtUp | None) -> None:
        now = self._clock.monotonic()
        for carried in self.carried.values():
            if carried.stopped is None or now >= carried.retry_at:
                self._turn(carried, now, goal)
            carried.keep_memory(self._feed, now)
            self._telling.turn(carried, now)

    def _turn(self, carried: Carried, now: float, goal: CaughtUp | None) -> None:
        self._claiming.turn(carried, now)
        for partition in carried.partitions.values():
            if partition.batcher is None:
                continue
            at_goal = goal is not None and goal.wants(partition.place, partition.batcher.next_offset)
            partition.close_due(now, hurry=at_goal or carried.paused)
            self._bringing.turn(carried, partition, now)
        self._load(carried)
        self._reading_back.turn(carried)
        if carried.quiet:
            carried.runs()

    def _load(self, carried: Carried) -> None:
        self._loading.turn(carried, self._clock.monotonic())

    def _read(self) -> None:
        holds = any(carried.partitions for carried in self.carried.values())
        seconds = _POLL_SECONDS if holds and not self._under_way else _BUSY_POLL_SECONDS
        if not self._reading.over:
            self._clock.sleep(seconds)
            return
        watch = Stopwatch(self._clock.monotonic)
        try:
            with watch.time("poll"):
                arrived = self._feed.poll(_POLL_MESSAGES, seconds)
                self._take(arrived)
        except UnreachableError as error:
            self._reading.failed(error)
            return
        self._reading.worked()
        self.budget.polled(watch.spent["poll"], len(arrived))

    def _take(self, arrived: Sequence[Arrived]) -> None:
        now = self._clock.monotonic()
        for item in arrived:
            carried = self.carried.get(item.topic)
            partition = carried.partitions.get((item.topic, item.partition)) if carried else None
            if carried is None or partition is None or partition.batcher is None:
                continue
            match item:
                case Records():
                    partition.batcher.take(item.messages, now)
                case Record():
                    partition.batcher.add(Message(item.offset, item.time, item.key, item.value), now)
                case End():
                    partition.batcher.reached_end(item.offset)
                    partition.end = item.offset
                case Gone():
                    self._stop(carried, gone(partition, item.error))

    def _stop(self, carried: Carried, error: StoppedTable) -> None:
        carried.stop(error, self._feed, self._clock.monotonic() + self._settings.retry_stopped_seconds)

    def _look(self, goal: CaughtUp) -> None:
        """Ask now and then whether everything is loaded; one question at a time."""
        if self._looks or not goal.due():
            return
        self._looks = True

        def answered(done: Done) -> None:
            self._looks = False
            if done.error is not None and not isinstance(done.error, UnreachableError):
                raise done.error
            self._caught_up = goal.answered(bool(done.result), done.error)

        self._under_way.submit(Lane.ASK, "caught up?", goal.look(self.carried.values()), answered)

    def _drain(self) -> None:
        """Told to end: loads under way may commit and be told to Kafka; nothing else is begun."""
        limit = self._clock.monotonic() + _DRAIN_SECONDS
        while any(c.asking == "load" for c in self.carried.values()) and self._clock.monotonic() < limit:
            if not self._under_way.settle():
                self._clock.sleep(_BUSY_POLL_SECONDS)

    def _assigned(self, places: list[Place]) -> None:
        for place in places:
            carried = self.carried[place[0]]
            carried.partitions[place] = Partition.of(carried.stream, place, self._clock)

    def _revoked(self, places: list[Place]) -> None:
        self._give_up(places)
        for topic in {place[0] for place in places}:
            if not self.carried[topic].partitions and not self._leaving:
                self.carried[topic].forget()

    def _give_up(self, places: list[Place]) -> None:
        for place in places:
            partition = self.carried[place[0]].partitions.pop(place, None)
            if partition is not None:
                partition.drop()
                log.info("gives up %s partition %d; what was not loaded of it is dropped", *place)
