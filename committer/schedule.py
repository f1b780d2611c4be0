"""When cycles run: at cron ticks, or as soon as there is something. A missed tick is not made up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from cronsim import CronSim

from committer.summary import Summary
from waybill.clock import Clock
from waybill.errors import RefusedError, StaleOwner, WaybillError

log = logging.getLogger("committer")

Run = Callable[[], Summary]
Report = Callable[[Summary], None]


def next_tick(expression: str, after: datetime) -> datetime:
    """The next time the cron expression names, strictly after `after`."""
    return next(CronSim(expression, after))


def by_cron(expression: str, cycle: Run, report: Report, clock: Clock, stop: threading.Event) -> None:
    """Run cycles at the ticks until `stop` is set. A failed cycle is logged; the next tick tries again."""
    while not stop.is_set():
        tick = next_tick(expression, clock.now())
        while not stop.is_set() and clock.now() < tick:
            stop.wait(min(1.0, max((tick - clock.now()).total_seconds(), 0.01)))
        if not stop.is_set():
            _attempt(cycle, report)


def continuously(
    floor_seconds: float, news: Callable[[], bool], cycle: Run, report: Report, clock: Clock, stop: threading.Event
) -> None:
    """A cycle as soon as there is `news`, none sooner than `floor_seconds` after another began, until `stop` is set."""
    while not stop.is_set():
        began = clock.monotonic()
        if news():
            _attempt(cycle, report)
        stop.wait(max(0.0, floor_seconds - (clock.monotonic() - began)))


def _attempt(cycle: Run, report: Report) -> None:
    try:
        report(cycle())
    except (RefusedError, StaleOwner) as error:
        log.warning("no cycle: %s", error)
    except WaybillError as error:
        log.error("the cycle failed: %s", error)
