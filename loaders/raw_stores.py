"""The raw tables for many threads: each thread that asks gets a store, and so a warehouse session, of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from loaders.positions import Place
from loaders.raw_store import RawStore
from waybill.errors import StoppedTable
from waybill.objects import StoredBatch
from waybill.positions import Loaded, Position


class RawStores:
    """As `RawStore`. A session ends with its thread."""

    def __init__(self, make: Callable[[], RawStore]) -> None:
        self._make = make
        self._local = threading.local()

    @property
    def _own(self) -> RawStore:
        found: RawStore | None = getattr(self._local, "store", None)
        if found is None:
            found = self._local.store = self._make()
        return found

    def check(self, raw: str) -> None:
        self._own.check(raw)

    def positions(self, raw: str) -> list[Position]:
        return self._own.positions(raw)

    def claim(self, raw: str, places: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
        return self._own.claim(raw, places, owner, least_epoch)

    def read_back(self, batch: StoredBatch) -> pa.Table:
        return self._own.read_back(batch)

    def load(self, raw: str, batches: Sequence[StoredBatch], tables: Mapping[int, pa.Table]) -> Loaded:
        return self._own.load(raw, batches, tables)

    def state(self, name: str, raw: str, stopped: StoppedTable | None, by: str, held: Mapping[Place, int]) -> bool:
        return self._own.state(name, raw, stopped, by, held)
