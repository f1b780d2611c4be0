"""One stream as this process carries it: its assigned partitions, and whether it is stopped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from consumers.messages import Place
from consumers.partition import Partition
from consumers.patience import Patience
from consumers.ports import Feed, Warehouse
from consumers.stages import Tally
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError

log = logging.getLogger(__name__)

_RESUME_AT = 0.5  # of the memory limit


@dataclass
class Carried:
    """State of one stream."""

    stream: Stream
    loads: Patience
    claims: Patience
    partitions: dict[Place, Partition] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    stopped: StoppedTable | None = None
    retry_at: float = 0.0
    paused: bool = False
    # What the warehouse was last told; None: nothing yet.
    told: str | None = None

    @classmethod
    def of(cls, stream: Stream, clock: Clock) -> Carried:
        return cls(stream, Patience(clock, f"loading {stream.name}"), Patience(clock, f"taking on {stream.name}"))

    @property
    def unclaimed(self) -> list[Partition]:
        return [p for p in self.partitions.values() if p.position is None]

    def stop(self, error: StoppedTable, feed: Feed, retry_at: float) -> None:
        """Drop what is not loaded; it is read again when the table is tried again."""
        text = str(error)
        if self.stopped is None or str(self.stopped) != text:
            log.error("%s", text)
            self.told = None
        self.stopped, self.retry_at = error, retry_at
        for partition in self.partitions.values():
            partition.drop()
        feed.pause(self.partitions)

    @property
    def quiet(self) -> bool:
        """Everything there is was read and loaded."""
        return bool(self.partitions) and all(
            p.position is not None and not p.work and 0 <= p.end <= p.position.next_offset
            for p in self.partitions.values()
        )

    def runs(self, warehouse: Warehouse, owner: str) -> None:
        """Nothing holds the table (any more)."""
        if self.stopped is not None:
            log.info("%s goes on", self.stream.name)
        self.stopped = None
        self.tell(warehouse, owner)

    def tell(self, warehouse: Warehouse, owner: str) -> None:
        """Record the state where `waybill status` reads it, once; an outage only delays it."""
        state = "running" if self.stopped is None else str(self.stopped)
        if self.told == state:
            return
        try:
            warehouse.state(self.stream.name, self.stopped, owner)
        except UnreachableError as error:
            log.debug("the state of %s is recorded later: %s", self.stream.name, error)
            return
        self.told = state

    def keep_memory(self, feed: Feed) -> None:
        """Pause the partitions while more bytes are held than the limit allows."""
        held = sum(p.size for p in self.partitions.values())
        claimed = [p.place for p in self.partitions.values() if p.position is not None]
        if not self.paused and held >= self.stream.memory:
            self.paused = True
            log.debug("%s: holds %d bytes, pauses", self.stream.name, held)
            feed.pause(claimed)
        elif self.paused and held <= self.stream.memory * _RESUME_AT:
            self.paused = False
            feed.resume(claimed)
