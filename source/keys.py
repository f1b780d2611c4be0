"""Which orders a writer may touch, and which numbers it may give: read once, kept by itself afterwards."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from source.databases import ORDER_TABLES
from source.transaction import Transaction

LARGEST = 2**53
"""Keys from here on, and below 1, are the seed's oddities: seldom touched, never continued."""


@dataclass
class Keys:
    """Order ids that leave the remainder `writer` when divided by `writers`, so that no two writers meet.

    `low` and `high` bound the ids there are; `high` grows as new orders are made. `waiting` holds orders whose
    tracking row is still to come.
    """

    writer: int
    writers: int
    low: int = 1
    high: int = 0
    odd: tuple[int, ...] = ()
    waiting: deque[int] = field(default_factory=deque)

    def read(self, tx: Transaction) -> None:
        """Ask the three tables for their ends: a few index look-ups."""
        low: list[int] = []
        high: list[int] = []
        for table in ORDER_TABLES:
            found = tx.first(
                f"SELECT MIN(order_id), MAX(order_id) FROM {table} WHERE order_id >= 1 AND order_id < %s", LARGEST
            )
            if found and found[0] is not None:
                low.append(int(found[0]))
                high.append(int(found[1]))
        self.low = min(low, default=1)
        self.high = max(high, default=self.low - 1)
        odd = tx.rows(
            "(SELECT order_id FROM ecs_order_info WHERE order_id < 1 ORDER BY order_id DESC LIMIT 8) UNION ALL "
            "(SELECT order_id FROM ecs_order_info WHERE order_id >= %s ORDER BY order_id LIMIT 8)",
            LARGEST,
        )
        self.odd = tuple(sorted(int(row[0]) for row in odd if self.owns(int(row[0]))))

    def owns(self, order_id: int) -> bool:
        """Whether this writer may touch the order."""
        return order_id % self.writers == self.writer

    def new(self) -> int:
        """A number nobody has; not given twice, also if its transaction is rolled back."""
        nxt = self.high + 1
        self.high = nxt + (self.writer - nxt) % self.writers
        return self.high

    def some(self, r: Random, tx: Transaction, table: str = "ecs_order_info", age: str = "recent") -> int | None:
        """An order that has a row in `table`: `recent` (mostly the newest), `old` (the older half), or `any`.

        One or two index look-ups; None if the writer has no order there.
        """
        if self.odd and r.random() < 0.004:
            return r.choice(self.odd)
        span = max(1, self.high - self.low)
        if age == "old":
            start = self.low + int(r.random() * span / 2)
        elif age == "recent":
            start = max(self.low, self.high - int(r.expovariate(20 / span)))
        else:
            start = self.low + int(r.random() * span)
        for first, last in ((start, LARGEST - 1), (self.low, start)):
            found = tx.first(
                f"SELECT order_id FROM {table} WHERE order_id >= %s AND order_id <= %s "
                "AND (%s = 1 OR MOD(order_id, %s) = %s) ORDER BY order_id LIMIT 1",
                first, last, self.writers, self.writers, self.writer,
            )  # fmt: skip
            if found:
                return int(found[0])
        return None

    def several(self, r: Random, tx: Transaction, table: str, most: int) -> list[int]:
        """Up to `most` neighbouring orders that have a row in `table`."""
        first = self.some(r, tx, table, "any")
        if first is None:
            return []
        found = tx.rows(
            f"SELECT DISTINCT order_id FROM {table} WHERE order_id >= %s AND order_id < %s "
            "AND (%s = 1 OR MOD(order_id, %s) = %s) ORDER BY order_id LIMIT %s",
            first, max(LARGEST, first + 1), self.writers, self.writers, self.writer, most,
        )  # fmt: skip
        return [int(row[0]) for row in found]
