"""What was handed to the workers and has not come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consumers.ports import Done, Lane, Task, Workers


class UnderWay:
    """The loop's side of the workers: results are judged on the loop's own thread, in the order they came."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._tasks: set[Task] = set()

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def submit(self, lane: Lane, name: str, run: Callable[[], Any], then: Callable[[Done], None]) -> None:
        """Have `run` done; `then` is called with what became of it, by a later `settle`."""
        task = Task(lane, name, run, then)
        self._tasks.add(task)
        self._workers.submit(task)

    def settle(self) -> bool:
        """Take what the workers finished; False when there was nothing."""
        finished = self._workers.finished()
        for done in finished:
            self._tasks.discard(done.task)
            done.task.then(done)
        return bool(finished)

    def close(self) -> None:
        """Wait for nothing more."""
        self._workers.close(0.0)
