"""One assigned partition: its position, what was read of it, and the batches on their way into the warehouse.

Only the loop's thread changes it. A `Work` belongs to the storing thread while `storing` is set.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import pyarrow as pa

from consumers.batching import Batcher
from consumers.decoding import DecodedBatch
from consumers.messages import MicroBatch, Place
from consumers.patience import Patience
from consumers.storing import Written
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.errors import StoppedTable
from waybill.objects import StoredBatch
from waybill.positions import Position
from waybill.stopwatch import Spent

# Batches of one partition that are not loaded yet. With more, the open batch grows instead.
MOST_AHEAD = 6


@dataclass
class Work:
    """A micro-batch and how far it has come: each stage fills in its result, so that a retry repeats only its own.

    `since`: since when it waits for its next stage, monotonic seconds.
    """

    batch: MicroBatch
    since: float = 0.0
    decoded: DecodedBatch | None = None
    letters_sent: bool = False
    written: Written | None = None
    stored: StoredBatch | None = None
    # Its rows, read back ahead of the load; `reading`: somebody is at it. `taken`: a load has taken the batch.
    read: pa.Table | None = None
    reading: bool = False
    taken: bool = False
    spent: dict[str, Spent] = field(default_factory=dict)


@dataclass
class Lost:
    """Somebody else owns the partition: seen at this epoch and offset, to be looked at again at `until`."""

    epoch: int
    next_offset: int
    until: float


@dataclass
class Partition:
    """State of one assigned partition. `position` is None until it is claimed.

    `token` is another after every claim and every drop: what was asked for under one says nothing under the next.
    """

    stream: Stream
    place: Place
    patience: Patience
    position: Position | None = None
    batcher: Batcher | None = None
    work: deque[Work] = field(default_factory=deque)
    bad_in_a_row: int = 0
    end: int = -1
    ending: bool = False
    lost: Lost | None = None
    token: object = field(default_factory=object)
    storing: bool = False

    @classmethod
    def of(cls, stream: Stream, place: Place, clock: Clock) -> Partition:
        return cls(stream, place, Patience(clock, f"{place[0]} partition {place[1]}"))

    def claimed(self, position: Position, now: float) -> None:
        """Begin at the position; everything that was under way is dropped."""
        self.drop()
        self.position = position
        self.batcher = Batcher(self.stream.batching, position.next_offset, now)

    def drop(self) -> None:
        """Forget what is not loaded: whoever owns the partition next reads it again."""
        self.position, self.batcher, self.lost, self.token = None, None, None, object()
        self.work = deque()
        self.bad_in_a_row, self.end, self.ending = 0, -1, False

    def close_due(self, now: float, hurry: bool) -> None:
        """Close the open batch when it is old enough, or at once (`hurry`); not while one before it still waits."""
        if self.batcher is not None and not self.batcher.closed and (hurry or self.batcher.due(now)):
            self.batcher.close(now)

    def next_work(self, now: float) -> Work | None:
        """The first batch that is not stored yet; None when there is none to do."""
        for work in self.work:
            if work.stored is None:
                return work
        if self.batcher is None or self.ending or not self.batcher.closed or len(self.work) >= MOST_AHEAD:
            return None
        work = Work(self.batcher.closed.popleft(), now)
        self.work.append(work)
        return work

    def stored(self, work: Work, stored: StoredBatch, now: float) -> None:
        """The batch stands in the bucket: nothing of it is needed but what the load must know."""
        assert work.decoded is not None and self.batcher is not None
        decoded = work.decoded
        self.bad_in_a_row = decoded.bad_in_a_row
        self.ending = decoded.stopped is not None
        if decoded.rest is not None:
            self.batcher.closed.appendleft(decoded.rest)
            work.batch = replace(work.batch, size=work.batch.size - decoded.rest.size)
        work.decoded = replace(decoded, table=decoded.table.slice(0, 0), letters=[], rest=None)
        work.written, work.stored, work.since = None, stored, now

    def stops_after(self, work: Work, error: StoppedTable) -> bool:
        """Let the batches before `work` be loaded first, and the table stop then; False when there are none.

        Else no try would ever come further than they.
        """
        before = self.work[-2] if len(self.work) > 1 and self.work[-1] is work else None
        if before is None or before.decoded is None:
            return False
        self.work.pop()
        before.decoded.stopped, self.ending = before.decoded.stopped or error, True
        return True

    @property
    def ready(self) -> list[Work]:
        """Stored batches, in order, that a load may take."""
        found: list[Work] = []
        for work in self.work:
            if work.stored is None:
                break
            found.append(work)
        return found

    @property
    def size(self) -> int:
        """Bytes of messages held, wherever they are on their way."""
        if self.batcher is None:
            return 0
        return (
            self.batcher.size
            + sum(batch.size for batch in self.batcher.closed)
            + sum(work.batch.size for work in self.work)
        )
