"""Caught up: everything that a committed reader could see when it was asked is loaded, by whom ever."""

from __future__ import annotations

from collections.abc import Iterable

from consumers.carried import Carried
from consumers.messages import Place
from consumers.patience import Patience
from consumers.ports import Topics, Warehouse
from waybill.clock import Clock
from waybill.errors import UnreachableError

_LOOK_SECONDS = 0.5


class CaughtUp:
    """The goal is taken once, when Kafka first answers. Topics that do not exist then are not waited for."""

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

    def reached(self, carried: Iterable[Carried]) -> bool:
        """False also while it cannot be told. A stopped table is not waited for."""
        carried = list(carried)
        now = self._clock.monotonic()
        if now - self._looked < _LOOK_SECONDS or not self._patience.over:
            return False
        self._looked = now
        try:
            if self._goal is None:
                self._goal = self._take([c.stream.topic for c in carried])
            left = all(self._done(one, self._goal) for one in carried)
        except UnreachableError as error:
            self._patience.failed(error)
            return False
        self._patience.worked()
        return left

    def _take(self, names: list[str]) -> dict[Place, int]:
        places = [
            (name, number) for name, info in self._topics.describe(names).items() for number in range(info.partitions)
        ]
        return {place: ends.stable for place, ends in self._topics.ends(places).items()}

    def _done(self, carried: Carried, goal: dict[Place, int]) -> bool:
        if carried.stopped is not None:
            return True
        wanted = {place: offset for place, offset in goal.items() if place[0] == carried.stream.topic}
        own = {p.place: p.position.next_offset for p in carried.partitions.values() if p.position is not None}
        if all(own.get(place, -1) >= offset for place, offset in wanted.items()):
            return True
        if wanted.keys() <= own.keys():
            return False
        known = {position.place: position.next_offset for position in self._warehouse.positions(carried.stream.raw)}
        return all(known.get(place, -1) >= offset for place, offset in wanted.items())
