"""The stages a micro-batch goes through before it is loaded: decode, dead letters, write, put.

Each is done once; when one cannot be done now, the error leaves the results of those before it in place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from consumers.decoding import Decoding
from consumers.partition import Partition, Work
from consumers.ports import DeadLetters, Warehouse
from consumers.storing import EpochTakenError, Storing, check_same
from waybill.clock import Clock
from waybill.errors import StoppedTable


@dataclass
class Tally:
    """What was done for one table; `seconds` by stage."""

    rows: int = 0
    batches: int = 0
    loads: int = 0
    dead_letters: int = 0
    bytes_stored: int = 0
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def timed(self, clock: Clock, stage: str) -> Iterator[None]:
        began = clock.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] += clock.monotonic() - began


@dataclass
class Stages:
    """What the stages need, built once."""

    decoding: Decoding
    letters: DeadLetters
    storing: Storing
    warehouse: Warehouse
    owner: str
    clock: Clock

    def advance(self, partition: Partition, work: Work, tally: Tally) -> None:
        """Bring one batch into the bucket.

        Raises `UnreachableError` (call again later), `StoppedTable`, `StaleOwner`.
        """
        position, batcher = partition.position, partition.batcher
        if position is None or batcher is None:
            return
        if work.decoded is None:
            try:
                with tally.timed(self.clock, "decode"):
                    decoded = self.decoding.decode(
                        partition.stream, partition.place[1], work.batch, partition.bad_in_a_row
                    )
            except StoppedTable as error:
                before = partition.work[-2].decoded if len(partition.work) > 1 and partition.work[-1] is work else None
                if before is None:
                    raise
                # What stands before it is loaded first, then the table stops: else no try would ever come further.
                partition.work.pop()
                before.stopped, partition.ending = before.stopped or error, True
                return
            partition.bad_in_a_row = decoded.bad_in_a_row
            partition.ending = decoded.stopped is not None
            if decoded.rest is not None:
                batcher.closed.appendleft(decoded.rest)
                work.batch = replace(work.batch, size=work.batch.size - decoded.rest.size)
            work.decoded = decoded
            # The bytes are decoded or copied into letters: let them go, their size still counts as held.
            work.batch = replace(work.batch, messages=type(work.batch.messages)())
        if not work.letters_sent:
            with tally.timed(self.clock, "dead letters"):
                self.letters.send(work.decoded.letters, position)
            work.letters_sent = True
        if work.written is None:
            with tally.timed(self.clock, "write"):
                work.written = self.storing.write(work.decoded, position)
        with tally.timed(self.clock, "put"):
            self._put(partition, work)

    def _put(self, partition: Partition, work: Work) -> None:
        while True:
            assert partition.position and work.decoded and work.written
            try:
                work.stored = self.storing.put(partition.stream, work.decoded, work.written, partition.position)
                return
            except EpochTakenError:
                self._raise_epoch(partition)

    def _raise_epoch(self, partition: Partition) -> None:
        """A new epoch for a partition that is ours. What was stored under the old one is stored again."""
        assert partition.position
        position = partition.position
        raised = self.warehouse.claim(partition.stream.raw, [position], self.owner, position.epoch)
        partition.position = check_same(position, raised[0])
        for work in partition.work:
            work.stored = None
