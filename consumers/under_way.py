"""What was handed to the workers and has not come back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from consumers.ports import Done, Lane, Task, Workers
from waybill.clock import Clock

log = logging.getLogger(__name__)

_LONG, _SAY_EVERY = 15.0, 30.0  # seconds
_ASKED = {
    Lane.STORE: "S3, the schema registry, the warehouse or Kafka",
    Lane.READ_BACK: "S3",
    Lane.WAREHOUSE: "the warehouse, or S3 where objects are read back",
    Lane.ASK: "Kafka or the warehouse",
}


class UnderWay:
    """The loop's side of the workers: results are judged on the loop's own thread, in the order they came.

    A service that stands still raises nothing. What has no answer for long is said, then every half a minute.
    """

    def __init__(self, workers: Workers, clock: Clock) -> None:
        self._workers, self._clock = workers, clock
        self._since: dict[Task, float] = {}
        self._said: float | None = None
        self._oldest = 0.0

    def __bool__(self) -> bool:
        return bool(self._since)

    def submit(self, lane: Lane, name: str, run: Callable[[], Any], then: Callable[[Done], None]) -> None:
        """Have `run` done; `then` is called with what became of it, by a later `settle`."""
        task = Task(lane, name, run, then)
        self._since[task] = self._clock.monotonic()
        self._workers.submit(task)

    def settle(self) -> bool:
        """Take what the workers finished; False when there was nothing."""
        finished = self._workers.finished()
        for done in finished:
            self._since.pop(done.task, None)
            done.task.then(done)
        self._say_what_stands_still()
        return bool(finished)

    def close(self) -> None:
        """Wait for nothing more."""
        self._workers.close(0.0)

    def _say_what_stands_still(self) -> None:
        now = self._clock.monotonic()
        late = [task for task, since in self._since.items() if now - since >= _LONG]
        if not late:
            if self._said is not None:
                log.info("what stood still was answered after %.0f s", now - self._oldest)
            self._said = None
            return
        if self._said is not None and now - self._said < _SAY_EVERY:
            return
        self._said, self._oldest = now, min(self._since[task] for task in late)
        names = ", ".join(sorted({task.name for task in late}))
        asked = "; ".join(dict.fromkeys(_ASKED[task.lane] for task in late))
        log.warning(
            "no answer for %.0f s: %s (asked: %s); it is waited for, nothing is lost: what is not loaded is in Kafka",
            now - self._oldest, names, asked,
        )  # fmt: skip
