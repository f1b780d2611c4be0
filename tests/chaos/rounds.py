"""One round: hit, bring back, catch up, compare."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.chaos.draw import Round
from tests.chaos.hands import Undo
from tests.chaos.world import World


@dataclass(frozen=True)
class Outcome:
    """What became of a round. Seconds; `caught_up` counts from the moment that everything ran again."""

    drawn: Round
    events: int
    transactions: int
    seconds: float
    caught_up: float
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        return (
            f"{self.events} row events in {self.transactions} transactions; caught up {self.caught_up} s after;"
            f" {self.seconds} s in all; {'equal' if self.passed else 'DIFFERENT'}"
        )


def broken(drawn: Round, seconds: float, error: Exception) -> Outcome:
    """A round that did not come to its comparison."""
    return Outcome(drawn, 0, 0, round(seconds, 1), 0.0, (f"broke: {type(error).__name__}: {error}",))


def run(world: World, drawn: Round) -> Outcome:
    """Do the round. Differences are an outcome; a part that does not come back is an error."""
    began = time.monotonic()
    undo: list[tuple[float, Undo]] = []
    try:
        for fault in drawn.faults:
            time.sleep(fault.wait)
            undo.append((time.monotonic() + fault.away, world.hands.hit(fault)))
    finally:
        for due, each in sorted(undo, key=lambda one: one[0]):
            time.sleep(max(0.0, due - time.monotonic()))
            each()
    world.hands.up()
    back = time.monotonic()
    events = world.read_truth()
    late = [] if world.caught_up() else ["raw did not catch up in time"]
    caught_up = time.monotonic() - back
    differences = [*late, *world.check()]
    return Outcome(
        drawn, events, len(world.last), round(time.monotonic() - began, 1), round(caught_up, 1), tuple(differences)
    )
