"""A history told by hand: transactions at the source, time, cycles. After each cycle the model is compared."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from committer.summary import MartCounts, Summary
from tests.laws import model
from tests.laws.comparison import compare
from tests.laws.history import BEGAN
from tests.laws.model import DAY, Event, Key, Position
from tests.laws.shop import Shop
from tests.laws.standing import KEYS, TIMES, VALUES, rules
from waybill.addresses import Warehouse

TRACKING, ORDERS, PATH = "shop.tracking", "shop.orders", "shop.path"


@dataclass(frozen=True)
class Change:
    """One row of a transaction; `value` None: one that no row had before."""

    table: str
    key: tuple[int | None, ...]
    op: str
    time: int | None
    value: int | None = None


def put(table: str, key: int | tuple[int | None, ...] | None, time: int | None, value: int | None = None) -> Change:
    """An insert, or an update where the row is there."""
    return Change(table, key if isinstance(key, tuple) else (key,), "put", time, value)


def delete(table: str, key: int | tuple[int | None, ...], time: int | None = None) -> Change:
    """A delete; `time` is the before-image's of a row that the source never showed."""
    return Change(table, key if isinstance(key, tuple) else (key,), "d", time)


def read(table: str, key: tuple[int, ...], number: int, time: int | None, value: int = 5, at: int = BEGAN) -> Event:
    """A row of an incremental snapshot, read behind transaction `number`; it comes by `Story.load`."""
    values = dict(zip(KEYS[table], key, strict=True)) | {VALUES[table]: value, TIMES[table]: time}
    return Event(table, key, "r", (1, number, 2**63 - 1), 0, at, time, values)


class Story:
    """`now` is the simulated time, seconds since 1970; `number` the last transaction's."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.shop.rules = rules([180] * 3, ["mark"] * 3)
        self.now, self.number, self.cut_at = BEGAN, 10, BEGAN
        self.wipes: dict[str, list[tuple[Position, int]]] = {}
        self.events: list[Event] = []
        self.ends: dict[int, tuple[Counter[str], int]] = {}
        self._content = itertools.count(1)
        self._source: dict[str, dict[Key, dict[str, Any]]] = {table: {} for table in KEYS}
        self.shop.snapshot()

    def ago(self, days: float) -> int:
        return int(self.now - days * DAY)

    def pass_days(self, days: float) -> None:
        self.now += int(days * DAY)
        self.shop.clock.second = self.now

    def rule(self, table: str, **changes: Any) -> None:
        """A setting changes before the next cycle."""
        self.shop.rules[table] = replace(self.shop.rules[table], **changes)

    def commit(self, *changes: Change, load: bool = True) -> list[Event]:
        """One transaction, loaded with its END. With `load` False its rows come by `load`."""
        self.number += 1
        orders: Counter[str] = Counter()
        made = []
        for change in changes:
            orders[change.table] += 1
            position = (1, self.number, orders[change.table])
            op, values = self._apply(change)
            time = values[TIMES[change.table]]
            made.append(Event(change.table, change.key, op, position, 0, self.now, time, values))  # type: ignore[arg-type]
        if load:
            self.load(made)
        self.ends[self.number] = (orders, self.now)
        self.shop.end(self.number, orders, self.now)
        return made

    def _apply(self, change: Change) -> tuple[str, dict[str, Any]]:
        table, rows = change.table, self._source[change.table]
        before = rows.pop(change.key, None)  # type: ignore[arg-type]
        if change.op == "d" and before is not None:
            return "d", before
        values = dict(zip(KEYS[table], change.key, strict=True)) | {
            VALUES[table]: change.value or next(self._content), TIMES[table]: change.time,
        }  # fmt: skip
        if change.op != "d":
            rows[change.key] = values  # type: ignore[index]
        return (change.op if change.op == "d" else "c" if before is None else "u"), values

    def load(self, events: Sequence[Event]) -> None:
        """Rows come into raw, one batch a table; again, if they are there."""
        for table in dict.fromkeys(event.table for event in events):
            own = [event for event in events if event.table == table]
            batch = self.shop.load(table, own)
            self.events += [replace(event, written=batch * 1000 + i) for i, event in enumerate(own)]

    def wanted(self) -> dict[str, dict[Key, model.Row]]:
        """What must stand after the cut: all ENDs count as arrived."""
        whole = [e for e in self.events if None not in e.key]
        first = self.shop.first.replace("h", "_h")
        return model.state(whole, self.shop.rules, self.cut_at, first, self.wipes)

    def cycle(self) -> Summary:
        """One cycle; what stands is the model's."""
        summary = self.shop.cycle()
        self.cut_at = max([self.cut_at, *(at for _, at in self.ends.values())])
        compare(self.shop, self.wanted())
        return summary

    def place(self, table: str, key: int | tuple[int, ...]) -> str:
        """Where a key stands: '' for the mart, a half-year, or 'removed'."""
        (row,) = self.shop.stands(table)[key if isinstance(key, tuple) else (key,)]
        return row.place

    def value(self, table: str, key: int | tuple[int, ...]) -> int:
        (row,) = self.shop.stands(table)[key if isinstance(key, tuple) else (key,)]
        return int(row.values[VALUES[table]])


def counts(summary: Summary, table: str) -> MartCounts:
    """A cycle's counts for one table's mart."""
    return next(m for m in summary.marts if m.mart == f"mart_{table.split('.')[1]}")


@contextmanager
def story(server: Warehouse, template: str) -> Iterator[Story]:
    """A story in a database of its own."""
    shop = Shop(server, template, f"story_{uuid4().hex[:8]}", BEGAN)
    try:
        yield Story(shop)
    finally:
        shop.close()
