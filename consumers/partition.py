"""One assigned partition: its position, what was read of it, and the batches on their way into the warehouse."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from consumers.batching import Batcher
from consumers.decoding import DecodedBatch
from consumers.messages import MicroBatch, Place
from consumers.patience import Patience
from consumers.storing import Written
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.objects import StoredBatch
from waybill.positions import Position


@dataclass
class Work:
    """A micro-batch and how far it has come: each stage fills in its result, so that a retry repeats only its own."""

    batch: MicroBatch
    decoded: DecodedBatch | None = None
    letters_sent: bool = False
    written: Written | None = None
    stored: StoredBatch | None = None


@dataclass
class Lost:
    """Somebody else owns the partition: seen at this epoch and offset, to be looked at again at `until`."""

    epoch: int
    next_offset: int
    until: float


@dataclass
class Partition:
    """State of one assigned partition. `position` is None until it is claimed."""

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
        self.position, self.batcher, self.lost = None, None, None
        self.work.clear()
        self.bad_in_a_row, self.end, self.ending = 0, -1, False

    @property
    def next_work(self) -> Work | None:
        """The first batch that is not stored yet; None when there is none to do."""
        for work in self.work:
            if work.stored is None:
                return work
        if self.batcher is None or self.ending or not self.batcher.closed:
            return None
        work = Work(self.batcher.closed.popleft())
        self.work.append(work)
        return work

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
        """Bytes of messages held."""
        if self.batcher is None:
            return 0
        return (
            self.batcher.size
            + sum(batch.size for batch in self.batcher.closed)
            + sum(work.batch.size for work in self.work)
        )
