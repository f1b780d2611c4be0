"""Workers as threads: each lane has its own few, fed by a queue of its own.

How much may stand in the queues is the loop's business (one batch a partition, one warehouse task a table), so
that handing in never waits. The threads are daemons: one that a frozen service holds does not hold the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue

from consumers.ports import Done, Lane, Task


class Threads:
    """`counts`: how many threads each lane has. They begin with the first task."""

    def __init__(self, counts: Mapping[Lane, int]) -> None:
        self._counts = dict(counts)
        self._queues: dict[Lane, SimpleQueue[Task | None]] = {lane: SimpleQueue() for lane in counts}
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._begun: set[Lane] = set()

    def submit(self, task: Task) -> None:
        if task.lane not in self._begun:
            self._begun.add(task.lane)
            for number in range(self._counts[task.lane]):
                name = f"{task.lane.value}-{number + 1}"
                thread = threading.Thread(target=self._work, args=(task.lane,), name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
        self._queues[task.lane].put(task)

    def finished(self) -> list[Done]:
        found: list[Done] = []
        while True:
            try:
                found.append(self._done.get_nowait())
            except Empty:
                return found

    def close(self, seconds: float) -> None:
        """What was not begun is left out; what was begun is waited for at most so long."""
        for lane in self._begun:
            queue = self._queues[lane]
            while True:
                try:
                    queue.get_nowait()
                except Empty:
                    break
            for _ in range(self._counts[lane]):
                queue.put(None)
        limit = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, limit - time.monotonic()))

    def _work(self, lane: Lane) -> None:
        queue = self._queues[lane]
        while (task := queue.get()) is not None:
            try:
                done = Done(task, task.run())
            except BaseException as error:  # noqa: BLE001 (the loop judges it, on its own thread)
                done = Done(task, None, error)
            # Not kept alive until the next one comes.
            del task
            self._done.put(done)
            del done
