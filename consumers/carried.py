"""One stream as this process carries it: its assigned partitions, and whether it is stopped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from consumers.messages import Place
from consumers.partition import Partition
from consumers.patience import Patience
from consumers.ports import Feed
from consumers.streams import Stream
from consumers.tally import Tally
from waybill.clock import Clock
from waybill.errors import StoppedTable

log = logging.getLogger(__name__)

_RESUME_AT = 0.5  # of the memory limit


@dataclass
class Carried:
    """State of one stream. `asking` is what the warehouse is asked for it now, '' for nothing."""

    stream: Stream
    loads: Patience
    claims: Patience
    partitions: dict[Place, Partition] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    stopped: StoppedTable | None = None
    retry_at: float = 0.0
    paused: bool = False
    paused_since: float = 0.0
    asking: str = ""
    # What the warehouse was last told; None: nothing yet.
    told: str | None = None
    tell_at: float = 0.0
    # It ran since it was last stopped: only then the warehouse is told so.
    ran: bool = False

    @classmethod
    def of(cls, stream: Stream, clock: Clock) -> Carried:
        return cls(stream, Patience(clock, f"loading {stream.name}"), Patience(clock, f"taking on {stream.name}"))

    def unclaimed(self, now: float) -> list[Partition]:
        """Partitions to claim, without those that another owner moved a moment ago."""
        return [p for p in self.partitions.values() if p.position is None and (p.lost is None or now >= p.lost.until)]

    def stop(self, error: StoppedTable, feed: Feed, retry_at: float) -> None:
        """Drop what is not loaded; it is read again when the table is tried again."""
        if self.stopped is None or str(self.stopped) != str(error):
            log.error("%s", error)
        self.stopped, self.retry_at, self.ran = error, retry_at, False
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

    def runs(self) -> None:
        """Nothing holds the table (any more)."""
        if self.stopped is not None:
            log.info("%s goes on", self.stream.name)
        self.stopped, self.ran = None, True

    def forget(self) -> None:
        """None of its partitions is here any more: how it stands is for their new owners to say."""
        self.stopped, self.retry_at, self.ran, self.told = None, 0.0, False, None

    @property
    def state(self) -> str | None:
        """What the warehouse should say of the table; None while that is not known yet."""
        if self.stopped is not None:
            return str(self.stopped)
        return "running" if self.ran else None

    @property
    def is_told(self) -> bool:
        """Does the warehouse say what is?"""
        return self.state is None or self.state == self.told

    def keep_memory(self, feed: Feed, now: float) -> None:
        """Pause the partitions while more bytes are held than the limit allows."""
        held = sum(p.size for p in self.partitions.values())
        claimed = [p.place for p in self.partitions.values() if p.position is not None]
        if not self.paused and held >= self.stream.memory:
            self.paused, self.paused_since = True, now
            log.debug("%s: holds %d bytes, pauses", self.stream.name, held)
            feed.pause(claimed)
        elif self.paused and held <= self.stream.memory * _RESUME_AT:
            self.paused = False
            self.tally.waited("memory", now - self.paused_since)
            feed.resume(claimed)
        self.tally.held = held
        self.tally.queues["store"] = sum(
            len(p.batcher.closed) + sum(work.stored is None for work in p.work)
            for p in self.partitions.values()
            if p.batcher is not None
        )
        self.tally.queues["load"] = sum(len(p.ready) for p in self.partitions.values())
