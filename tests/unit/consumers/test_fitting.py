"""Rows find the columns of their own time, and wait for the statements that shaped their table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from consumers.fitting import Fitting
from consumers.messages import Place
from consumers.ports import Ends, TopicInfo
from tests.unit.consumers.parcel import STREAM
from tests.unit.consumers.world import Time
from waybill.errors import StoppedTable, UnreachableError
from waybill.source_changes.compare import differences
from waybill.source_changes.history import Entry, History, Moment, Open, Version
from waybill.source_changes.plan import next_version
from waybill.source_changes.statement import read
from waybill.types import SourceColumn

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
ID, A = SourceColumn("id", "BIGINT", nullable=False), SourceColumn("a", "INT")


class Known:
    """What the warehouse and Kafka would say."""

    def __init__(self, history: History) -> None:
        self.answer, self.end, self.reached, self.pause, self.asked = history, 3, 3, "", 0
        self.decided: set[str] = set()

    def loaded(self) -> tuple[str, int]:
        return "id", self.reached

    def paused(self, table: str) -> str:
        return self.pause

    def advance(self, table: str) -> History:
        self.asked += 1
        return self.answer

    def unexplained(self, table: str, columns: Sequence[SourceColumn], began: Moment) -> History:
        return self.answer

    def truncated(self, table: str, gtid: str, began: Moment) -> bool:
        return gtid in self.decided

    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        return {name: TopicInfo("id", 1) for name in names}

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        return {place: Ends(0, self.end) for place in places}


def history(*ddls: tuple[int, str, Sequence[SourceColumn]]) -> History:
    """(number of the GTID, statement, the columns after it)."""
    entries = tuple(Entry(c, c.warehouse_name, place, None, 0) for place, c in enumerate((ID, A)))
    found = History(STREAM.name, entries, (Version(0, Moment()),))
    for number, ddl, columns in ddls:
        statement = read(ddl, "kuaisong")
        changes = differences([e.column for e in found.current], columns, statement)
        found, _ = next_version(found, changes, columns, statement.constants, Moment(f"{UUID}:{number}"))
    return found


def rows(*numbers: int, **columns: Sequence[Any]) -> pa.Table:
    at = datetime(2026, 1, 1)  # noqa: DTZ001
    return pa.table(
        {
            "_offset": list(range(len(numbers))), "_gtid": [f"{UUID}:{n}" for n in numbers],
            "_committed_at": [at] * len(numbers), **columns,
        }
    )  # fmt: skip


def fitting(known: Known) -> Fitting:
    return Fitting(known, known, "waybill", Time())


def test_rows_older_than_a_column_read_its_constant_and_rows_after_its_drop_null() -> None:
    z = SourceColumn("z", "INT")
    known = Known(
        history((10, "ALTER TABLE parcel ADD z int DEFAULT 7", [ID, A, z]), (20, "ALTER TABLE parcel DROP z", [ID, A]))
    )
    found = fitting(known).fit(STREAM, [ID, A], rows(5, 25, 9, id=[1, 2, 3], a=[1, 1, 1]))
    assert sorted(zip(found["id"].to_pylist(), found["z"].to_pylist(), strict=True)) == [(1, 7), (2, None), (3, 7)]
    between = fitting(known).fit(STREAM, [ID, A, z], rows(15, id=[4], a=[1], z=[3]))
    assert between["z"].to_pylist() == [3]


def test_rows_of_a_column_that_was_added_again_go_into_the_new_one_and_old_ones_into_the_old() -> None:
    known = Known(
        history((10, "ALTER TABLE parcel DROP a", [ID]), (20, "ALTER TABLE parcel ADD a int", [ID, A]))
    )  # fmt: skip
    found = fitting(known).fit(STREAM, [ID, A], rows(5, 25, id=[1, 2], a=[11, 22])).sort_by("id").to_pydict()
    assert (found["a__dropped_1"], found["a"]) == ([11, None], [None, 22])


def test_rows_wait_until_every_statement_that_stands_in_kafka_is_loaded() -> None:
    known = Known(history())
    known.reached = 2
    fit = fitting(known)
    with pytest.raises(UnreachableError, match="up to offset 2 of 3"):
        fit.fit(STREAM, [ID, A], rows(5, id=[1], a=[1]))
    known.reached = 3
    for _ in range(3):
        fit.fit(STREAM, [ID, A], rows(5, id=[1], a=[1]))
    assert known.asked == 1
    known.end = known.reached = 4
    fit.fit(STREAM, [ID, A], rows(5, id=[1], a=[1]))
    assert known.asked == 2


def test_a_shape_that_waits_for_a_decision_stops_the_table_and_names_the_choice() -> None:
    known = Known(history())
    before = known.answer
    b = SourceColumn("b", "INT")
    waiting = Open(2, "schema", Moment(), "the column 'a' INT was renamed to 'b' INT", "ALTER TABLE parcel RENAME ...")
    known.answer = History(before.table, before.entries, before.versions, (waiting,))
    fit = fitting(known)
    with pytest.raises(StoppedTable, match="'a' INT was renamed to 'b' INT") as stopped:
        fit.fit(STREAM, [ID, b], rows(5, id=[1], b=[1]))
    assert "--take" in stopped.value.todo and "--read-again" in stopped.value.todo
    fit.fit(STREAM, [ID, A], rows(4, id=[1], a=[1]))
    known.answer = history((5, "ALTER TABLE parcel RENAME COLUMN a TO b", [ID, b]))
    assert fit.fit(STREAM, [ID, b], rows(5, id=[1], b=[1]))["b"].to_pylist() == [1]
    fit.forget(STREAM.name)
    assert fit.fit(STREAM, [ID, A], rows(4, id=[1], a=[6]))["b"].to_pylist() == [6]


def test_a_paused_table_and_a_truncate_stop_and_go_on() -> None:
    known = Known(history())
    fit = fitting(known)
    known.pause = "paused by me"
    with pytest.raises(StoppedTable, match="paused by me"):
        fit.fit(STREAM, [ID, A], rows(5, id=[1], a=[1]))
    moment = Moment(f"{UUID}:6")
    assert fit.truncated(STREAM, moment, 0, 1) is not None
    known.decided.add(moment.gtid)
    assert fit.truncated(STREAM, moment, 0, 1) is None
