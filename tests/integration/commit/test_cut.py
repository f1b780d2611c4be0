"""The cut never splits a transaction, and moves as far as what has arrived allows (spec section 6)."""

from __future__ import annotations

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session
from waybill.errors import RefusedError
from waybill.gtid import GtidSet


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


def _tracking(number: int, state: int) -> dict[str, int]:
    return {"order_id": number, "state": state, "update_time": 1}


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    """Two orders from a first snapshot, taken at A:1-10, are in the marts."""
    feed.first_snapshot([_order(1, 10), _order(2, 10)], [_tracking(1, 10)])
    assert committer.cycle().gtid_set == f"{A}:1-10"
    return feed


def test_nothing_is_cut_before_the_first_snapshot_has_completed(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 10)])
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    feed.ends([(11, {"shop.orders": 1})])
    summary = committer.cycle()
    assert summary.rows_in == 0
    assert "running since" in summary.waiting[0]
    assert standing(session, "mart_orders") == {}


def test_a_first_snapshot_is_applied_whole_or_not_at_all(feed: Feed, committer: Committer, session: Session) -> None:
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 10)])
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.orders", total_rows_scanned="2", status="SUCCEEDED")
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.tracking", total_rows_scanned="0", status="EMPTY")
    feed.notify("COMPLETED")
    assert "1 of 2 rows loaded" in committer.cycle().waiting[0]
    assert standing(session, "mart_orders") == {}
    feed.snapshot_rows("shop.orders", [_order(2, 20)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10, 2: 20}


def test_rows_of_a_broken_snapshot_attempt_are_void(feed: Feed, committer: Committer, session: Session) -> None:
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 99), _order(7, 99)], pos=50)
    feed.first_snapshot([_order(1, 10)], [])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10}
    pending = session.rows(
        "SELECT * FROM settlement_ods.applied_batches WHERE raw_table = 'orders_raw' AND NOT complete"
    )
    assert pending == [], "a void attempt must not be read again in every cycle"


def test_transactions_streamed_after_the_snapshot_are_not_counted_into_it(
    feed: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    feed.first_snapshot([_order(1, 10)], [_tracking(1, 10)])
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    feed.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    source.stored = f"{A}:1-12"
    assert committer.cycle().gtid_set == f"{A}:1-11"
    assert standing(session, "mart_orders") == {1: 11}


def test_a_number_without_end_after_the_snapshot_does_not_hide_the_transactions_before_it(
    feed: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    feed.rows("shop.orders", [("u", n, 1, _order(1, n)) for n in (11, 12)])
    feed.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    source.stored = f"{A}:1-13"  # 13 is a DDL: no END
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12}


def test_a_transaction_waits_until_every_table_has_all_its_rows(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 20)), ("u", 12, 1, _order(2, 30))])
    begun.ends([(11, {"shop.orders": 1, "shop.tracking": 1}), (12, {"shop.orders": 1})])
    summary = committer.cycle()
    assert f"{A}:11: 0 of 1 rows of shop.tracking" in summary.waiting[0]
    assert standing(session, "mart_orders") == {1: 10, 2: 10}
    begun.rows("shop.tracking", [("u", 11, 1, _tracking(1, 20))])
    assert committer.cycle().gtid_set == f"{A}:1-12"
    assert (standing(session, "mart_orders"), standing(session, "mart_tracking")) == ({1: 20, 2: 30}, {1: 20})


def test_a_new_key_of_which_another_row_waits_stands_once(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("c", 11, 1, _order(5, 11)), ("u", 12, 1, _order(5, 12))])
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 2})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10, 2: 10, 5: 11}


def test_a_row_that_came_twice_does_not_stand_for_one_that_is_missing(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 20)), ("u", 11, 1, _order(1, 20))])
    begun.ends([(11, {"shop.orders": 2})])
    assert "1 of 2 rows" in committer.cycle().waiting[0]
    assert standing(session, "mart_orders") == {1: 10, 2: 10}


def test_an_end_that_comes_again_changes_nothing_and_one_with_other_counts_stops_the_cut(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 20))])
    begun.ends([(11, {"shop.orders": 1}), (11, {"shop.orders": 1})])
    committer.cycle()
    begun.ends([(11, {"shop.orders": 1})])
    again = committer.cycle()
    assert (again.transactions, again.waiting) == (0, [])
    assert standing(session, "mart_orders")[1] == 20
    begun.rows("shop.orders", [("u", 12, 1, _order(1, 30))])
    begun.ends([(12, {"shop.orders": 1}), (12, {"shop.orders": 3})])
    with pytest.raises(RefusedError, match="disagree"):
        committer.cycle()
    assert standing(session, "mart_orders")[1] == 20
    failed = session.row("SELECT count(*) AS n FROM settlement_ods.cycles WHERE status = 'failed'")
    assert failed == {"n": 1}


def test_until_ends_the_cut_exactly_there(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", n, 1, _order(1, n)) for n in (11, 12, 13)])
    begun.ends([(n, {"shop.orders": 1}) for n in (11, 12, 13)])
    assert committer.cycle(GtidSet.parse(f"{A}:1-12")).gtid_set == f"{A}:1-12"
    assert standing(session, "mart_orders")[1] == 12
    assert committer.cycle().gtid_set == f"{A}:1-13"


def test_an_empty_transaction_and_one_of_other_tables_move_the_cut(begun: Feed, committer: Committer) -> None:
    begun.ends([(11, {}), (14, {"shop.unconfigured": 5})])
    summary = committer.cycle()
    assert summary.gtid_set == f"{A}:1-14"
    assert "zero new rows" in summary.notes


def test_the_later_in_the_binlog_wins_whatever_order_the_rows_arrive_in(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 12, 2, _order(1, 122)), ("u", 12, 1, _order(1, 121)), ("u", 11, 3, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 2})])
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 122


def test_an_old_event_that_comes_late_does_not_overwrite(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 12, 1, _order(1, 12))])
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    committer.cycle()
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 11, 2, _order(2, 77))])
    summary = committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 77}, (
        "a late row of a transaction in the cut is applied, never backwards"
    )
    assert [m.older for m in summary.marts if m.mart == "mart_orders"] == [1]


def test_a_row_read_again_at_the_same_position_replaces_the_one_before(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 666))])
    begun.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 11


def test_a_delete_marks_the_row_with_its_commit_time_and_an_insert_clears_the_mark(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("d", 11, 1, _order(1, 10)), ("d", 11, 2, _order(5, 50))])
    begun.ends([(11, {"shop.orders": 2})])
    committer.cycle()
    marked = session.rows(
        "SELECT order_id, _deleted_at, _committed_at FROM settlement_ods.mart_orders WHERE _deleted_at IS NOT NULL"
    )
    assert {row["order_id"] for row in marked} == {1, 5}
    assert all(row["_deleted_at"] == row["_committed_at"] for row in marked)
    begun.rows("shop.orders", [("c", 12, 1, _order(1, 12))])
    begun.ends([(12, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 10}


def test_a_null_key_is_named_once_and_stands_nowhere(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 11, 1, {"order_id": None, "status": 1}), ("u", 11, 2, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 2})])
    committer.cycle()
    committer.cycle()
    found = session.rows("SELECT table_name, row_key, exception_type FROM settlement_ods.order_tracking_exceptions")
    assert found == [{"table_name": "shop.orders", "row_key": "0/2", "exception_type": "INVALID_ROW"}]
    assert standing(session, "mart_orders") == {1: 11, 2: 10}


def test_a_cycle_without_news_repeats_the_cut(begun: Feed, committer: Committer, session: Session) -> None:
    before = session.rows("SELECT * FROM settlement_ods.mart_orders ORDER BY order_id")
    summary = committer.cycle()
    assert (summary.cycle, summary.gtid_set, summary.notes) == (2, f"{A}:1-10", ["zero new rows"])
    assert session.rows("SELECT * FROM settlement_ods.mart_orders ORDER BY order_id") == before


def test_of_two_rows_at_one_position_in_one_batch_the_one_written_later_wins(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 666)), ("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 11
