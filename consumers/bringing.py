"""The loop's second step: closed micro-batches are brought into the bucket, those of one partition in order."""

from __future__ import annotations

import logging

from consumers.carried import Carried
from consumers.claiming import Stop
from consumers.partition import Partition, Work
from consumers.ports import Done, Feed, Lane
from consumers.stages import Stages
from consumers.storing import EpochTakenError
from consumers.under_way import UnderWay
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError

log = logging.getLogger(__name__)


class Bringing:
    """One batch a partition at a time: what the batch before it found (bad messages, a rest) comes first."""

    def __init__(self, stages: Stages, feed: Feed, under_way: UnderWay, stop: Stop, clock: Clock) -> None:
        self._stages, self._feed, self._under_way, self._stop, self._clock = stages, feed, under_way, stop, clock

    def turn(self, carried: Carried, partition: Partition, now: float) -> None:
        if partition.storing or partition.position is None or not partition.patience.over:
            return
        work = partition.next_work(now)
        if work is None:
            return
        partition.storing = True
        position, bad_before, token = partition.position, partition.bad_in_a_row, partition.token
        self._under_way.submit(
            Lane.STORE,
            f"store {carried.stream.name}",
            lambda: self._stages.store(carried.stream, position, bad_before, work),
            lambda done: self._done(carried, partition, token, work, done),
        )

    def _done(self, carried: Carried, partition: Partition, token: object, work: Work, done: Done) -> None:
        partition.storing = False
        now = self._clock.monotonic()
        carried.tally.worked(work.spent)
        carried.tally.waited("store", now - work.since - sum(spent.wall for spent in work.spent.values()))
        work.since = now
        if partition.token is not token:
            return
        match done.error:
            case None:
                partition.patience.worked()
                partition.stored(work, done.result, now)
            case StoppedTable() as error:
                if not partition.stops_after(work, error):
                    self._stop(carried, error)
            case UnreachableError() as error:
                partition.patience.failed(error)
            case EpochTakenError() as error:
                log.warning("another object stands under the name %s: claims a greater epoch, reads again", error)
                partition.drop()
                self._feed.pause([partition.place])
            case error:
                raise error
