"""What a consumer knows of itself, read from its loop's own state without stopping it.

The loop's thread writes, this one reads: each value is whole, two of them may be an instant apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from consumers.carried import Carried
from consumers.loop import Loop
from waybill import metrics as m
from waybill.metrics import Sample

_LETTERS = "dead letters"


class ConsumerMetrics:
    """`loop` gives the loop that runs now, None while there is none: a consumer may build another."""

    def __init__(self, loop: Callable[[], Loop | None]) -> None:
        self._loop = loop

    def samples(self) -> Iterable[Sample]:
        loop = self._loop()
        if loop is None:
            return
        for carried in list(loop.carried.values()):
            yield from _of_table(carried)
        budget: Any = getattr(loop, "budget", None)
        for part in ("poll", "idle", "turn"):
            if budget is not None:
                yield Sample(m.LOOP_SECONDS, (part,), _seconds(getattr(budget, part))[0])


def _of_table(carried: Carried) -> Iterator[Sample]:
    table, tally = carried.stream.name, carried.tally
    partitions = list(carried.partitions.values())
    for metric, value in (
        (m.ROWS, tally.rows),
        (m.BATCHES, tally.batches),
        (m.LOADS, tally.loads),
        (m.STORED_BYTES, tally.bytes_stored),
        (m.DEAD_LETTERS, tally.dead_letters),
        (m.HELD_BYTES, sum(partition.size for partition in partitions)),
        (m.MEMORY_BYTES, carried.stream.memory),
        (m.PAUSED, carried.paused),
        (m.PARTITIONS, sum(partition.position is not None for partition in partitions)),
        (m.STOPPED, carried.stopped is not None),
    ):
        yield Sample(metric, (table,), float(value))
    yield from stages(table, tally)


def stages(table: str, tally: Any) -> Iterator[Sample]:
    """Of a tally that keeps `seconds` by stage, or `work` (wall and CPU seconds by stage), `waits` and `queues`."""
    work: Mapping[str, Any] = dict(getattr(tally, "work", None) or getattr(tally, "seconds", {}))
    for stage, spent in work.items():
        wall, cpu = _seconds(spent)
        name = "letters" if stage == _LETTERS else stage
        yield Sample(m.STAGE_SECONDS, (table, name), wall)
        if cpu is not None:
            yield Sample(m.STAGE_CPU, (table, name), cpu)
    for metric, field in ((m.WAIT_SECONDS, "waits"), (m.QUEUE, "queues")):
        found: Mapping[str, float] = dict(getattr(tally, field, {}))
        for stage, value in found.items():
            yield Sample(metric, (table, stage), value)


def _seconds(spent: Any) -> tuple[float, float | None]:
    if hasattr(spent, "wall"):
        return float(spent.wall), float(spent.cpu)
    return float(spent), None
