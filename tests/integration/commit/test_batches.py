"""What of raw is applied is known by table and batch: two tables' batches may have one number."""

from __future__ import annotations

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import RAW, A, Feed
from warehouse.session import Session


def _order(feed: Feed, batch: int, number: int, status: int, order: int = 1) -> None:
    feed.batch = batch - 1
    feed.rows("shop.orders", [("u", number, order, {"order_id": 1, "status": status, "add_time": 1})])


def _tracking(feed: Feed, batch: int, number: int, state: int) -> None:
    feed.batch = batch - 1
    feed.rows("shop.tracking", [("u", number, 1, {"order_id": 1, "state": state, "update_time": 1})])


def _ends(feed: Feed, batch: int, number: int, **counts: int) -> None:
    feed.batch = batch - 1
    feed.ends([(number, {f"shop.{table}": count for table, count in counts.items()})])


def _complete(session: Session) -> None:
    """Every batch that was loaded is applied, and said to be once."""
    for raw in (*RAW.values(), "transaction_raw"):
        loaded = session.rows(f"SELECT batch_id FROM settlement_public.{raw}_ledger ORDER BY batch_id")
        applied = session.rows(
            "SELECT batch_id FROM settlement_ods.applied_batches WHERE raw_table = %s AND complete ORDER BY batch_id",
            (raw,),
        )
        assert applied == loaded, raw


def test_batches_of_two_tables_may_have_one_number(feed: Feed, committer: Committer, session: Session) -> None:
    feed.first_snapshot([], [])
    committer.cycle()
    _order(feed, 100, 11, 11)
    _ends(feed, 101, 11, orders=1)
    committer.cycle()
    _complete(session)
    # Numbers that another table has used up, between those of the table itself.
    _tracking(feed, 100, 12, 12)
    _order(feed, 90, 12, 12)
    _order(feed, 110, 13, 13)
    _ends(feed, 100, 12, tracking=1, orders=1)
    _ends(feed, 110, 13, orders=1)
    summary = committer.cycle()
    assert (summary.gtid_set, summary.transactions) == (f"{A}:1-13", 2)
    assert {m.mart: m.rows_in for m in summary.marts} == {"mart_orders": 2, "mart_tracking": 1}
    assert (standing(session, "mart_orders"), standing(session, "mart_tracking")) == ({1: 13}, {1: 12})
    _complete(session)
    # And numbers of batches that wait at once.
    _tracking(feed, 200, 14, 14)
    _order(feed, 200, 14, 14)
    _ends(feed, 200, 14, tracking=1, orders=1)
    _order(feed, 101, 15, 15)
    _ends(feed, 90, 15, orders=1)
    summary = committer.cycle()
    assert {m.mart: m.rows_in for m in summary.marts} == {"mart_orders": 2, "mart_tracking": 1}
    _complete(session)
    assert committer.cycle().rows_in == 0


def test_a_batch_left_of_another_table_is_not_this_ones(feed: Feed, committer: Committer, session: Session) -> None:
    """Behind the mark only what is kept in raw_left as not applied is looked at, by table and reason."""
    feed.first_snapshot([], [])
    _order(feed, 50, 11, 11)
    _order(feed, 51, 12, 12)
    _order(feed, 52, 13, 13)
    committer.cycle()
    session.run("UPDATE settlement_public.raw_marks SET applied_before = now() + interval '1 day'")
    if not session.rows("SELECT * FROM settlement_public.raw_marks WHERE raw_table = 'orders_raw'"):
        session.run("INSERT INTO settlement_public.raw_marks (raw_table, applied_before, trimmed_before)"
                    " VALUES ('orders_raw', now() + interval '1 day', '1970-01-01')")  # fmt: skip
    for raw, batch, why in (
        ("orders_raw", 50, "not applied"), ("tracking_raw", 51, "not applied"), ("orders_raw", 52, "not trimmed"),
    ):  # fmt: skip
        session.run("INSERT INTO settlement_public.raw_left VALUES (%s, %s, %s)", (raw, batch, why))
    session.run("DELETE FROM settlement_ods.applied_batches")
    feed.ends([(n, {}) for n in (11, 12, 13)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 11}


def test_of_a_batch_that_was_cut_only_the_rest_is_applied(feed: Feed, committer: Committer, session: Session) -> None:
    feed.first_snapshot([], [])
    feed.rows(
        "shop.orders",
        [("u", n, 1, {"order_id": n, "status": n, "add_time": 1}) for n in (11, 12, 13)],
    )
    feed.ends([(11, {"shop.orders": 1})])
    assert committer.cycle().rows_in == 1
    feed.ends([(12, {"shop.orders": 1}), (13, {"shop.orders": 1})])
    assert committer.cycle().rows_in == 2
    assert standing(session, "mart_orders") == {11: 11, 12: 12, 13: 13}
    _complete(session)
    assert committer.cycle().rows_in == 0
    _complete(session)


def test_a_batch_is_applied_whatever_waits_in_another(feed: Feed, committer: Committer, session: Session) -> None:
    """Rows, and END records: one of a transaction that is in the cut holds its batch back no more than others do."""
    feed.first_snapshot([], [])
    _order(feed, 100, 11, 11)
    _order(feed, 101, 12, 12)
    _ends(feed, 102, 11, orders=1)
    _ends(feed, 103, 12, orders=2)
    committer.cycle()
    open_ = session.rows("SELECT batch_id FROM settlement_ods.applied_batches WHERE NOT complete ORDER BY 1")
    assert [row["batch_id"] for row in open_] == [101, 103]
    feed.ends([(11, {"shop.orders": 1}), (13, {})])
    _order(feed, 105, 12, 12, order=2)
    committer.cycle()
    _complete(session)


def test_an_end_that_waits_in_an_older_batch_is_not_lost(feed: Feed, committer: Committer, session: Session) -> None:
    feed.first_snapshot([], [])
    _ends(feed, 100, 11, orders=1)
    _ends(feed, 101, 12)
    _ends(feed, 102, 13, tracking=1)
    assert committer.cycle().transactions == 0
    _order(feed, 103, 11, 11)
    assert committer.cycle().gtid_set == f"{A}:1-12"
    _tracking(feed, 104, 13, 13)
    assert committer.cycle().gtid_set == f"{A}:1-13"
    _complete(session)


def test_a_batch_loaded_at_the_very_mark_is_behind_it(feed: Feed, committer: Committer, session: Session) -> None:
    feed.first_snapshot([], [])
    committer.cycle()
    _order(feed, 100, 11, 11)
    _ends(feed, 101, 11, orders=1)
    session.run("DELETE FROM settlement_public.raw_marks WHERE raw_table = 'orders_raw'")
    session.run(
        "INSERT INTO settlement_public.raw_marks (raw_table, applied_before, trimmed_before)"
        " SELECT 'orders_raw', max(loaded_at), '1970-01-01' FROM settlement_public.orders_raw_ledger"
    )
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 11}
