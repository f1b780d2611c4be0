"""One history: the source's rows, what of them is in raw, and what must stand after each cycle."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.laws import model
from tests.laws.comparison import compare, compare_table
from tests.laws.model import DAY, HOUR, Event, Key, half_year
from tests.laws.shop import A, Shop
from tests.laws.standing import COLUMNS, KEYS, NOTE, TIMES, VALUES, rules
from waybill.addresses import Warehouse
from waybill.half_years import HalfYear

BEGAN = 1_709_294_400  # 1 March 2024
LAST = 2**63 - 1


class History(RuleBasedStateMachine):
    """`server` and `template` are set by the test; `seen` counts what happened, over all histories."""

    server: ClassVar[Warehouse]
    template: ClassVar[str]
    seen: ClassVar[Counter[str]] = Counter()

    def start(self, retentions: tuple[int, ...], on_delete: tuple[str, ...]) -> None:
        """An empty shop, its first snapshot taken."""
        self.shop = Shop(self.server, self.template, f"laws_{secrets.token_hex(4)}", BEGAN)
        self.shop.rules = rules(retentions, on_delete)
        self.now = BEGAN
        self.number = itertools.count(11)
        self.content = itertools.count(1)
        self.written = 0
        self.source: dict[str, dict[Key, dict[str, Any]]] = {table: {} for table in COLUMNS}
        self.raw: list[Event] = []  # written to raw, in this order
        self.transactions: list[tuple[int, int, set[str]]] = []  # number, commit time, tables whose rows are not in raw
        self.held: list[list[Event]] = []  # batches not loaded yet
        self.late: list[Event] = []  # rows that no END counts and that come by and by
        self.wipes: dict[str, list[tuple[model.Position, int]]] = {}
        self.cut, self.cut_at = 0, BEGAN
        self.events = self.cycles = 0
        self.reads: list[tuple[str, int, int]] = []  # table, last transaction before it began, when it ended
        self.without = self.returning = ""
        self.before: dict[str, dict[Key, model.Row]] = {}
        self.shop.snapshot()
        self.seen["history"] += 1

    def _change(
        self, number: int, orders: Counter[str], table: str, kind: str, order: int, seq: int, when: str
    ) -> list[Event]:
        key = (order, seq) if table == "shop.path" else (order,)
        rows = self.source[table]
        if kind == "put":
            op = "u" if key in rows else "c"
            rows[key] = self._values(table, key, self._time(when, rows.get(key), table))
            return [self._event(number, orders, table, op, key, rows[key])]
        if kind == "delete unseen" and key not in rows:
            return [
                self._event(number, orders, table, "d", key, self._values(table, key, self._time(when, None, table)))
            ]
        if key not in rows:
            return []
        gone = rows.pop(key)
        made = [self._event(number, orders, table, "d", key, gone)]
        other = (order + 10, *key[1:])
        if kind == "rekey" and other not in rows:
            rows[other] = {**gone, "order_id": order + 10}
            made.append(self._event(number, orders, table, "c", other, rows[other]))
        return made

    def _values(self, table: str, key: Key, time: int | None) -> dict[str, Any]:
        note = {NOTE: next(self.content)} if self.shop.noted else {}
        return {
            **dict(zip(KEYS[table], key, strict=True)),
            VALUES[table]: next(self.content),
            TIMES[table]: time,
            **note,
        }

    def _time(self, when: str, row: dict[str, Any] | None, table: str) -> int | None:
        border = HalfYear.parse(half_year(self.now)).first_second
        same = row[TIMES[table]] if row else self.now
        return {
            "now": self.now, "same": same, "a second ago": self.now - 1, "a week ago": self.now - 7 * DAY,
            "200 days ago": self.now - 200 * DAY, "a year ago": self.now - 370 * DAY,
            "two years ago": self.now - 740 * DAY, "border": border,
            "before border": border - 1, "1970": 100, "null": None, "in an hour": self.now + HOUR,
            "in two hours": self.now + 2 * HOUR, "in 300 days": self.now + 300 * DAY, "in a year": self.now + 365 * DAY,
        }[when]  # fmt: skip

    def _event(self, number: int, orders: Counter[str], table: str, op: str, key: Key, values: dict[str, Any]) -> Event:
        orders[table] += 1
        return Event(table, key, op, (1, number, orders[table]), 0, self.now, values[TIMES[table]], dict(values))

    def _commit(self, number: int, made: list[Event], hold: str, late: bool) -> None:
        self.events += len(made)
        missing: set[str] = set()
        if late and made:
            self.late.append(made.pop())
        counts = Counter(event.table for event in made)
        for table in counts:
            own = [event for event in made if event.table == table]
            if table == hold:
                self.held.append(own)
                missing.add(table)
                self.seen["load that lags"] += 1
            else:
                self._load(own)
        self.transactions.append((number, self.now, missing))
        self.shop.end(number, counts, self.now)

    def _load(self, events: list[Event]) -> None:
        batch = self.shop.load(events[0].table, events)
        self.raw += [
            Event(e.table, e.key, e.op, e.position, batch * 1000 + i, e.committed, e.event_time, e.values)
            for i, e in enumerate(events)
        ]

    def what_must_stand_stands(self) -> None:
        self.cycles += 1
        summary = self.shop.cycle()
        if self._owes():
            assert summary.waiting and not summary.rows_in
            return
        self._move_cut()
        for table, begun, ended in [read for read in self.reads if read[0] != self.without]:
            if all(e.position[1] <= self.cut for e in self.raw if e.table == table and e.op == "r"):
                self.wipes.setdefault(table, []).append(((1, begun, LAST) if begun else (0, 0, 1), ended))
                self.reads.remove((table, begun, ended))
        in_cut = [e for e in self.raw if e.position[1] <= self.cut]
        wanted = model.state(in_cut, self.shop.rules, self.cut_at, self.shop.first.replace("h", "_h"), self.wipes)
        if self.without:
            self._compare_without(wanted)
            return
        assert summary.gtid_set == (f"{A}:1-{self.cut}" if self.cut else f"{A}:1-10")
        assert not [m.marked for m in summary.marts if m.marked] or summary.cycle
        compare(self.shop, wanted)
        self._count(wanted)
        self.before = wanted

    def _owes(self) -> bool:
        """Are rows missing of a table that was taken back, of transactions in the cut?"""
        if not self.returning:
            return False
        if any(self.returning in missing for number, _, missing in self.transactions if number <= self.cut):
            return True
        self.returning = ""
        return False

    def _compare_without(self, wanted: dict[str, dict[Key, model.Row]]) -> None:
        """The table that is out stands as it stood; what follows it may lag behind it."""
        for table, rows in wanted.items():
            if self.without not in (table, self.shop.rules[table].follows):
                compare_table(self.shop, table, rows)

    def _move_cut(self) -> None:
        for number, committed, missing in self.transactions:
            if number <= self.cut:
                continue
            if missing - {self.without}:
                break
            self.cut, self.cut_at = number, max(self.cut_at, committed)

    def _count(self, wanted: dict[str, dict[Key, model.Row]]) -> None:
        for table, rows in wanted.items():
            for key, row in rows.items():
                old = self.before.get(table, {}).get(key)
                was, now = old.place if old else None, row.place
                self.seen["archived"] += was in (None, "") and now not in ("", "removed")
                self.seen["reactivated"] += was not in (None, "", "removed") and now == ""
                both = was not in (None, "", "removed") and now not in ("", "removed")
                self.seen["corrected in history"] += bool(both and old and old.values != row.values)
                self.seen["moved between half-years"] += bool(both and was != now)
                self.seen["removed"] += was != "removed" and now == "removed"
                self.seen["came after removal"] += was == "removed" and now != "removed"
                had = old.exception if old else ""
                self.seen["future"] += row.exception == "FUTURE_TIMESTAMP" != had
                self.seen["gap opened"] += row.exception.startswith("ARCHIVE") and not had.startswith("ARCHIVE")
                self.seen["gap healed"] += had.startswith("ARCHIVE") and not row.exception
                self.seen["deleted"] += row.gone is not None and (old is None or old.gone is None)
