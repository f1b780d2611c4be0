"""What a consumer did and where its time went. Written by the loop's thread alone; any other thread may read it.

`work` is time that a stage worked, `waits` time that something stood still in front of a stage: the stage with the
longest wait in front of it is the slow one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from waybill.stopwatch import Spent

# In the order in which a micro-batch goes through them.
STAGES = ("decode", "letters", "write", "put", "read_back", "load")
# store: closed batches waited to be decoded; load: stored ones to be loaded; memory: reading stood still meanwhile.
WAITS = ("store", "load", "memory")
QUEUES = ("store", "load")


@dataclass
class Tally:
    """One table. Rows, bytes and so on of what is loaded; `bytes_stored` of its Parquet objects.

    `queues` is how many batches stand in front of a stage now, `held` the bytes of messages held now.
    """

    rows: int = 0
    batches: int = 0
    loads: int = 0
    dead_letters: int = 0
    bytes_stored: int = 0
    bytes_read: int = 0
    held: int = 0
    work: dict[str, Spent] = field(default_factory=lambda: dict.fromkeys(STAGES, Spent()))
    waits: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WAITS, 0.0))
    queues: dict[str, int] = field(default_factory=lambda: dict.fromkeys(QUEUES, 0))

    def worked(self, spent: Mapping[str, Spent]) -> None:
        """Add what a finished piece of work measured."""
        for stage, more in spent.items():
            self.work[stage] = self.work[stage].and_also(more)

    def waited(self, stage: str, seconds: float) -> None:
        self.waits[stage] += seconds

    def shown(self) -> dict[str, object]:
        """Plain values, seconds rounded to milliseconds."""
        return {
            "rows": self.rows, "batches": self.batches, "loads": self.loads, "dead_letters": self.dead_letters,
            "bytes": self.bytes_stored, "bytes_read": self.bytes_read,
            "seconds": {stage: round(spent.wall, 3) for stage, spent in self.work.items()},
            "cpu_seconds": {stage: round(spent.cpu, 3) for stage, spent in self.work.items()},
            "waited": {stage: round(seconds, 3) for stage, seconds in self.waits.items()},
            "queues": dict(self.queues),
        }  # fmt: skip


@dataclass
class Budget:
    """The loop's own time. `poll`: taking messages from Kafka; `turn`: deciding; `idle`: nothing arrived."""

    poll: Spent = field(default_factory=Spent)
    idle: Spent = field(default_factory=Spent)
    turn: Spent = field(default_factory=Spent)

    def polled(self, spent: Spent, arrived: int) -> None:
        """A poll that brought something, or nothing."""
        if arrived:
            self.poll = self.poll.and_also(spent)
        else:
            self.idle = self.idle.and_also(spent)

    def shown(self) -> dict[str, dict[str, float]]:
        """Plain values, seconds rounded to milliseconds."""
        return {
            "seconds": {name: round(getattr(self, name).wall, 3) for name in ("poll", "idle", "turn")},
            "cpu_seconds": {name: round(getattr(self, name).cpu, 3) for name in ("poll", "idle", "turn")},
        }


def slowest(tallies: Mapping[str, Tally]) -> str:
    """Where most time was waited, as `TABLE: STAGE`; '' when nothing waited."""
    found = max(
        ((seconds, f"{name}: {stage}") for name, tally in tallies.items() for stage, seconds in tally.waits.items()
         if stage != "memory"),
        default=(0.0, ""),
    )  # fmt: skip
    return found[1] if found[0] > 0 else ""
