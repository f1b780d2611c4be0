"""Rows of an incremental snapshot have their place among the transactions, and wait for the cut like them."""

from __future__ import annotations

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    """Two orders from a first snapshot, taken at A:1-10, are in the marts."""
    feed.first_snapshot([_order(1, 10), _order(2, 10)], [])
    committer.cycle()
    return feed


def _pending(session: Session) -> int:
    found = session.row("SELECT count(*) AS open FROM settlement_ods.applied_batches WHERE NOT complete")
    return int(found["open"]) if found else -1


def test_a_row_read_again_waits_until_its_gtid_set_is_in_the_cut(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.read_again("shop.orders", f"{A}:1-12", [_order(1, 12), _order(3, 12)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10, 2: 10}
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1}), (12, {})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 10, 3: 12}
    assert _pending(session) == 0


def test_an_event_after_the_read_wins_and_one_before_it_loses_whenever_they_come(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 13, 1, _order(1, 13))])
    begun.read_again("shop.orders", f"{A}:1-12", [_order(1, 12), _order(2, 12)])
    begun.ends([(11, {}), (12, {"shop.orders": 1}), (13, {"shop.orders": 1})])
    begun.rows("shop.orders", [("u", 12, 1, _order(2, 11))])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 13, 2: 12}


def test_of_two_reads_at_one_gtid_set_the_later_written_wins(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.ends([(11, {})])
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 1)])
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 2)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 2, 2: 10}
