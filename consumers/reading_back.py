"""Beside a load, what the next one will take is read back from the bucket: the warehouse does not wait for it."""

from __future__ import annotations

import pyarrow as pa

from consumers.carried import Carried
from consumers.partition import Work
from consumers.ports import Done, Lane, Warehouse
from consumers.under_way import UnderWay
from waybill.clock import Clock
from waybill.objects import StoredBatch
from waybill.stopwatch import Spent, Stopwatch

MOST_READ = 6
"""Batches of one table that are held read back. More would be memory for nothing: a load takes about four."""


class ReadingBack:
    """Only to be sooner. Whatever goes wrong here, the load reads the object itself, and says so."""

    def __init__(self, warehouse: Warehouse, under_way: UnderWay, clock: Clock) -> None:
        self._warehouse, self._under_way, self._clock = warehouse, under_way, clock

    def turn(self, carried: Carried) -> None:
        """Nothing while no load is under way: the next one is as near then as the reading."""
        if carried.asking != "load":
            return
        waiting = [work for p in carried.partitions.values() for work in p.work if work.stored and not work.taken]
        room = MOST_READ - sum(work.reading or work.read is not None for work in waiting)
        for work in waiting:
            if room > 0 and work.stored and work.stored.rows and not work.reading and work.read is None:
                room -= 1
                self._read(carried, work, work.stored)

    def _read(self, carried: Carried, work: Work, batch: StoredBatch) -> None:
        work.reading = True

        def run() -> tuple[pa.Table, dict[str, Spent]]:
            watch = Stopwatch(self._clock.monotonic)
            with watch.time("read_back"):
                table = self._warehouse.read_back(batch)
            return table, watch.spent

        def done(done: Done) -> None:
            work.reading = False
            if done.error is None:
                work.read, spent = done.result
                carried.tally.worked(spent)

        self._under_way.submit(Lane.READ_BACK, f"read back {carried.stream.name}", run, done)
