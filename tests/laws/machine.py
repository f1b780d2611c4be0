"""Random histories: what may happen at the source, to loads and to cycles. After each cycle the model is compared.

Expected are the five laws of section 7: conservation (each key in one place), freshness (its latest version),
placement, idempotence (a cut applied again, a window replayed), and freedom from history (the model knows no cycles).
"""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from committer import out
from tests.laws import model
from tests.laws.comparison import compare, compare_table
from tests.laws.model import DAY, HOUR, Event, Key, half_year
from tests.laws.shop import COLUMNS, KEYS, MART, NOTE, TIMES, VALUES, A, Killed, Shop, rules
from waybill.addresses import Warehouse

BEGAN = 1_709_294_400  # 1 March 2024
LEAST_EVENTS, LEAST_CYCLES = 40, 6
_LAST = 2**63 - 1
_TABLES = tuple(COLUMNS)
_TABLE = st.sampled_from(_TABLES)
_ORDER = st.integers(1, 5)
_WHEN = st.sampled_from(
    ["now", "now", "now", "now", "same", "a second ago", "a week ago", "200 days ago", "a year ago", "two years ago",
     "border", "before border", "1970", "null", "in an hour", "in two hours", "in 300 days", "in a year"]
)  # fmt: skip
_CORRECTED = st.sampled_from(["200 days ago", "a year ago", "a year ago", "before border", "now", "null"])
_KIND = st.sampled_from(["put", "put", "put", "put", "delete", "rekey", "delete unseen"])
_CHANGE = st.tuples(_TABLE, _KIND, _ORDER, st.integers(1, 3), _WHEN)
_STEP = st.sampled_from(
    [0, 1, 1, 60, HOUR, DAY, 7 * DAY, 30 * DAY, 95 * DAY, 95 * DAY, 185 * DAY, 185 * DAY, 370 * DAY]
)


class Histories(RuleBasedStateMachine):
    """One history. `server` and `template` are set by the test; `seen` counts what happened, over all of them."""

    server: ClassVar[Warehouse]
    template: ClassVar[str]
    seen: ClassVar[Counter[str]] = Counter()

    @initialize(
        retentions=st.tuples(*[st.sampled_from([180, 180, 180, 30])] * 3),
        passing=st.sampled_from([0, 95 * DAY, 185 * DAY]),
        journey=st.tuples(_TABLE, _ORDER, _CORRECTED, st.sampled_from([False, False, True])),
        ages=st.tuples(*[st.tuples(*[_WHEN] * 3)] * 3),
        on_delete=st.tuples(*[st.sampled_from(["mark", "remove", "ignore"])] * 3),
    )
    def begin(
        self, passing: int, retentions: tuple[int, ...], on_delete: tuple[str, ...],
        journey: tuple[str, int, str, bool], ages: tuple[tuple[str, ...], ...],
    ) -> None:  # fmt: skip
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
        for order in range(1, 4):
            number, orders = next(self.number), Counter[str]()
            made = [
                event
                for table, when in zip(_TABLES, ages[order - 1], strict=True)
                for event in self._change(number, orders, table, "put", order, 1, when)
            ]
            self._commit(number, made, "", False)
        self.what_must_stand_stands()
        table, order, when, again = journey
        self._an_archived_row(table, order)
        self.time_passes(passing)
        self.an_archived_row_is_corrected(order, when)
        self.a_window_is_replayed(table, order, 5, order % 2 == 0)
        self.a_removed_row_is_replayed(order, again)
        self.an_excepted_row_is_corrected(order, when)

    def _an_archived_row(self, table: str, order: int) -> None:
        """A row goes to history; an order's goes there with its tracking row."""
        for one in dict.fromkeys(("shop.tracking", table)):
            number = next(self.number)
            self._commit(number, self._change(number, Counter(), one, "put", order, 1, "a year ago"), "", False)
        number = next(self.number)
        self._commit(number, self._change(number, Counter(), "shop.tracking", "put", 9, 1, "now"), "", False)
        self.what_must_stand_stands()

    # The source.

    @rule(seconds=_STEP)
    def time_passes(self, seconds: int) -> None:
        before = half_year(self.now)
        self.now += seconds
        self.shop.clock.second = self.now
        if half_year(self.now) != before:
            self.seen["half-year border crossed"] += 1

    @rule(
        changes=st.lists(_CHANGE, min_size=1, max_size=5),
        hold=st.sampled_from([*_TABLES, "", "", ""]),
        late=st.integers(0, 9),
    )
    def transaction(self, changes: list[tuple[str, str, int, int, str]], hold: str, late: int) -> None:
        """One transaction over several tables. The batch of table `hold` is loaded later; with `late` 0 one row of it
        is counted by no END and comes even later (as a dead letter that is redriven)."""
        number, made = next(self.number), []
        orders: Counter[str] = Counter()
        for table, kind, order, seq, when in changes:
            made += self._change(number, orders, table, kind, order, seq, when)
        self._commit(number, made, hold, late == 0)

    @rule(order=_ORDER, when=_WHEN)
    def order_arrives_before_its_tracking_row(self, order: int, when: str) -> None:
        for table in ("shop.orders", "shop.tracking"):
            number = next(self.number)
            self._commit(number, self._change(number, Counter(), table, "put", order, 1, when), "", False)

    @rule(order=_ORDER)
    def order_comes_back(self, order: int) -> None:
        """A tracking row is written to now, however old it was."""
        number = next(self.number)
        self._commit(number, self._change(number, Counter(), "shop.tracking", "put", order, 1, "now"), "", False)

    @rule(which=st.integers(0, 30), when=_CORRECTED)
    def an_archived_row_is_corrected(self, which: int, when: str) -> None:
        self._correct(which, when, lambda row: row.place not in ("", "removed"))

    @rule(which=st.integers(0, 30), when=st.sampled_from(["now", "200 days ago", "in an hour"]))
    def an_excepted_row_is_corrected(self, which: int, when: str) -> None:
        self._correct(which, when, lambda row: bool(row.exception))

    def _correct(self, which: int, when: str, chosen: Callable[[model.Row], bool]) -> None:
        found = [
            (table, key)
            for table, rows in self.before.items()
            for key, row in rows.items()
            if chosen(row) and key in self.source[table]
        ]
        if found:
            table, key = found[which % len(found)]
            number = next(self.number)
            self._commit(number, self._change(number, Counter(), table, "put", key[0], key[-1], when), "", False)
            self.what_must_stand_stands()

    @rule(which=st.integers(0, 30), again=st.booleans())
    def a_removed_row_is_replayed(self, which: int, again: bool) -> None:
        """All events of one row are written again after it was removed, perhaps after it came back."""
        found = [
            (table, key)
            for table, rows in self.source.items()
            for key in rows
            if self.shop.rules[table].on_delete == "remove"
        ]
        if not found:
            tables = [table for table in _TABLES if self.shop.rules[table].on_delete == "remove"]
            if not tables:
                return
            table, key = tables[which % len(tables)], (which % 5 + 1, 1)[: len(KEYS[tables[which % len(tables)]])]
            number = next(self.number)
            self._commit(number, self._change(number, Counter(), table, "put", key[0], key[-1], "now"), "", False)
            found = [(table, key)]
        table, key = found[which % len(found)]
        for kind in ("delete", "put")[: 1 + again]:
            number = next(self.number)
            self._commit(number, self._change(number, Counter(), table, kind, key[0], key[-1], "now"), "", False)
        self.what_must_stand_stands()
        own = [e for e in self.raw if (e.table, e.key) == (table, key) and e.position[1] <= self.cut]
        if own:
            row = self.before.get(table, {}).get(key)
            self.seen["removed and replayed"] += row is not None and row.place == "removed"
            self._load(own)
            self.what_must_stand_stands()

    @rule(table=_TABLE, order=_ORDER)
    def twice_in_a_second(self, table: str, order: int) -> None:
        number, orders = next(self.number), Counter[str]()
        made = self._change(number, orders, table, "put", order, 1, "now")
        made += self._change(number, orders, table, "put", order, 1, "same")
        self._commit(number, made, "", False)

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
        border = model_border(self.now)
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

    # Loads.

    @rule()
    def what_was_held_back_is_loaded(self) -> None:
        for own in self.held:
            self._load(own)
            for number, _, missing in self.transactions:
                if number == own[0].position[1]:
                    missing.discard(own[0].table)
        self.held.clear()

    @rule()
    def a_late_row_is_loaded(self) -> None:
        if self.late:
            event = self.late.pop(0)
            self._load([event])
            self.seen["late row"] += 1

    @rule(table=_TABLE, first=st.integers(0, 30), length=st.integers(1, 30), backwards=st.booleans())
    def a_window_is_replayed(self, table: str, first: int, length: int, backwards: bool) -> None:
        """Rows that were applied are written again, at new offsets: nothing changes."""
        own = [e for e in self.raw if e.table == table and e.position[1] <= self.cut]
        if not own:
            return
        own = own[first % len(own) :][:length]
        self._load(own[::-1] if backwards else own)
        self.seen["replay"] += 1
        if any(self.before.get(table, {}).get(e.key, model.Row("", {}, None)).place == "removed" for e in own):
            self.seen["removed and replayed"] += 1
        self.cycle()

    @rule(table=_TABLE, which=st.integers(0, 30), when=_WHEN)
    def a_wrong_row_is_repaired(self, table: str, which: int, when: str) -> None:
        """An event read again by a better decoder, at the position it had: it replaces what stood there."""
        own = [e for e in self.raw if e.table == table and e.position[1] <= self.cut and e.op != "d"]
        if not own:
            return
        old = own[which % len(own)]
        values = {**old.values, VALUES[table]: next(self.content)}
        self._load([Event(old.table, old.key, old.op, old.position, 0, old.committed, old.event_time, values)])
        if self.source[table].get(old.key) == old.values:
            self.source[table][old.key] = dict(values)
        self.seen["repaired"] += 1

    @rule(table=_TABLE, orders=st.sets(_ORDER, max_size=4))
    def some_rows_are_read_again(self, table: str, orders: set[int]) -> None:
        """An incremental snapshot of some rows: they come as they are, behind the latest transaction."""
        rows = [(key, row) for key, row in self.source[table].items() if key[0] in orders]
        last = max((number for number, _, _ in self.transactions), default=0)
        if rows and last:
            self._load(
                [
                    Event(table, key, "r", (1, last, _LAST), 0, self.now, row[TIMES[table]], dict(row))
                    for key, row in rows
                ]
            )
            self.seen["read again"] += 1

    @rule(table=_TABLE, order=_ORDER, lost=st.booleans())
    def a_table_is_read_again_whole(self, table: str, order: int, lost: bool) -> None:
        """An incremental snapshot of the table; a row that MySQL lost without an event is not in it, and is gone."""
        if self.held or self.without:
            return
        key = (order, 1)[: len(KEYS[table])]
        if lost and self.source[table].pop(key, None) is not None:
            self.seen["lost without an event"] += 1
        self.shop.notify("STARTED", table)
        begun = max((n for n, committed, _ in self.transactions if committed < self.now), default=0)
        last = max((number for number, _, _ in self.transactions), default=0)
        rows = list(self.source[table].items())
        if last and rows:
            self._load(
                [
                    Event(table, key, "r", (1, last, _LAST), 0, self.now, row[TIMES[table]], dict(row))
                    for key, row in rows
                ]
            )
        self.shop.notify("TABLE_SCAN_COMPLETED", table)
        self.reads.append((table, begun, self.now))
        self.seen["table read again"] += 1
        self.what_must_stand_stands()

    # Going on without a table.

    @rule(table=_TABLE)
    def cycles_go_on_without_a_table(self, table: str) -> None:
        if self.without:
            return
        out.leave_out(self.shop.session, table, _TABLES, "drawn", "the machine")
        self.without = table
        self.seen["went on without a table"] += 1
        self.what_must_stand_stands()

    @rule(now=st.booleans())
    def the_table_is_taken_back(self, now: bool) -> None:
        if not self.without:
            return
        if now:
            self.what_was_held_back_is_loaded()
        out.take_back(self.shop.session, self.without)
        self.returning, self.without = self.without, ""
        self.what_must_stand_stands()

    # Settings.

    @rule(table=st.sampled_from(["shop.tracking", "shop.path"]), days=st.sampled_from([20, 90, 180, 400]))
    def the_retention_is_changed(self, table: str, days: int) -> None:
        old = self.shop.rules[table]
        self.shop.rules[table] = model.Rules(days * DAY, old.on_delete, old.follows, old.gap)
        self.seen["retention changed"] += days * DAY != old.retention

    @rule(table=_TABLE, chance=st.integers(0, 3))
    def mark_becomes_remove(self, table: str, chance: int) -> None:
        old = self.shop.rules[table]
        if chance == 0 and old.on_delete != "remove":
            self.shop.rules[table] = model.Rules(old.retention, "remove", old.follows, old.gap)
            self.seen["on_delete changed"] += 1

    @rule(chance=st.integers(0, 4))
    def the_first_half_year_is_lowered(self, chance: int) -> None:
        if chance == 0 and self.shop.first > "2022h1":
            self.shop.first = "2022h2" if self.shop.first > "2022h2" else "2022h1"
            self.seen["first half-year lowered"] += 1

    @rule()
    def a_column_is_added(self) -> None:
        if not self.shop.noted and not self.held and not self.late:
            self.shop.add_column()
            for rows in self.source.values():
                for row in rows.values():
                    row[NOTE] = 7
            self.seen["column added"] += 1

    # Cycles.

    @rule()
    def cycle(self) -> None:
        self.what_must_stand_stands()

    @rule()
    def cycle_soon_again(self) -> None:
        self.what_must_stand_stands()

    @rule(statement=st.integers(1, 260))
    def a_cycle_is_killed(self, statement: int) -> None:
        before = self.shop.as_of()
        try:
            self.shop.cycle(statement)
        except Killed:
            self.seen["killed"] += 1
            assert self.shop.as_of() == before
        self.what_must_stand_stands()

    @rule()
    def the_cut_is_applied_again(self) -> None:
        self.shop.apply_all_again()
        self.seen["cut applied again"] += 1
        self.what_must_stand_stands()

    def what_must_stand_stands(self) -> None:
        self.cycles += 1
        summary = self.shop.cycle()
        if self._owes():
            assert summary.waiting and not summary.rows_in
            return
        self._move_cut()
        for table, begun, ended in [read for read in self.reads if read[0] != self.without]:
            if all(e.position[1] <= self.cut for e in self.raw if e.table == table and e.op == "r"):
                self.wipes.setdefault(table, []).append(((1, begun, _LAST) if begun else (0, 0, 1), ended))
                self.reads.remove((table, begun, ended))
        in_cut = [e for e in self.raw if e.position[1] <= self.cut]
        wanted = model.state(in_cut, self.shop.rules, self.cut_at, half_of(self.shop.first), self.wipes)
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

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        try:
            self._long_enough()
        finally:
            self.shop.close()

    def _long_enough(self) -> None:
        """At least so many events and cycles a history."""
        turn = 0
        while self.events < LEAST_EVENTS or self.cycles < LEAST_CYCLES:
            turn += 1
            for order in range(1, 5):
                for table in _TABLES:
                    number = next(self.number)
                    self._commit(
                        number, self._change(number, Counter(), table, "put", order, turn % 3, "now"), "", False
                    )
            self.time_passes(60 * DAY)
            self.what_must_stand_stands()
        self.what_was_held_back_is_loaded()
        self.the_table_is_taken_back(True)
        self.what_must_stand_stands()
        self.seen["events"] += self.events
        self.seen["cycles"] += self.cycles


def half_of(first: str) -> str:
    return first.replace("h", "_h")


def model_border(second: int) -> int:
    """The first second of the half-year."""
    from waybill.half_years import HalfYear

    return HalfYear.parse(half_year(second)).first_second


__all__ = ["BEGAN", "MART", "Histories"]
