"""How long to wait before trying again: for ever, longer each time, said now and then."""

from __future__ import annotations

import logging

from waybill.clock import Clock
from waybill.errors import WaybillError

log = logging.getLogger(__name__)

_FIRST, _MOST, _SAY_EVERY = 0.2, 10.0, 30.0  # seconds


class Patience:
    """The state of one thing that is tried again and again. `what` names it in the log."""

    def __init__(self, clock: Clock, what: str) -> None:
        self._clock = clock
        self._what = what
        self._wait = _FIRST
        self._until = 0.0
        self._since: float | None = None
        self._said = 0.0

    @property
    def over(self) -> bool:
        """May it be tried now?"""
        return self._clock.monotonic() >= self._until

    def failed(self, error: WaybillError) -> None:
        """Wait twice as long as the last time; the first failure is said, then one every half a minute."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        if now - self._said >= _SAY_EVERY or self._since == now:
            self._said = now
            log.warning("%s waits (for %.0f s so far): %s", self._what, now - self._since, error)
        self._until = now + self._wait
        self._wait = min(self._wait * 2, _MOST)

    def worked(self) -> None:
        """It succeeded: the next failure is a new one."""
        if self._since is not None:
            log.info("%s goes on after %.1f s", self._what, self._clock.monotonic() - self._since)
        self._since, self._wait, self._until = None, _FIRST, 0.0
