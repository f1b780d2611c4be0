"""Eras order transactions across failovers, failbacks and snapshots."""

from __future__ import annotations

from committer.eras import Attempt, Era, Run, begin_snapshot, extend, gtid_set, highest
from waybill.gtid import Gtid, GtidSet

A = ("aaaaaaaa-0000-0000-0000-000000000001", "")
B = ("bbbbbbbb-0000-0000-0000-000000000002", "")
SNAPSHOT = Attempt(1, "binlog.000001", 4)


def test_a_run_of_the_newest_line_lengthens_its_era() -> None:
    eras = extend([], [Run(A, 9)])
    assert extend(eras, [Run(A, 12)]) == [Era(1, A, 1, 12)]


def test_failover_and_failback_give_three_eras_with_disjoint_numbers() -> None:
    eras = extend([], [Run(A, 100), Run(B, 50), Run(A, 110)])
    assert [(e.era, e.line, e.first, e.last) for e in eras] == [(1, A, 1, 100), (2, B, 1, 50), (3, A, 101, 110)]


def test_what_a_snapshot_covers_stands_below_it_and_what_follows_above() -> None:
    eras = begin_snapshot([], GtidSet.parse(f"{A[0]}:1-40"), SNAPSHOT, "n1")
    eras = extend(eras, [Run(A, 45)])
    assert [(e.era, e.line) for e in eras] == [(1, A), (2, ("", "")), (3, A)]
    assert eras[2].first == 41


def test_a_later_snapshot_ends_the_run_before_it() -> None:
    eras = extend(begin_snapshot([], GtidSet.parse(f"{A[0]}:1-40"), SNAPSHOT, "n1"), [Run(A, 60)])
    eras = begin_snapshot(eras, GtidSet.parse(f"{A[0]}:1-70"), Attempt(1, "binlog.000002", 4), "n2")
    eras = extend(eras, [Run(A, 72)])
    assert [(e.era, e.first, e.last) for e in eras if e.line == A] == [
        (1, 1, 40),
        (3, 41, 60),
        (4, 61, 70),
        (6, 71, 72),
    ]


def test_numbers_that_never_came_count_as_in_the_cut() -> None:
    eras = extend(begin_snapshot([], GtidSet.parse(f"{A[0]}:5-40"), SNAPSHOT, "n1"), [Run(A, 45), Run(B, 3)])
    assert str(gtid_set(eras)) == f"{A[0]}:1-45,{B[0]}:1-3"


def test_gtid_sets_subtract_and_print_as_mysql_does() -> None:
    found = GtidSet.parse(f"{A[0].upper()}:1-5:7,\n{B[0]}:blue:2-3") - GtidSet.of([Gtid.parse(f"{A[0]}:3")])
    assert str(found) == f"{A[0]}:1-2:4-5:7,{B[0]}:blue:2-3"
    assert Gtid.parse(f"{B[0]}:blue:3") in found
    assert Gtid.parse(f"{B[0]}:3") not in found


def test_a_row_read_at_a_gtid_set_stands_at_the_latest_transaction_of_it() -> None:
    eras = extend([], [Run(A, 100), Run(B, 50), Run(A, 110)])
    assert highest(eras, GtidSet.parse(f"{A[0]}:1-90")) == (1, 90)
    assert highest(eras, GtidSet.parse(f"{A[0]}:1-100,{B[0]}:1-7")) == (2, 7)
    assert highest(eras, GtidSet.parse(f"{A[0]}:1-105,{B[0]}:1-50")) == (3, 105)


def test_a_row_read_beyond_the_cut_has_no_place_yet() -> None:
    eras = extend([], [Run(A, 100)])
    assert highest(eras, GtidSet.parse(f"{A[0]}:1-101")) is None
    assert highest(eras, GtidSet.parse(f"{A[0]}:1-90,{B[0]}:1")) is None
    assert highest([], GtidSet()) is None
