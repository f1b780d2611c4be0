"""Random histories: what may happen at the source, to loads and to cycles. After each cycle the model is compared.

Expected are the five laws of section 7: conservation (each key in one place), freshness (its latest version),
placement, idempotence (a cut applied again, a window replayed), and freedom from history (the model knows no cycles).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from committer import out
from tests.laws import model
from tests.laws.history import LAST, History
from tests.laws.model import DAY, HOUR, Event, half_year
from tests.laws.shop import Killed
from tests.laws.standing import COLUMNS, KEYS, NOTE, TIMES, VALUES

LEAST_EVENTS, LEAST_CYCLES = 40, 6
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


class Histories(History):
    """What may happen in a history, in any order."""

    @initialize(
        retentions=st.tuples(*[st.sampled_from([180, 180, 180, 30])] * 3),
        passing=st.sampled_from([0, 95 * DAY, 185 * DAY]),
        removing=_TABLE,
        journey=st.tuples(_TABLE, _ORDER, _CORRECTED, st.sampled_from([False, False, False, True])),
        ages=st.tuples(*[st.tuples(*[_WHEN] * 3)] * 3),
        on_delete=st.tuples(*[st.sampled_from(["mark", "remove", "ignore"])] * 3),
    )
    def begin(
        self, passing: int, removing: str, retentions: tuple[int, ...], on_delete: tuple[str, ...],
        journey: tuple[str, int, str, bool], ages: tuple[tuple[str, ...], ...],
    ) -> None:  # fmt: skip
        deletes = dict(zip(_TABLES, on_delete, strict=True)) | {removing: "remove"}
        self.start(retentions, tuple(deletes.values()))
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
        """Of a transaction that is applied: before that, a row that its END does not count would hold the cut, and
        would hold a table that is taken back."""
        late = self.late[0] if self.late else None
        if late and late.position[1] <= self.cut and late.table not in (self.without, self.returning):
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

    @rule()
    def raw_is_trimmed(self) -> None:
        """What the marts have goes; nothing of what stands depends on it."""
        self.seen["raw rows trimmed"] += self.shop.trim()
        self.what_must_stand_stands()

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
                    Event(table, key, "r", (1, last, LAST), 0, self.now, row[TIMES[table]], dict(row))
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
                    Event(table, key, "r", (1, last, LAST), 0, self.now, row[TIMES[table]], dict(row))
                    for key, row in rows
                ]
            )
        self.shop.notify("TABLE_SCAN_COMPLETED", table)
        self.reads = [read for read in self.reads if read[0] != table] + [(table, begun, self.now)]
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
