"""Caught up: everything that a committed reader could see when it was asked is loaded, by whom ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from consumers.carried import Carried
from consumers.messages import Place
from consumers.patience import Patience
from consumers.ports import Topics, Warehouse
from waybill.clock import Clock
from waybill.errors import UnreachableError

_LOOK_SECONDS = 0.5


class Seen(NamedTuple):
    """One table as its consumer stood when it was asked: `own` is the next offset to load by partition.

    `told`: does the warehouse say what its state is?
    """

    topic: str
    raw: str
    stopped: bool
    told: bool
    own: dict[Place, int]

    @classmethod
    def of(cls, carried: Carried) -> Seen:
        own = {p.place: p.position.next_offset for p in carried.partitions.values() if p.position is not None}
        return cls(carried.stream.topic, carried.stream.raw, carried.stopped is not None, carried.is_told, own)


class CaughtUp:
    """The goal is taken once, when Kafka first answers. Topics that do not exist then are not waited for.

    A stopped table is not waited for either.
    """

    def __init__(self, topics: Topics, warehouse: Warehouse, clock: Clock) -> None:
        self._topics = topics
        self._warehouse = warehouse
        self._clock = clock
        self._goal: dict[Place, int] | None = None
        self._looked = float("-inf")
        self._patience = Patience(clock, "asking what there is to load")

    def wants(self, place: Place, next_offset: int) -> bool:
        """Has reading come to the goal, so that there is nothing to wait for with loading?"""
        return self._goal is not None and next_offset >= self._goal.get(place, 0)

    def due(self) -> bool:
        """Is it time to look (again)?"""
        return self._clock.monotonic() - self._looked >= _LOOK_SECONDS and self._patience.over

    def look(self, carried: Iterable[Carried]) -> Callable[[], bool]:
        """How the tables stand now, as a question that may be put on any thread. Raises `UnreachableError`."""
        self._looked = self._clock.monotonic()
        seen = [Seen.of(one) for one in carried]
        return lambda: self._judge(seen)

    def answered(self, reached: bool, error: UnreachableError | None) -> bool:
        """Take the answer: False also when it could not be told."""
        if error is not None:
            self._patience.failed(error)
            return False
        self._patience.worked()
        return reached

    def reached(self, carried: Iterable[Carried]) -> bool:
        """The same at once, waiting for the answer. False also while it cannot be told."""
        if not self.due():
            return False
        try:
            return self.answered(self.look(carried)(), None)
        except UnreachableError as error:
            return self.answered(False, error)

    def _judge(self, seen: list[Seen]) -> bool:
        if self._goal is None:
            self._goal = self._take([one.topic for one in seen])
        goal = self._goal
        return all(self._done(one, goal) for one in seen)

    def _take(self, names: list[str]) -> dict[Place, int]:
        places = [
            (name, number) for name, info in self._topics.describe(names).items() for number in range(info.partitions)
        ]
        return {place: ends.stable for place, ends in self._topics.ends(places).items()}

    def _done(self, seen: Seen, goal: dict[Place, int]) -> bool:
        if seen.stopped or not seen.told:
            return seen.told
        wanted = {place: offset for place, offset in goal.items() if place[0] == seen.topic}
        if all(seen.own.get(place, -1) >= offset for place, offset in wanted.items()):
            return True
        if wanted.keys() <= seen.own.keys():
            return False
        known = {position.place: position.next_offset for position in self._warehouse.positions(seen.raw)}
        return all(known.get(place, -1) >= offset for place, offset in wanted.items())
