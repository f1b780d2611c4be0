"""What the cycles of this process did, added up; what other processes' cycles did is not among it."""

from __future__ import annotations

from collections.abc import Iterable

from committer.summary import Summary
from waybill import metrics as m
from waybill.metrics import Sample

_MOVED = ("archived", "trimmed", "returned", "corrected", "removed", "deleted", "invalid")


class CycleMetrics:
    """Fed with each committed cycle's summary; scraped from another thread, which may see it half added.

    The rows of `marts` are told from the start, as 0: so the first that is archived shows as an increase.
    """

    def __init__(self, marts: Iterable[str]) -> None:
        self._marked = dict.fromkeys(marts, 0)
        self._rows = {(mart, what): 0 for mart in self._marked for what in _MOVED}
        self._seconds: dict[str, float] = {}

    def add(self, summary: Summary) -> None:
        """One committed cycle more."""
        for mart in summary.marts:
            for what in _MOVED:
                self._rows[mart.mart, what] += getattr(mart, what)
            self._marked[mart.mart] += bool(mart.marked)
        for step, seconds in summary.seconds.items():
            self._seconds[step] = self._seconds.get(step, 0.0) + seconds

    def samples(self) -> Iterable[Sample]:
        """Counters; a step is told from its first cycle."""
        for (mart, what), rows in list(self._rows.items()):
            yield Sample(m.PLACED_ROWS, (mart, what), rows)
        for mart, marked in list(self._marked.items()):
            yield Sample(m.MARKED, (mart,), marked)
        for step, seconds in list(self._seconds.items()):
            yield Sample(m.STEP_SECONDS, (step,), seconds)
