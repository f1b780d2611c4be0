"""Rows read again under a newer generation, and topics that were made again, as a cycle applies them."""

from __future__ import annotations

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session

Values = dict[str, int | None]


def _order(number: int | None, status: int) -> Values:
    return {"order_id": number, "status": status, "add_time": 1}


def _updates(feed: Feed, wrong: int = 0) -> None:
    """Transactions 11 to 13 of one batch; `wrong` is what a bad decoder adds."""
    feed.rows(
        "shop.orders",
        [
            ("u", 11, 1, _order(1, 11 + wrong)), ("u", 12, 1, _order(2, 12 + wrong)),
            ("u", 13, 1, _order(1, 13 + wrong)),
        ],
    )  # fmt: skip


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    """Orders 1 to 3 from a first snapshot at A:1-10 are in the marts."""
    feed.first_snapshot([_order(n, 10) for n in (1, 2, 3)], [])
    committer.cycle()
    return feed


@pytest.mark.parametrize("ends_too", [False, True])
def test_a_window_read_again_replaces_the_rows_at_the_same_positions(
    begun: Feed, committer: Committer, session: Session, ends_too: bool
) -> None:
    _updates(begun, wrong=900)
    begun.ends([(n, {"shop.orders": 1}) for n in (11, 12, 13)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 913, 2: 912, 3: 10}
    begun.reset("orders_raw", 3)
    _updates(begun)
    if ends_too:
        begun.reset("transaction_raw", 0)
        begun.ends([(n, {"shop.orders": 1}) for n in (11, 12, 13)])
    summary = committer.cycle()
    assert standing(session, "mart_orders") == {1: 13, 2: 12, 3: 10}
    assert (summary.gtid_set, summary.transactions, summary.waiting) == (f"{A}:1-13", 0, [])
    before = session.rows("SELECT * FROM settlement_ods.mart_orders ORDER BY order_id")
    assert committer.cycle().rows_in == 0
    assert session.rows("SELECT * FROM settlement_ods.mart_orders ORDER BY order_id") == before


def test_the_snapshot_read_again_never_makes_a_row_older(begun: Feed, committer: Committer, session: Session) -> None:
    _updates(begun)
    begun.ends([(n, {"shop.orders": 1}) for n in (11, 12, 13)])
    committer.cycle()
    begun.reset("orders_raw", 0)
    begun.snapshot_rows("shop.orders", [_order(1, 10), _order(2, 10), _order(3, 77)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 13, 2: 12, 3: 77}


def test_a_transaction_read_under_two_generations_before_its_cut_counts_once(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 911))])
    begun.ends([(11, {"shop.orders": 2})])
    begun.reset("orders_raw", 3)
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    assert "1 of 2 rows" in committer.cycle().waiting[0]
    begun.rows("shop.orders", [("u", 11, 2, _order(2, 11))])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 11, 2: 11, 3: 10}


def test_a_row_without_a_key_read_again_is_one_exception(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("c", 11, 1, _order(None, 1))])
    begun.reset("orders_raw", 3)
    begun.rows("shop.orders", [("c", 11, 1, _order(None, 1))])
    begun.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    begun.reset("orders_raw", 3)
    begun.rows("shop.orders", [("c", 11, 1, _order(None, 1))])
    committer.cycle()
    found = session.rows("SELECT row_key FROM settlement_ods.order_tracking_exceptions")
    assert [row["row_key"] for row in found] == ["0/3"]


@pytest.mark.parametrize("again", ["a", "z"])
def test_ends_of_a_topic_made_again_follow_those_of_the_one_before_it(
    begun: Feed, committer: Committer, session: Session, again: str
) -> None:
    """Whatever its id, and when one of the topic before it is loaded last."""
    begun.ends([(11, {"shop.orders": 1})])
    begun.made_again("transaction_raw")
    begun.topic_id = again
    begun.ends([(13, {"shop.orders": 1})])
    begun.topic_id, begun.generation, begun.offsets["transaction_raw"] = "t", 1, 1
    begun.ends([(12, {"shop.orders": 1})])
    begun.rows("shop.orders", [("u", 13, 1, _order(1, 13))])
    summary = committer.cycle()
    assert summary.gtid_set == f"{A}:1-10", "transaction 13 was applied before 11"
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 12, 1, _order(2, 12))])
    assert committer.cycle().gtid_set == f"{A}:1-13"
    assert standing(session, "mart_orders") == {1: 13, 2: 12, 3: 10}


def test_a_first_snapshot_told_in_a_topic_made_again_counts(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.made_again("notification_raw")
    begun.offsets["notification_raw"] = 0
    begun.first_snapshot([_order(1, 50), _order(2, 50), _order(3, 50)], [], pos=500)
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 50, 2: 50, 3: 50}


def test_a_reading_of_an_earlier_event_beats_a_later_delivery_of_it(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """At one position the batch counts, not the offset: Connect delivered it twice, then the first was read again."""
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 901)), ("u", 11, 1, _order(1, 902))])
    begun.reset("orders_raw", 3)
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 11


@pytest.mark.parametrize("statuses", [(11, 901), (901, 11)])
def test_in_one_batch_the_later_offset_counts_wherever_it_lies(
    begun: Feed, committer: Committer, session: Session, statuses: tuple[int, int]
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, status)) for status in statuses])
    if statuses[0] == 11:
        session.run("UPDATE settlement_public.orders_raw SET _offset = 3 + 4 - _offset WHERE _gtid_number = 11")
    begun.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 11
