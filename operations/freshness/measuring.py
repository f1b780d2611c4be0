"""One run: markers are written while two threads look, then everybody waits for the last one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from operations.freshness.board import Board
from operations.freshness.looking import Looks, keep_looking
from operations.freshness.writing import Writes, write
from waybill.clock import Clock

_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Watch:
    """What looks, and how many seconds apart its looks begin."""

    look: Callable[[], None]
    every: float


@dataclass(frozen=True)
class Plan:
    """`run` names the run in tokens; seconds of writing, between markers, and of waiting after the last one at most."""

    run: str
    seconds: float = 60.0
    every: float = 0.25
    wait: float = 120.0


@dataclass(frozen=True)
class Outcome:
    """`left_out`: markers that were due while another was still written. `looks` by what was looked at."""

    left_out: int
    looks: Mapping[str, Looks]


def measure(plan: Plan, table: Writes, watches: Mapping[str, Watch], board: Board, clock: Clock) -> Outcome:
    """Returns when every marker of `board` is at every stage, or `plan.wait` is over.

    Raises what writing or a look raised, except that a look of which nobody answered is repeated.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(len(watches), "look") as pool:
        watching = {
            name: pool.submit(keep_looking, each.look, each.every, clock, stop) for name, each in watches.items()
        }
        try:
            left_out = write(table, board, plan.run, plan.seconds, plan.every, clock, lambda: _alive(watching))
            limit = clock.monotonic() + plan.wait
            while not board.complete() and clock.monotonic() < limit:
                _alive(watching)
                clock.sleep(_PAUSE_SECONDS)
        finally:
            stop.set()
        return Outcome(left_out, {name: each.result() for name, each in watching.items()})


def _alive(watching: Mapping[str, Future[Looks]]) -> None:
    """Raises what a look raised."""
    for each in watching.values():
        if each.done():
            each.result()
