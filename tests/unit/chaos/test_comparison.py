"""Every kind of damage to raw is found, and named."""

from __future__ import annotations

from dataclasses import replace

from tests.chaos.comparison import ends_against_truth, rows_against_truth
from tests.chaos.events import RowEvent, Transaction
from tests.chaos.raw import RawRow

TABLE = "shop.path"


def event(number: int, order: int, key: str = "1", op: str = "u", note: str | None = "a") -> RowEvent:
    return RowEvent(TABLE, number, order, op, (key,), {"order_id": key, "note": note})


def row(of: RowEvent, offset: int, partition: int = 0) -> RawRow:
    return RawRow(of, "topic", 1, partition, offset)


TRUTH = [event(7, 1), event(7, 2, "2"), event(8, 1), event(9, 1, op="d")]
RAW = [row(each, 10 + place) for place, each in enumerate(TRUTH)]


def differences(raw: list[RawRow]) -> str:
    return "\n".join(rows_against_truth(TABLE, TRUTH, raw))


def test_equal_is_equal_in_whatever_order_the_warehouse_answers() -> None:
    assert differences(RAW[::-1]) == ""


def test_a_lost_event_is_named() -> None:
    assert differences(RAW[:2] + RAW[3:]) == "lost: shop.path u 1 of GTID number 8, event 1"


def test_an_event_that_stands_twice_is_named_at_both_places() -> None:
    found = differences([*RAW, row(TRUTH[1], 99)])
    assert "2 times" in found
    assert "offset 11" in found
    assert "offset 99" in found


def test_two_rows_of_one_place_are_named() -> None:
    assert "2 rows of shop.path at (1, 'topic', 0, 12)" in differences([*RAW[:3], row(TRUTH[3], 12)])


def test_what_the_binlog_does_not_hold_is_named() -> None:
    assert "not in the binlog: shop.path c 5 of GTID number 8, event 2" in differences(
        [*RAW, row(event(8, 2, "5", "c"), 20)]
    )


def test_another_value_is_named_and_null_is_not_the_text() -> None:
    found = differences([*RAW[:3], row(event(9, 1, op="d", note=None), 13)])
    assert found == "shop.path d 1 of GTID number 9, event 1: note is 'a', in raw NULL"


def test_another_operation_or_key_is_named() -> None:
    assert "is in raw as shop.path c 1" in differences([*RAW[:3], row(event(9, 1, op="c"), 13)])
    assert "is in raw as shop.path d 3" in differences([*RAW[:3], row(event(9, 1, "3", op="d"), 13)])


def test_two_events_of_one_key_that_changed_places_in_a_partition_are_named() -> None:
    swapped = [replace(RAW[0], offset=12), RAW[1], replace(RAW[2], offset=10), RAW[3]]
    assert "out of order: shop.path u 1 of GTID number 7, event 1" in differences(swapped)
    apart = [RAW[0], RAW[1], replace(RAW[2], partition=1, offset=3), RAW[3]]
    assert differences(apart) == "", "two partitions have no order between them"


def test_many_differences_are_counted_and_not_all_told() -> None:
    truth = [event(number, 1) for number in range(1, 31)]
    found = rows_against_truth(TABLE, truth, [])
    assert len(found) == 11
    assert found[-1] == "... and 20 more like the last"


def test_end_records_say_what_the_binlog_holds() -> None:
    truth = [Transaction("s:7", 7, tuple(TRUTH[:2])), Transaction("s:8", 8, ())]
    assert ends_against_truth(truth, {7: {TABLE: {2}}}) == []
    assert ends_against_truth(truth, {7: {TABLE: {2}}, 8: {"": {0}}}) == []
    assert ends_against_truth(truth, {8: {"": {0}}}) == ["lost: END of GTID number 7"]
    assert ends_against_truth(truth, {7: {TABLE: {1}}}) == ["END of GTID number 7 says [1] of shop.path, not 2"]
    assert ends_against_truth(truth, {7: {TABLE: {1, 2}}}) == ["END of GTID number 7 says [1, 2] of shop.path, not 2"]
    assert ends_against_truth(truth, {7: {TABLE: {2}}, 9: {}}) == ["END of GTID number 9, which is not in the binlog"]
