"""What a round does, drawn from the seed and the round's number alone, so that it can be repeated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

KILL, STOP = "kill", "stop"
CONSUMER, LOADER = "consumer", "loader"
SERVICES = ("connect", "kafka", "registry", "s3", "warehouse", "mysql")
PARTS = (CONSUMER, LOADER, *SERVICES)
TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")

TWO_AT_ONCE = 0.15
STOPPED = 0.35


@dataclass(frozen=True)
class Fault:
    """One part hit: killed by SIGKILL and started again, or stopped by SIGSTOP and continued.

    Seconds: `wait` from the round's begin (of a second fault: from the first) until it is hit, `away` until it is
    brought back. `table` is whose load a loader is hit in; `held` whether between COPY and the move of the position,
    else anywhere in the load's transaction.
    """

    part: str
    how: str
    wait: float
    away: float
    table: str = ""
    held: bool = False

    @property
    def kind(self) -> str:
        return f"{self.how} {self.part}"

    def __str__(self) -> str:
        where = f" in a load of {self.table}" if self.table else ""
        return f"{self.kind}{where} after {self.wait:.1f} s, away {self.away:.1f} s"


@dataclass(frozen=True)
class Round:
    """A round's faults: mostly one, sometimes two at once."""

    seed: int
    number: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"round {self.number} of seed {self.seed}: " + "; ".join(map(str, self.faults))


def draw(seed: int, number: int, without: Collection[str] = ()) -> Round:
    """The round of that number. Parts named in `without` are left out and another one is drawn in their place."""
    random = Random(f"waybill chaos {seed} {number}")
    count = 2 if random.random() < TWO_AT_ONCE else 1
    parts = [part for part in random.sample(PARTS, len(PARTS)) if part not in without][:count]
    # A loader is hit in a load: that needs the others, so it comes first.
    parts.sort(key=lambda part: part != LOADER)
    return Round(seed, number, tuple(_fault(random, part, first=not place) for place, part in enumerate(parts)))


def _fault(random: Random, part: str, first: bool) -> Fault:
    how = STOP if random.random() < STOPPED else KILL
    wait = random.uniform(0, 2.5) if first else random.uniform(0, 1)
    away = random.uniform(2, 6) if how == STOP else random.uniform(0, 2)
    if part != LOADER:
        return Fault(part, how, wait, away)
    return Fault(part, how, wait, away, random.choice(TABLES), random.random() < 0.5)
