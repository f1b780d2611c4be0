"""The loop's third step: everything of a table that is stored goes into one load."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from consumers.assignment import Assignment, moved
from consumers.carried import Carried
from consumers.claiming import Stop
from consumers.messages import Place
from consumers.partition import Partition, Work
from consumers.ports import Done, Feed, Lane, Topics, Warehouse
from consumers.repairs import begin_again
from consumers.streams import Stream
from consumers.under_way import UnderWay
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError, WaybillError
from waybill.objects import StoredBatch
from waybill.positions import Loaded

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chain:
    """The batches of one partition that a load takes, and the claim under which they were stored."""

    partition: Partition
    token: object
    works: tuple[Work, ...]

    @property
    def stands(self) -> bool:
        """Is the partition still held under that claim?"""
        return self.partition.token is self.token


class Loading:
    """One load a table at a time."""

    def __init__(
        self, feed: Feed, topics: Topics, warehouse: Warehouse, assignment: Assignment, under_way: UnderWay,
        stop: Stop, clock: Clock,
    ) -> None:  # fmt: skip
        self._feed, self._topics, self._warehouse = feed, topics, warehouse
        self._assignment, self._under_way, self._stop, self._clock = assignment, under_way, stop, clock

    def turn(self, carried: Carried, now: float) -> None:
        if carried.asking or not carried.loads.over:
            return
        chains = [Chain(p, p.token, tuple(works)) for p in carried.partitions.values() if (works := p.ready)]
        if not chains:
            return
        carried.asking = "load"
        for chain in chains:
            for work in chain.works:
                carried.tally.waited("load", now - work.since)
                work.since, work.taken = now, True
        batches = [work.stored for chain in chains for work in chain.works if work.stored is not None]
        tables = {
            work.stored.batch_id: work.read
            for chain in chains
            for work in chain.works
            if work.stored is not None and work.read is not None
        }
        self._under_way.submit(
            Lane.WAREHOUSE,
            f"load {carried.stream.name}",
            lambda: self._load(carried.stream, batches, tables),
            lambda done: self._done(carried, chains, done),
        )

    def _load(self, stream: Stream, batches: list[StoredBatch], tables: Mapping[int, pa.Table]) -> Loaded:
        """On a worker's thread. Raises `UnreachableError` (load again: the ledger is asked), `StoppedTable`."""
        self._same_topic(stream, batches)
        try:
            return self._warehouse.load(stream.raw, batches, tables)
        except (UnreachableError, StoppedTable):
            raise
        except WaybillError as error:
            # Read again from Kafka under a new epoch: that mends an object that was lost or changed.
            raise StoppedTable(stream.name, error.what, kept=error.kept, todo=error.todo) from error

    def _same_topic(self, stream: Stream, batches: list[StoredBatch]) -> None:
        """After the last fetch, before the load: if the id still stands, no message came from another topic."""
        topic = stream.topic
        info = self._topics.describe([topic]).get(topic)
        if info is None:
            raise UnreachableError(f"topic {topic} is gone; what was read of it is not loaded until it is known why")
        if any(batch.topic_id != info.topic_id for batch in batches):
            raise StoppedTable(
                stream.name,
                f"the topic {topic} was deleted and made again while it was read",
                kept="what was loaded; nothing of the new topic is loaded",
                todo=begin_again(stream.name),
            )

    def _done(self, carried: Carried, chains: list[Chain], done: Done) -> None:
        carried.asking = ""
        stands = any(chain.stands for chain in chains)
        match done.error:
            case None:
                carried.loads.worked()
                self._count(carried, done.result)
                stopped = self._moved(carried, chains, done.result)
                if stopped is not None:
                    self._stop(carried, stopped)
                elif stands:
                    carried.runs()
            case StoppedTable() as error:
                if stands:
                    self._stop(carried, error)
            case UnreachableError() as error:
                carried.loads.failed(error)
            case error:
                raise error

    def _moved(self, carried: Carried, chains: list[Chain], done: Loaded) -> StoppedTable | None:
        """Move the partitions that are still held under their claim; the others are read again from where they stand.

        Answers why the table has to stop after this load, if it has.
        """
        stopped: StoppedTable | None = None
        commits: dict[Place, int] = {}
        stale = {(batch.topic, batch.partition): error for batch, error in done.stale}
        for chain in chains:
            partition = chain.partition
            if not chain.stands:
                continue
            if partition.place in stale:
                log.error("%s", stale[partition.place])
                self._assignment.lost(partition)
                continue
            for work in chain.works:
                partition.work.popleft()
                assert work.stored and work.decoded and partition.position
                partition.position = moved(partition.position, work.stored.next_offset)
                commits[partition.place] = work.stored.next_offset
                carried.tally.bytes_read += work.batch.size
                stopped = stopped or work.decoded.stopped
        if commits:
            self._feed.commit(commits)
        return stopped

    def _count(self, carried: Carried, done: Loaded) -> None:
        tally = carried.tally
        rows = sum(batch.rows for batch in done.batches)
        tally.rows += rows
        tally.batches += len(done.batches)
        tally.loads += 1
        tally.dead_letters += sum(batch.dead_letters for batch in done.batches)
        tally.bytes_stored += sum(batch.size for batch in done.batches)
        tally.worked(done.spent)
        if rows:
            log.info("%s: %d rows in %d objects loaded", carried.stream.raw, rows, len(done.batches))
