"""What END records say, and what a transaction has to bring before it is in the cut."""

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


def test_more_rows_than_an_end_says_hold_the_cut_and_are_not_called_short(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 11, 2, _order(2, 11))])
    begun.ends([(11, {"shop.orders": 1})])
    assert f"{A}:11: 2 of 1 rows of shop.orders" in committer.cycle().waiting[0]
    assert standing(session, "mart_orders") == {1: 10, 2: 10}
    assert session.rows("SELECT * FROM settlement_ods.short_transactions") == []


def test_one_end_read_twice_waits_once(begun: Feed, committer: Committer) -> None:
    begun.ends([(11, {"shop.orders": 1})])
    begun.reset("transaction_raw", 0)
    begun.ends([(11, {"shop.orders": 1})])
    assert len(committer.cycle().waiting) == 1


def test_the_cuts_time_is_that_of_the_first_end_of_its_last_transaction(begun: Feed, committer: Committer) -> None:
    begun.ends([(11, {}), (12, {})])
    last = begun.now
    begun.ends([(12, {})])
    assert committer.cycle().cut_at == last


def test_a_second_end_that_counts_a_table_more_stops_the_cut(begun: Feed, committer: Committer) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1}), (11, {"shop.orders": 1, "shop.tracking": 1})])
    with pytest.raises(RefusedError, match=r"disagree.*shop\.tracking"):
        committer.cycle()


def test_ends_are_compared_by_transaction_and_table(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 12, 1, _order(1, 12)), ("u", 12, 2, _order(2, 12))])
    begun.rows("shop.tracking", [("c", 12, 3, _tracking(1, 12))])
    begun.ends([(11, {"shop.orders": 1}), *[(12, {"shop.orders": 2, "shop.tracking": 1})] * 2])
    assert committer.cycle().gtid_set == f"{A}:1-12"
    assert (standing(session, "mart_orders"), standing(session, "mart_tracking")) == ({1: 12, 2: 12}, {1: 12})


def test_until_beyond_what_has_ended_takes_all_of_it(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1})])
    assert committer.cycle(GtidSet.parse(f"{A}:1-99")).gtid_set == f"{A}:1-11"
    assert standing(session, "mart_orders")[1] == 11


def test_a_row_of_a_reading_counts_for_no_transaction_though_it_names_one(begun: Feed, committer: Committer) -> None:
    begun.read_again("shop.orders", f"{A}:1-10", [_order(1, 77) | {"_tx_id": f"{A}:11", "_tx_order": 1}])
    begun.ends([(11, {"shop.orders": 1})])
    assert f"{A}:11: 0 of 1 rows" in committer.cycle().waiting[0]


def test_a_row_that_names_no_transaction_has_the_place_of_its_number(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11) | {"_tx_id": None})])
    begun.ends([(11, {}), (12, {})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 11, 2: 10}


def test_a_row_of_a_reading_without_gtids_waits_and_stops_nothing(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.read_again("shop.orders", None, [_order(1, 77)])
    begun.ends([(11, {})])
    assert committer.cycle().gtid_set == f"{A}:1-11"
    assert standing(session, "mart_orders") == {1: 10, 2: 10}


def test_an_event_at_the_snapshots_own_place_in_the_binlog_is_no_row_of_it(begun: Feed, committer: Committer) -> None:
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11) | {"_binlog_pos": 100})])
    begun.ends([(11, {"shop.orders": 1})])
    summary = committer.cycle()
    assert [m.rows_in for m in summary.marts if m.mart == "mart_orders"] == [1]


def test_a_delete_that_an_insert_followed_is_not_counted_as_one(begun: Feed, committer: Committer) -> None:
    begun.rows("shop.orders", [("d", 11, 1, _order(1, 10)), ("c", 11, 2, _order(1, 12)), ("d", 11, 3, _order(2, 10))])
    begun.ends([(11, {"shop.orders": 3})])
    assert [m.deleted for m in committer.cycle().marts if m.mart == "mart_orders"] == [1]


def test_the_first_two_hundred_that_wait_are_kept_for_the_next_cycle(
    begun: Feed, committer: Committer, session: Session
) -> None:
    numbers = list(range(11, 215))
    begun.ends([(n, {"shop.orders": 1}) for n in numbers])
    session.run("CREATE TABLE turned AS SELECT * FROM settlement_public.transaction_raw ORDER BY _offset DESC")
    session.run("DELETE FROM settlement_public.transaction_raw")
    session.run("INSERT INTO settlement_public.transaction_raw SELECT * FROM turned")
    committer.cycle()
    kept = session.rows("SELECT tx_id FROM settlement_ods.short_transactions")
    assert {row["tx_id"] for row in kept} == {f"{A}:{n}" for n in numbers[:200]}


def test_a_transaction_that_has_arrived_is_called_short_no_more(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    committer.cycle()
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    committer.cycle()
    assert session.rows("SELECT tx_id FROM settlement_ods.short_transactions") == [{"tx_id": f"{A}:12"}]


def test_what_was_watched_for_a_transaction_is_forgotten_when_it_has_arrived(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    for number in (11, 12):
        session.run(
            "INSERT INTO settlement_ods.watched_ends VALUES (%s, 'shop.orders', 0, 9, now())", (f"hole {A}:{number}",)
        )
    session.run("INSERT INTO settlement_ods.watched_ends VALUES ('read again n1', 'shop.orders', 0, 9, now())")
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    committer.cycle()
    kept = session.rows("SELECT purpose FROM settlement_ods.watched_ends ORDER BY purpose")
    assert [row["purpose"] for row in kept] == [f"hole {A}:12", "read again n1"]


@pytest.mark.parametrize("written", ["max(_produced_at) - interval '1 s'", "min(_produced_at)"])
def test_rows_of_an_attempt_that_nobody_told_of_stay_pending(
    begun: Feed, committer: Committer, session: Session, written: str
) -> None:
    """They are not void: written behind STARTED, or with it. Nothing is dropped in silence."""
    begun.snapshot_rows("shop.orders", [_order(7, 7)], pos=777)
    session.run(
        f"UPDATE settlement_public.orders_raw SET _produced_at = (SELECT {written}"
        " FROM settlement_public.notification_raw) WHERE order_id = 7"
    )
    begun.ends([(11, {})])
    committer.cycle()
    open_ = session.rows(
        "SELECT batch_id FROM settlement_ods.applied_batches WHERE raw_table = 'orders_raw' AND NOT complete"
    )
    assert [row["batch_id"] for row in open_] == [begun.batch - 1]
