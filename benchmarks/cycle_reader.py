"""An analyst's queries on marts and views, one after the other in a thread of its own; how long each took."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.cycle_marts import KEPT, Filled
from warehouse.session import Session

QUERIES = {
    "one order, of all times": "SELECT * FROM settlement_ods.all_orders WHERE order_id = {id}",
    "a partner's last hours": (
        "SELECT t.state, count(*), sum(o.price) FROM settlement_ods.mart_tracking t"
        " JOIN settlement_ods.mart_orders o ON o.order_id = t.order_id"
        " WHERE t.update_time > {newest} - {few} AND t.partner_id = {partner} GROUP BY t.state"
    ),
    "states of the last hours": (
        "SELECT state, hub_id, count(*) FROM settlement_ods.mart_tracking"
        " WHERE update_time > {newest} - {few} GROUP BY state, hub_id"
    ),
}


class Reader:
    """Reads until it is told to end. `seconds` by query."""

    def __init__(self, filled: Filled) -> None:
        self._filled = filled
        self.seconds: dict[str, list[float]] = {name: [] for name in QUERIES}
        # The window holds some ten thousand rows, whatever the mart's size.
        self._few = max(1, 10_000 * KEPT // filled.size.orders)

    def once(self, session: Session, drawn: random.Random) -> None:
        for name, text in QUERIES.items():
            query = text.format(
                id=drawn.randrange(1, self._filled.size.last_id), partner=drawn.randrange(331), few=self._few,
                newest="(SELECT newest_event FROM settlement_ods.mart_rules WHERE mart = 'mart_tracking')",
            )  # fmt: skip
            began = time.monotonic()
            session.rows(query)
            self.seconds[name].append(time.monotonic() - began)

    @contextmanager
    def reading(self) -> Iterator[None]:
        ended = threading.Event()

        def read() -> None:
            drawn = random.Random(1)
            with self._filled.session("reader") as session:
                while not ended.is_set():
                    self.once(session, drawn)
                    ended.wait(0.05)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def found(self) -> dict[str, Any]:
        """Median, 95th percentile and greatest, in milliseconds, by query."""
        return {
            name: {
                "n": len(each), "p50_ms": round(statistics.median(each) * 1000, 1),
                "p95_ms": round(sorted(each)[len(each) * 95 // 100] * 1000, 1), "max_ms": round(max(each) * 1000, 1),
            }
            for name, each in self.seconds.items()
            if each
        }  # fmt: skip
