"""The loop's first step: newly assigned partitions are claimed in the warehouse, then read from where it stands."""

from __future__ import annotations

from collections.abc import Callable

from consumers.assignment import Assignment, Claims
from consumers.carried import Carried
from consumers.messages import Place
from consumers.partition import Partition
from consumers.ports import Done, Feed, Lane
from consumers.under_way import UnderWay
from waybill.errors import StaleOwner, StoppedTable, UnreachableError

Stop = Callable[[Carried, StoppedTable], None]


class Claiming:
    """One claim a table at a time, and none beside a load of the table: both want its lock."""

    def __init__(self, assignment: Assignment, feed: Feed, under_way: UnderWay, stop: Stop) -> None:
        self._assignment, self._feed, self._under_way, self._stop = assignment, feed, under_way, stop

    def turn(self, carried: Carried, now: float) -> None:
        partitions = carried.unclaimed(now)
        if not partitions or carried.asking or not carried.claims.over:
            return
        carried.asking = "claim"
        held = {partition.place: (partition, partition.token) for partition in partitions}
        asked = {partition.place: partition.lost for partition in partitions}

        def wanted(place: Place) -> bool:
            partition, token = held[place]
            return partition.token is token

        self._under_way.submit(
            Lane.WAREHOUSE,
            f"claim {carried.stream.name}",
            lambda: self._assignment.claim(carried.stream, asked, wanted),
            lambda done: self._done(carried, [p for p in partitions if wanted(p.place)], done),
        )

    def _done(self, carried: Carried, partitions: list[Partition], done: Done) -> None:
        carried.asking = ""
        match done.error:
            case None:
                claims: Claims = done.result
                try:
                    self._assignment.begin(partitions, claims)
                except UnreachableError as error:
                    # Claimed in the warehouse, not read yet: it is claimed once more.
                    carried.claims.failed(error)
                    return
                carried.claims.worked()
                if carried.paused:
                    self._feed.pause([p.place for p in partitions if p.position is not None])
            case StoppedTable() as error:
                self._stop(carried, error)
            case UnreachableError() | StaleOwner() as error:
                carried.claims.failed(error)
            case error:
                raise error
