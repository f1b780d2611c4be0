"""The processes under `waybill run`, as its state file tells them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from operations import state
from waybill import metrics as m
from waybill.metrics import Sample


class ProcessMetrics:
    """Of the checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def samples(self) -> Iterable[Sample]:
        run = state.read(self._root)
        for process in run.processes if run else ():
            well = process.runs or process.state == state.WAITING
            yield Sample(m.PROCESS_UP, (process.name,), float(well))
            yield Sample(m.PROCESS_RESTARTS, (process.name,), process.restarts)
