"""Pacing by the clock, and a clock that travels from the past to now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

DEBT = 5.0
"""Seconds of work that may be made up for after a delay; what is older is forgiven."""


class Pace:
    """So many row changes a second, counted from the start, so that delays do not add up.

    After a delay it runs faster until it has caught up, but forgives what is more than `DEBT` seconds behind.
    """

    def __init__(self, rate: float, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._stop = stop
        self._monotonic = monotonic
        self._start = monotonic()

    def wait(self, done: int, until: float | None = None) -> bool:
        """Wait until the next change is due after `done` ones. False if the stop or `until` (monotonic) came first."""
        if self._rate <= 0:
            return not self._stop.is_set()
        due = self._start + done / self._rate
        now = self._monotonic()
        if now - due > DEBT:
            self._start += now - due - DEBT
        if until is not None and due > until:
            self._stop.wait(max(0.0, until - now))
            return False
        if due > now:
            return not self._stop.wait(due - now)
        return not self._stop.is_set()


def travelling(
    start: float, seconds: float, real: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Callable[[], float]:
    """A clock that begins at epoch second `start` and reaches the real time after `seconds`; never ahead of it."""
    begin = monotonic()
    speed = max(1.0, (real() - start) / seconds + 1)

    def now() -> float:
        return min(real(), start + (monotonic() - begin) * speed)

    return now
