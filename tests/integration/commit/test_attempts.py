"""First snapshots: which attempt counts, what Debezium told of it and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import EPOCH, A, Feed
from warehouse.session import Session


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


def test_an_attempt_begun_anew_at_the_same_place_counts_by_its_last_rows(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 9), _order(2, 9)])
    feed.first_snapshot([_order(1, 10), _order(2, 10)], [])
    summary = committer.cycle()
    assert standing(session, "mart_orders") == {1: 10, 2: 10}
    last = session.row("SELECT max(_committed_at) AS at FROM settlement_public.orders_raw")
    assert last == {"at": summary.cut_at}


@pytest.mark.parametrize("other", [{"file": "b.2"}, {"server": 2}, {"pos": 500}])
def test_a_snapshot_is_known_by_server_file_and_position(
    feed: Feed, committer: Committer, session: Session, other: dict[str, int]
) -> None:
    feed.first_snapshot([_order(1, 10), _order(2, 10)], [])
    committer.cycle()
    feed.first_snapshot([_order(1, 50), _order(2, 50)], [], **other)  # type: ignore[arg-type]
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 50, 2: 50}
    feed.snapshot_rows("shop.orders", [_order(1, 11)])
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 50, 2: 50}, "a row of the first one read again is older"


def test_what_is_told_of_an_incremental_snapshot_is_not_of_a_first_one(feed: Feed, committer: Committer) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    feed.notify("STARTED", "Incremental Snapshot", data_collections="shop.orders")
    assert committer.cycle().waiting == []


def test_a_beginning_read_again_begins_nothing(feed: Feed, committer: Committer, session: Session) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    feed.reset("notification_raw", 0)
    feed.now = EPOCH
    feed.notify("STARTED")
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 10}


@pytest.mark.parametrize("turned", [True, False])
def test_of_two_readings_of_one_notification_the_later_counts(
    feed: Feed, committer: Committer, session: Session, turned: bool
) -> None:
    """Whatever order they lie in."""
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 10)])
    readings = [("1", 2, 50), ("7", 1, 40)]
    for count, generation, batch in readings if turned else readings[::-1]:
        feed.offsets["notification_raw"], feed.generation, feed.batch = 1, generation, batch
        feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.orders", total_rows_scanned=count)
    feed.batch, feed.generation = 60, 1
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.tracking", total_rows_scanned="0")
    feed.notify("COMPLETED")
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 10}


def test_a_topic_made_again_stays_the_later_one_when_the_first_is_read_again(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    committer.cycle()
    feed.made_again("notification_raw")
    feed.first_snapshot([_order(1, 50)], [], pos=500)
    feed.topic_id, feed.generation = "t", 3
    feed.offsets["notification_raw"] = 0
    feed.notify("STARTED")
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.orders", total_rows_scanned="1")
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection="shop.tracking", total_rows_scanned="0")
    feed.notify("COMPLETED")
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 50}


def test_rows_that_a_broken_attempt_read_at_the_same_place_are_as_good(
    feed: Feed, committer: Committer, session: Session
) -> None:
    """While those of the one that counts are on their way."""
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 9), _order(2, 9)])
    feed.notify("STARTED")
    feed.snapshot_rows("shop.orders", [_order(1, 10)])
    for table, count in (("shop.orders", "2"), ("shop.tracking", "0")):
        feed.notify("TABLE_SCAN_COMPLETED", scanned_collection=table, total_rows_scanned=count)
    feed.notify("COMPLETED")
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 10, 2: 9}


def test_a_transaction_whose_end_was_written_with_completed_is_not_part_of_the_snapshot(
    feed: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    feed.now -= timedelta(seconds=1)
    feed.ends([(11, {"shop.orders": 1})])
    source.stored = f"{A}:1-11"
    assert committer.cycle().gtid_set == f"{A}:1-10"
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    assert committer.cycle().gtid_set == f"{A}:1-11"
    assert standing(session, "mart_orders") == {1: 11}


def test_what_ended_before_a_later_first_snapshot_began_is_part_of_it(
    feed: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    feed.first_snapshot([_order(1, 10)], [])
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    feed.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    feed.rows("shop.orders", [("u", 12, 1, _order(1, 12))])
    feed.ends([(12, {"shop.orders": 1})])
    feed.first_snapshot([_order(1, 50)], [], pos=500)
    source.stored = f"{A}:1-12"
    assert committer.cycle().gtid_set == f"{A}:1-12"
    assert standing(session, "mart_orders") == {1: 50}
