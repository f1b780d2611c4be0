"""Seconds by stage, measured where the work is done and handed on as a plain value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple


class Spent(NamedTuple):
    """Seconds: `wall` that passed, `cpu` that the measuring thread itself used."""

    wall: float = 0.0
    cpu: float = 0.0

    def and_also(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


class Stopwatch:
    """For one piece of work on one thread. A stage that is measured again adds up."""

    def __init__(self, monotonic: Callable[[], float], cpu: Callable[[], float] = time.thread_time) -> None:
        self._monotonic, self._cpu = monotonic, cpu
        self.spent: dict[str, Spent] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Also when the block raises."""
        wall, cpu = self._monotonic(), self._cpu()
        try:
            yield
        finally:
            self.add({stage: Spent(self._monotonic() - wall, self._cpu() - cpu)})

    def add(self, spent: Mapping[str, Spent]) -> None:
        for stage, more in spent.items():
            self.spent[stage] = self.spent.get(stage, Spent()).and_also(more)
